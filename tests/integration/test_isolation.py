"""Two enrolled hosts and the panel they are in: what one host's credentials are worth."""

import html
import json
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents import config
from agents.config import AgentConfig
from agents.enrolment import JoinRequest, join
from agents.protocol import keys
from agents.protocol.commands import ReportAll
from agents.protocol.envelope import Sealed, seal
from agents.protocol.events import Event, Heartbeat, Inventory
from tests.agents.runtime.test_agent_acl import attempts
from tests.installed import InstalledPanel
from tests.panel_client import PanelClient
from tests.waiting import wait_until

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.redis]


@dataclass(frozen=True)
class Intruder:
    """Host A, whose keys somebody has, at a panel where host B works."""

    a: AgentConfig
    b: AgentConfig
    redis: redis.Redis

    def forge(self, event: Event, **changes) -> str:
        recipe = {
            "key": self.a.load_private_key(),
            "kind": "event",
            "sender": keys.recipient(self.a.uid),
            "recipient": keys.PANEL_RECIPIENT,
            "lifetime": 60.0,
        }
        return seal(event, **{**recipe, **changes})

    def publish(self, sealed: str) -> None:
        self.redis.xadd(keys.events(self.a.uid), {"m": sealed})


def connect(panel: InstalledPanel, host: AgentConfig, **changes) -> redis.Redis:
    """Reach Redis as a host does: over TLS, with its certificate, as its user."""
    options = {
        "username": host.redis_username,
        "password": host.redis_password.reveal(),
        "ssl_certfile": str(host.certificate),
        "ssl_keyfile": str(host.private_key),
    }
    return redis.Redis(
        host="127.0.0.1",
        port=panel.redis_port,
        ssl=True,
        ssl_ca_certs=str(host.ca_certificate),
        retry=Retry(NoBackoff(), 0),
        **{**options, **changes},
    )


@pytest.fixture(scope="module")
def client(installed_panel: InstalledPanel) -> PanelClient:
    return installed_panel.sign_in()


@pytest.fixture(scope="module")
def intruder(
    installed_panel: InstalledPanel,
    client: PanelClient,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Intruder]:
    """A host that has joined with a token of the page “Add host”, and no agent."""
    line = html.unescape(client.post("/hosts/add/", {}).text)
    token, pin = re.findall(r"--token (\S+) --ca-sha256 ([0-9a-f]{64})", line)[0]
    root = tmp_path_factory.mktemp("intruder")
    request = JoinRequest(
        panel=f"https://127.0.0.1:{installed_panel.https_port}",
        token=token,
        ca_sha256=pin,
        root=root,
        run=root / "run",
        name="intruder",
    )
    a, b = join(request), config.load(installed_panel.home / "agent" / config.CONFIG_NAME)
    with connect(installed_panel, a) as connection:
        yield Intruder(a, b, connection)
    client.post(f"/hosts/{a.uid}/revoke/", {"confirm": "intruder"})


@pytest.fixture
def audited(client: PanelClient) -> Callable[[str], None]:
    """Waits until the audit log tells that a message was refused for a reason."""

    def wait(reason: str) -> None:
        row = re.compile(rf"<td>[^/]*host</span> (\S+)</td>\s*<td class=\"muted\">{reason}")
        wait_until(lambda: bool(row.search(client.get("/audit/").text)), f"{reason} audited")

    return wait


def panel_redis(panel: InstalledPanel) -> redis.Redis:
    """Reach Redis as the panel does."""
    settings = (panel.home / "panel.env").read_text()
    parts = urlsplit(re.findall(r"WEBPANEL_REDIS_URL=(\S+)", settings)[0])
    secrets = json.loads((panel.home / "secrets.json").read_text())
    path = parts.path or parts.netloc.rpartition("@")[2]
    return redis.Redis(unix_socket_path=path, password=secrets["redis_password"])


