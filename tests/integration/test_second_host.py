"""A further host joins with one pasted line, from behind NAT, and is shut out again."""

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.installed import InstalledPanel
from tests.integration import visitor
from tests.integration.lan import Lan, run
from tests.integration.machine import Machine
from tests.native_engine import require_native
from tests.panel_client import PanelClient
from tests.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.redis]

Lines = Callable[[], tuple[str, str]]
TOKEN = secrets.token_hex(8)
PROJECT = f"""\
services:
  talker:
    image: busybox
    command: sh -c 'trap "exit 0" TERM; while :; do echo {TOKEN} $(hostname); sleep 0.2; done'
"""
# What Redis says to users that it does not know.
REFUSAL = b"invalid username-password pair"
AGENT = Path("var/lib/webpanel-agent")


@pytest.fixture(scope="module", autouse=True)
def _only_where_containers_run() -> None:
    require_native()


@pytest.fixture(scope="module")
def fresh(boot: Callable[[str], Machine]) -> Machine:
    """A machine that no line has worked on."""
    return boot("fresh")


@pytest.fixture(scope="module")
def second(boot: Callable[[str], Machine], lines: Lines) -> Iterator[tuple[Machine, str]]:
    """A machine that has joined, and the line that it was done with."""
    machine, line = boot("second"), lines()[0]
    said = machine.ok(line)
    assert "This machine is a host of" in said
    yield machine, line
    machine.sh("webpanel-agent purge")


@pytest.fixture(scope="module")
def project(owner: PanelClient, second: tuple[Machine, str]) -> str:
    """A project that runs on the second host."""
    wait_until(visitor.is_online(owner, "second"), "the second host online", 30)
    return visitor.deploy(owner, "second", PROJECT)


def refuse(machine: Machine, line: str) -> str:
    """Run a line that must fail and leave nothing; return its last words."""
    before = machine.listing()
    done = machine.sh(line)
    assert done.returncode != 0, done.stdout
    assert machine.listing() == before
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def change_tokens(panel: InstalledPanel, change: str) -> None:
    code = (
        "from apps.hosts.models import JoinToken; from django.utils import timezone;"
        f"JoinToken.objects.filter(used_at=None).update({change}=timezone.now())"
    )
    panel.manage("shell", "-c", code)


def containers(root: Path) -> list[str]:
    """Return the ids of the containers that an agent has."""
    return sorted(path.name for path in (root / "native" / "containers").iterdir())


def test_the_machine_is_behind_nat_and_reaches_nothing_but_the_panel(lan: Lan, fresh: Machine):
    reach = "import socket; socket.create_connection(('{}', {}), 2)"
    for address in ("192.0.2.1", "198.51.100.7"):
        assert fresh.sh(f'python3 -c "{reach.format(address, 443)}"').returncode != 0
    assert f"dev {lan.router}" not in run("ip", "route", "get", "192.168.77.10")
    assert not fresh.sh(f"ls {Path(__file__).parent}").stdout


@pytest.mark.parametrize("which", [0, 1], ids=["curl", "python"])
def test_a_panel_with_another_authority_is_refused(fresh: Machine, lines: Lines, which: int):
    line = lines()[which]
    digest = re.findall(r"--ca-sha256 ([0-9a-f]{64})", line)[0]
    said = refuse(fresh, line.replace(digest, "0" * 64))
    assert "not the panel that made th" in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("revoked_at", "was used or revoked, or has expired"), ("expires_at", "has expired")],
)
def test_a_worthless_token_is_refused(
    installed_panel: InstalledPanel, fresh: Machine, lines: Lines, change: str, sentence: str
):
    line = lines()[0]
    change_tokens(installed_panel, change)
    assert sentence in refuse(fresh, line)


def test_an_altered_wheel_is_refused(installed_panel: InstalledPanel, fresh: Machine, lines: Lines):
    wheel = next((installed_panel.home / "wheels").glob("webpanel-*.whl"))
    good = wheel.read_bytes()
    wheel.write_bytes(good + b"more")
    try:
        said = refuse(fresh, lines()[0])
    finally:
        wheel.write_bytes(good)
    assert f"{wheel.name} does not fit its checksum" in said


def test_the_line_works_once(fresh: Machine, second: tuple[Machine, str]):
    assert "This join token was used or revoked" in refuse(fresh, second[1])


def test_the_second_host_is_online_and_healthy(owner: PanelClient, second: tuple[Machine, str]):
    wait_until(visitor.is_online(owner, "second"), "the second host online", 30)
    uid, _ = visitor.hosts(owner)["second"]
    page = owner.get(f"/hosts/{uid}/")
    assert "native" in page.text
    assert "alert-warning" not in page.text


def test_no_port_is_open_on_the_second_host(second: tuple[Machine, str], project: str):
    listed = second[0].ok("ss -Hltun").splitlines()
    assert [line for line in listed if re.search(r"192\.168\.77\.|0\.0\.0\.0:\d|\*:\d", line)] == []


def test_a_project_runs_there_and_its_lines_come_back(
    installed_panel: InstalledPanel, owner: PanelClient, second: tuple[Machine, str]
):
    local, there = installed_panel.home / "agent", second[0].disk / AGENT
    before = containers(local), containers(there)
    path = visitor.deploy(owner, "second", PROJECT)
    visitor.wait_for_line(owner, path, TOKEN)
    assert len(containers(there)) == len(before[1]) + 1
    visitor.remove(owner, path)
    assert (containers(local), containers(there)) == before


def test_the_agent_comes_back_with_what_runs_when_the_line_is_run_again(
    owner: PanelClient, second: tuple[Machine, str], project: str, lines: Lines
):
    machine = second[0]
    before = containers(machine.disk / AGENT)
    for line in (second[1], lines()[1]):
        assert "has joined before" in machine.ok(line)
    wait_until(visitor.is_online(owner, "second"), "the second host online", 30)
    visitor.wait_for_line(owner, project, TOKEN)
    assert containers(machine.disk / AGENT) == before


def test_a_revoked_host_is_cut_off_at_once_and_its_containers_go_on(
    owner: PanelClient, second: tuple[Machine, str], project: str
):
    machine = second[0]
    uid, _ = visitor.hosts(owner)["second"]
    log = machine.disk / AGENT / "agent.log"
    spoken = log.stat().st_size
    owner.post(f"/hosts/{uid}/revoke/", {"confirm": "second"})
    assert "second" not in visitor.hosts(owner)
    wait_until(lambda: REFUSAL in log.read_bytes()[spoken:], "Redis to refuse the host", 20)
    output = next((machine.disk / AGENT / "native/containers").glob("*/output.log"))
    size = output.stat().st_size
    wait_until(lambda: output.stat().st_size > size, "another line of the container")


def test_purge_leaves_nothing_on_the_machine(fresh: Machine, second: tuple[Machine, str]):
    machine = second[0]
    machine.ok("webpanel-agent purge && rm -r /opt/webpanel-agent /usr/local/bin/webpanel-agent")
    assert machine.listing() == fresh.listing()
    with suppress(FileNotFoundError):
        assert machine.ok("nft list tables") == ""
    assert re.findall(r"wp[0-9a-f]{6}", machine.ok("ip link")) == []
