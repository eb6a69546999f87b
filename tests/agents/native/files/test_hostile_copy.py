"""A container that changes its files while they are copied gets nothing of the host's."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, MountSpec, SecuritySpec
from agents.errors import AgentError, InvalidInputError, PathEscapeError
from tests.contracts.files import fetch, file, folder, pack
from tests.native_engine import NativeHome, native_home
from tests.waiting import wait_until

pytestmark = pytest.mark.root
SECRET = b"the host's own"
ROUNDS = 150


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeHome]:
    with native_home(tmp_path_factory.mktemp("hostile")) as home:
        yield home


@pytest.fixture(params=["", "host"])
def security(request: pytest.FixtureRequest) -> SecuritySpec:
    """With a user namespace of its own, and without."""
    return SecuritySpec(user_namespace=request.param)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the host at a path that the container can name too."""
    path = tmp_path / "secret"
    path.write_bytes(SECRET)
    path.chmod(0o600)
    return path


def run(engine: NativeEngine, script: str, **fields: object) -> str:
    spec = ContainerSpec(
        name="hostile", image="busybox", command=("sh", "-c", script), stop_grace=0.0, **fields
    )
    container = engine.start_container(engine.create_container(spec).id).id
    wait_until(lambda: bool(engine.read_logs(container)), "the container to be ready")
    return container


@pytest.fixture
def engine(home: NativeHome) -> Iterator[NativeEngine]:
    with home.engine() as engine:
        yield engine
        for container in engine.list_containers():
            engine.remove_container(container.id, force=True)


SWAPPING = """
mkdir -p /tmp/a /tmp/b{parent}; echo inside >/tmp/a/secret; echo inside >/tmp/b{path}
echo ready
while :; do
    mv /tmp/a /tmp/c; ln -s {parent} /tmp/a; rm /tmp/a; mv /tmp/c /tmp/a
done
"""


def test_reading_through_a_folder_that_becomes_a_link(
    engine: NativeEngine, secret: Path, security: SecuritySpec
) -> None:
    script = SWAPPING.format(parent=secret.parent, path=secret)
    box = run(engine, script, security=security)
    for path in ("/tmp/a/secret", "/tmp/a", "/tmp/a/."):
        for _ in range(ROUNDS):
            try:
                members = fetch(engine, box, path)
            except AgentError:
                continue
            assert all(SECRET not in content for _, content in members.values())


def test_writing_through_a_folder_that_becomes_a_link(
    engine: NativeEngine, secret: Path, security: SecuritySpec
) -> None:
    script = SWAPPING.format(parent=secret.parent, path=secret)
    box = run(engine, script, security=security)
    before = secret.stat()
    for _ in range(ROUNDS):
        for path, name in (("/tmp/a", "secret"), ("/tmp", "a/secret")):
            try:
                engine.copy_to(box, path, pack(file(name, b"overwritten", mode=0o777)))
            except AgentError:
                continue
    assert secret.read_bytes() == SECRET
    assert list(secret.parent.iterdir()) == [secret]
    after = secret.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)


def test_a_new_entry_that_becomes_a_link_changes_nothing_of_the_hosts(
    engine: NativeEngine, secret: Path, security: SecuritySpec
) -> None:
    script = f"""
    mkdir -p /tmp/d; echo ready
    while :; do rm -rf /tmp/d/*; ln -s {secret} /tmp/d/x; ln -s {secret.parent} /tmp/d/y; done
    """
    box = run(engine, script, security=security)
    before = secret.stat()
    for _ in range(ROUNDS):
        archive = pack(file("x", b"new", mode=0o777, uid=5), folder("y", mode=0o777, uid=5))
        try:
            engine.copy_to(box, "/tmp/d", archive)
        except AgentError:
            continue
    assert secret.read_bytes() == SECRET
    assert (secret.stat().st_mode, secret.stat().st_uid) == (before.st_mode, before.st_uid)
    assert secret.parent.stat().st_uid == 0


@pytest.mark.parametrize("path", ["/proc/1/root/etc/hostname", "/proc/self/root", "/proc/1/cwd/x"])
def test_links_of_proc_are_not_followed(engine: NativeEngine, path: str) -> None:
    box = run(engine, "echo ready; sleep 1000")
    with pytest.raises(AgentError) as caught:
        engine.stat_path(box, path, follow=True)
    assert isinstance(caught.value, PathEscapeError) or "no /proc" in caught.value.message


def test_a_pipe_or_device_is_not_read(engine: NativeEngine) -> None:
    box = run(engine, "mkdir /tmp/d; mkfifo /tmp/d/pipe; echo ready; sleep 1000")
    assert fetch(engine, box, "/tmp/d")["d/pipe"][0].type == tarfile.FIFOTYPE
    assert fetch(engine, box, "/dev/zero")["zero"][0].type == tarfile.CHRTYPE


def test_a_tree_without_bottom_is_refused(engine: NativeEngine) -> None:
    script = "cd /tmp; i=0; while [ $i -lt 400 ]; do mkdir d; cd d; i=$((i+1)); done; echo ready"
    box = run(engine, f"{script}; sleep 1000")
    with pytest.raises(InvalidInputError, match="too deep"):
        engine.copy_from(box, "/tmp/d", io.BytesIO().write)


def test_ids_that_the_container_has_not_are_refused(engine: NativeEngine) -> None:
    box = run(engine, "echo ready; sleep 1000")
    with pytest.raises(InvalidInputError, match="70000"):
        engine.copy_to(box, "/tmp", pack(file("f", uid=70_000)))


def test_owners_are_natural_on_the_disk_of_a_bind(engine: NativeEngine, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    mount = MountSpec(kind="bind", target="/shared", source=str(shared))
    box = run(engine, "echo ready; sleep 1000", mounts=(mount,))
    engine.copy_to(box, "/shared", pack(file("f", b"x", uid=0), file("g", uid=1000)))
    assert [(shared / name).stat().st_uid for name in ("f", "g")] == [0, 1000]
    assert fetch(engine, box, "/shared/g")["g"][0].uid == 1000