def test_a_host_can_do_nothing_with_the_keys_of_another_or_of_the_panel(
    installed_panel: InstalledPanel, intruder: Intruder
):
    with panel_redis(installed_panel) as admin:
        found = {key.decode() for key in admin.scan_iter()}
    foreign = {key for key in found if intruder.a.uid not in key}
    assert {keys.events(intruder.b.uid), "panel.wake"} <= foreign
    for key in foreign | {keys.queue(intruder.b.uid), "panel.default"}:
        for attempt in attempts(key):
            with pytest.raises(redis.exceptions.NoPermissionError):
                intruder.redis.execute_command(*attempt)


@pytest.mark.parametrize("command", ["KEYS *", "SCAN 0", "ACL LIST", "CONFIG GET *", "MONITOR"])
def test_a_host_cannot_look_around(intruder: Intruder, command: str):
    with pytest.raises(redis.exceptions.NoPermissionError):
        intruder.redis.execute_command(*command.split())


@pytest.mark.parametrize("user", ["default", "panel", "the other host"])
def test_a_hosts_certificate_and_password_open_no_other_account(
    installed_panel: InstalledPanel, intruder: Intruder, user: str
):
    name = intruder.b.redis_username if user == "the other host" else user
    refused = pytest.raises(redis.exceptions.AuthenticationError)
    with connect(installed_panel, intruder.a, username=name) as connection, refused:
        connection.ping()


def test_a_password_without_a_certificate_of_this_panel_opens_nothing(
    installed_panel: InstalledPanel, intruder: Intruder
):
    without = {"ssl_certfile": None, "ssl_keyfile": None}
    refused = pytest.raises((redis.exceptions.ConnectionError, ssl.SSLError))
    with connect(installed_panel, intruder.a, **without) as connection, refused:
        connection.ping()


def test_a_host_cannot_speak_for_another(intruder: Intruder, audited: Callable[[str], None]):
    lie = Inventory(at=0.0, containers=())
    with pytest.raises(redis.exceptions.NoPermissionError):
        intruder.redis.xadd(keys.events(intruder.b.uid), {"m": intruder.forge(lie)})
    intruder.publish(intruder.forge(lie, sender=keys.recipient(intruder.b.uid)))
    audited("misaddressed")


def test_an_event_of_another_host_that_was_overheard_is_refused(
    intruder: Intruder, audited: Callable[[str], None]
):
    key = intruder.b.load_private_key()
    intruder.publish(intruder.forge(Inventory(at=0.0), key=key))
    audited("altered")


def test_a_replayed_an_unsigned_and_an_expired_event_are_refused(
    intruder: Intruder, audited: Callable[[str], None]
):
    event = intruder.forge(Inventory(at=0.0))
    for _ in range(2):
        intruder.publish(event)
    audited("replayed")
    bare = msgspec.json.decode(event, type=Sealed)
    intruder.publish(msgspec.json.encode(msgspec.structs.replace(bare, s="")).decode())
    audited("unsigned")
    intruder.publish(intruder.forge(Inventory(at=0.0), lifetime=-1.0))
    audited("expired")


def test_a_command_that_a_host_signed_is_refused_by_the_other_host(
    installed_panel: InstalledPanel, intruder: Intruder, client: PanelClient
):
    command = seal(
        ReportAll(operation_id="0" * 32),
        key=intruder.a.load_private_key(),
        kind="control",
        sender=keys.PANEL_RECIPIENT,
        recipient=keys.recipient(intruder.b.uid),
        lifetime=60.0,
    )
    with panel_redis(installed_panel) as admin:
        admin.xadd(keys.control(intruder.b.uid), {"m": command})
    wait_until(lambda: "Refuse command" in client.get("/audit/").text, "the refusal audited")


def test_what_a_host_does_to_its_own_stream_leaves_the_others_heard(
    intruder: Intruder, client: PanelClient
):
    intruder.publish("no message")
    intruder.redis.xadd(keys.events(intruder.a.uid), {"other": "field"})
    intruder.publish(intruder.forge(Heartbeat(at=0.0, load=0.0, memory_used=0, disk_used=0)))
    wait_until(lambda: ">Online<" in client.get(f"/hosts/{intruder.b.uid}/").text, "B online")
