"""What a person does with hosts and projects, by the panel's own pages and sockets."""

import json
import re
import secrets
from collections.abc import Callable

from websockets.sync.client import connect

from tests.panel_client import PanelClient
from tests.waiting import wait_until


def hosts(client: PanelClient) -> dict[str, tuple[str, str]]:
    """Return uid and state of each host on the page “Hosts”, by name."""
    rows = re.findall(
        r"<tr>\s*<td class=\"cell-main\">(.*?)</tr>", client.get("/hosts/").text, re.S
    )
    found = {}
    for row in rows:
        link = re.search(r'href="/hosts/([^/"]+)/">([^<]+)</a>', row)
        states = re.findall(r">\s*(Online|Offline|Pending|Joining)\s*<", row)
        assert link, row
        found[link[2]] = (link[1], states[0] if states else row)
    return found


def is_online(client: PanelClient, name: str) -> Callable[[], bool]:
    return lambda: hosts(client).get(name, ("", ""))[1] == "Online"


def deploy(client: PanelClient, host: str, text: str) -> str:
    """Make a project on a host and deploy it; return its path once it runs."""
    page = client.get("/projects/new/")
    option = re.search(rf'<option value="(\d+)"[^>]*>[^<]*\b{host}\b', page.text)
    assert option, page.text
    name = f"it-{secrets.token_hex(3)}"
    made = client.post("/projects/new/", {"name": name, "host": option[1], "pasted": text})
    path = made.address.removeprefix(client.address).removesuffix("files/")
    sent = client.post(f"{path}deploy/", {"path": "compose.yml", "content": text})
    assert "operation=" in sent.address, sent.text
    try:
        wait_until(lambda: ">Running<" in client.get(path).text, f"{name} to run", 30)
    except AssertionError as error:
        raise AssertionError(client.get(sent.address.removeprefix(client.address)).text) from error
    return path


def remove(client: PanelClient, path: str) -> None:
    """Remove a project with its volumes, and wait until it is gone."""
    found = re.search(r"it-[0-9a-f]{6}", client.get(path).text)
    assert found
    client.post(f"{path}remove/", {"confirm": found[0], "remove_volumes": "on"})
    wait_until(lambda: client.get(path).status == 404, "the project to be gone", 30)


def wait_for_line(client: PanelClient, project: str, token: str) -> None:
    """Follow a project's logs until a line has ``token`` in it."""
    address = client.address.replace("http", "ws", 1) + f"/ws/logs{project}"
    cookies = "; ".join(f"{each.name}={each.value}" for each in client.cookies)
    with connect(address, origin=client.address, additional_headers={"Cookie": cookies}) as socket:
        socket.send(json.dumps({"type": "resume", "cursors": {}}))
        wait_until(lambda: token in str(socket.recv(timeout=20)), f"the line {token}", 30)
