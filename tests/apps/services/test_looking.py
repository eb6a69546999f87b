"""Looks into a container: what the host answers, and what the page makes of it."""

import pytest

from agents.protocol.kernel import (
    CgroupHeld,
    Difference,
    IdRange,
    InterfaceHeld,
    KernelView,
    MountHeld,
    NamespaceHeld,
    PortHeld,
    ProcessHeld,
    RouteHeld,
    ValueHeld,
)
from agents.protocol.records import HealthRecord, HealthResult, ProcessRecord
from apps.operations import control

pytestmark = pytest.mark.redis
SCRIPT = "<script>alert(1)</script>"


def view(**changes) -> KernelView:
    users = (IdRange(inside=0, outside=1_000_000, size=65536),)
    given = {
        "container_id": "a",
        "at": 1.0,
        "process": ProcessHeld(
            pid=4711,
            seccomp="filter",
            no_new_privileges=True,
            capabilities={"effective": ("CHOWN",), "ambient": ()},
            oom_score=1,
            oom_score_adj=0,
        ),
        "namespaces": (NamespaceHeld(kind="net", inode=4026532281),),
        "users": users,
        "groups": users,
        "cgroups": (CgroupHeld(hierarchy="v2", path="/webpanel/a"),),
        "values": (ValueHeld(field="memory", file="memory.max", value="67108864"),),
        "root": MountHeld(target="/", kind="overlay", source="overlay", source_options="lower=x"),
        "layers": ("/layers/one",),
        "interfaces": (
            InterfaceHeld(
                name="eth0",
                index=2,
                addresses=("10.0.0.2/24",),
                host_name="wpv1",
                host_index=9,
                bridge="wpbr",
            ),
        ),
        "routes": (RouteHeld(destination="default", interface="eth0", gateway="10.0.0.1"),),
        "ports": (PortHeld(protocol="tcp", host_port=8080, address="10.0.0.2", port=80),),
        **changes,
    }
    return KernelView(**given)


def process(**changes) -> ProcessRecord:
    given = {
        "pid": 1,
        "host_pid": 4711,
        "parent_pid": 0,
        "user": "root",
        "state": "S",
        "threads": 1,
        "memory": 4096,
        "cpu_time": 3725.5,
        "cpu_percent": 1.0,
        "started_at": 1.0,
        "terminal": "",
        "command": "httpd -f",
        **changes,
    }
    return ProcessRecord(**given)


@pytest.fixture
def fetch(cast, running):
    """Fetch the content of a tab as its page does."""

    def get(what: str, user=None) -> str:
        client = cast.client(user or cast.viewer)
        path = f"/containers/{cast.host.uid}/{running}/{what}/"
        answer = client.get(path, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return answer.text

    return get


def test_a_viewer_sees_what_runs(host, fetch, running):
    host.finds(processes=(process(),))
    text = fetch("processes")
    assert "httpd -f" in text
    assert "1:02:05.5" in text
    assert "sleeping" in text
    assert [(one.container_id, one.what) for one in host.looked] == [(running, "processes")]


def test_a_viewer_sees_the_last_checks_with_the_newest_first(host, fetch):
    good = HealthResult(started_at=1.0, finished_at=1.25, exit_code=0, output="fine")
    late = HealthResult(started_at=2.0, finished_at=5.0, exit_code=-1, output="hello")
    host.finds(health=HealthRecord(state="unhealthy", failures=1, results=(good, late)))
    text = fetch("health")
    assert text.index("Timed out") < text.index("Passed")
    assert "250 ms" in text
    assert "1 failed check in a row" in text


def test_a_container_without_checks_says_so(host, fetch):
    host.finds(health=HealthRecord())
    assert "Nobody checks the health of this container" in fetch("health")


def test_what_the_kernel_holds_is_on_the_page(host, fetch):
    host.finds(kernel=view())
    text = fetch("kernel")
    for word in ("4026532281", "1000000", "/webpanel/a", "67108864", "/layers/one", "lower=x"):
        assert word in text
    for word in ("wpv1", "#9", "wpbr", "10.0.0.2/24", "10.0.0.1", "*:8080/tcp", "CHOWN"):
        assert word in text
    assert "The kernel has what was recorded" in text


def test_differences_come_first_and_as_a_warning(host, fetch):
    one = Difference(subject="limits.memory", recorded="67108864", found="")
    host.finds(kernel=view(differences=(one,)))
    text = fetch("kernel")
    assert text.index("something else than was recorded") < text.index("Namespaces")
    assert "limits.memory" in text
    assert "not there" in text


def test_nothing_that_a_host_answers_becomes_markup(host, fetch):
    host.finds(processes=(process(command=SCRIPT, started_at=1e300, cpu_time=1e300),))
    assert SCRIPT not in fetch("processes")
    bad = HealthResult(started_at=1e300, finished_at=-1e300, exit_code=7, output=SCRIPT)
    host.finds(health=HealthRecord(state="healthy", results=(bad,)))
    assert SCRIPT not in fetch("health")
    difference = Difference(subject=SCRIPT, recorded=SCRIPT, found=SCRIPT)
    host.finds(kernel=view(layers=(SCRIPT,), differences=(difference,)))
    assert SCRIPT not in fetch("kernel")


def test_what_the_host_cannot_tell_is_a_warning(host, fetch):
    host.finds(error="the container shop-web-1 does not run")
    assert "The container shop-web-1 does not run" in fetch("kernel")


def test_an_answer_that_is_none_is_a_warning(host, fetch):
    host.findings = b'{"at": "never"}'
    assert "cannot be read" in fetch("kernel")


def test_a_host_that_does_not_answer_is_waited_for_a_moment_only(host, fetch, monkeypatch):
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.2)
    host.answering = False
    assert "does not answer" in fetch("processes")


def test_an_offline_host_is_said_to_be_and_not_asked(cast, host, fetch):
    cast.host.state = "offline"
    cast.host.save()
    assert "is offline" in fetch("kernel")
    assert host.looked == ()


@pytest.mark.parametrize("what", ["processes", "health", "kernel"])
def test_the_page_itself_comes_without_asking_the_host(cast, host, running, what):
    page = cast.client(cast.viewer).get(f"/containers/{cast.host.uid}/{running}/{what}/")
    assert page.status_code == 200
    assert 'aria-current="page"' in page.text
    assert host.looked == ()


@pytest.mark.parametrize("what", ["processes", "health", "kernel"])
def test_a_stranger_finds_nothing(cast, host, running, what):
    path = f"/containers/{cast.host.uid}/{running}/{what}/"
    assert cast.client(cast.stranger).get(path, headers={"HX-Request": "1"}).status_code == 404
    assert host.looked == ()


def test_an_answer_without_what_was_asked_for_can_be_shown(host, fetch):
    host.finds()
    for what in ("processes", "health", "kernel"):
        assert "did not say" in fetch(what)
