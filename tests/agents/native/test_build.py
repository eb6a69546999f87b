"""Images are built from Dockerfiles, step by step."""

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agents.engines.native import runtime
from agents.engines.native.containers import isolation
from agents.errors import BuildError, CancelledError, NotSupportedError
from tests.agents.native.building import Workshop, workshop, write_archive
from tests.agents.native.image_files import needs_root

pytestmark = [pytest.mark.root, needs_root]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    try:
        runtime.runtime_path()
        with workshop(tmp_path) as made:
            yield made
            assert made.leftovers() == []
    except NotSupportedError as exc:
        pytest.skip(exc.message)


def test_a_command_runs_and_its_changes_are_kept(shop: Workshop) -> None:
    image = shop.build("FROM busybox\nRUN echo made > /made && rm /etc/group\n")
    assert shop.read(image, "made") == "made\n"
    assert (image.layers[-1] / "etc/group").lstat().st_rdev == 0
    assert image.references == ("built:latest",)
    assert len(image.layers) == 2


def test_what_a_command_writes_is_shown_with_the_steps(shop: Workshop) -> None:
    shop.build('FROM busybox\nRUN echo out; echo err >&2; printf unfinished\nCMD ["x"]\n')
    assert shop.lines[0:2] == [
        "Step 1/3 : FROM busybox",
        "Step 2/3 : RUN echo out; echo err >&2; printf unfinished",
    ]
    assert {"out", "err", "unfinished"} <= set(shop.lines)
    assert shop.lines[-1] == "Successfully tagged built"


def test_output_arrives_while_the_command_runs(shop: Workshop) -> None:
    with pytest.raises(CancelledError):
        shop.build(
            "FROM busybox\nRUN echo first; sleep 60\n", cancelled=lambda: "first" in shop.lines
        )


def test_the_command_runs_in_namespaces_of_its_own(shop: Workshop) -> None:
    names = ("mnt", "pid", "ipc", "uts", "cgroup", "net")
    reads = "; ".join(f"readlink /proc/self/ns/{name}" for name in names)
    shop.build(f"FROM busybox\nRUN {reads}\n")
    own = {str(Path(f"/proc/self/ns/{name}").readlink()) for name in names}
    assert not own & set(shop.lines)
    shop.build(f"FROM busybox\nRUN --network=host {reads}\n")
    host = {str(Path(f"/proc/self/ns/{name}").readlink()) for name in ("net", "user")}
    assert own & set(shop.lines) == host - {str(Path("/proc/self/ns/user").readlink())}


def test_root_of_a_command_is_nobody_on_the_host(shop: Workshop) -> None:
    if isolation.obstacle(shop.root):
        pytest.skip(f"no user namespaces here: {isolation.obstacle(shop.root)}")
    script = "cat /proc/self/uid_map; touch /a; chown 33 /a; rm /bin/ls"
    image = shop.build(f"FROM busybox\nRUN {script}\n")
    first = next(line.split() for line in shop.lines if line.split()[0] == "0")
    assert int(first[1]) >= isolation.FIRST
    assert (image.layers[-1] / "a").stat().st_uid == 33


def test_a_command_does_not_reach_what_listens_on_the_host_alone(shop: Workshop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        port = server.getsockname()[1]
        ask = f"nc -w 2 127.0.0.1 {port} </dev/null && echo reached || echo refused"
        shop.build(f"FROM busybox\nRUN {ask}\n")
        assert "refused" in shop.lines
        pool.submit(lambda: server.accept()[0].close())
        shop.build(f"FROM busybox\nRUN --network=host {ask}\n")
        assert "reached" in shop.lines


def test_the_command_cannot_change_the_hosts_files(shop: Workshop) -> None:
    before = Path("/etc/hosts").read_bytes()
    image = shop.build("FROM busybox\nRUN echo 1.2.3.4 evil >> /etc/hosts; touch /a\n")
    assert Path("/etc/hosts").read_bytes() == before
    assert [path.name for path in image.layers[-1].iterdir()] == ["a"]


def test_settings_reach_the_image_and_the_commands(shop: Workshop) -> None:
    image = shop.build(
        "FROM busybox\n"
        "ARG NAME=nobody\n"
        'ENV GREETING="hello $NAME" PATH=$PATH:/x\n'
        "WORKDIR /a\nWORKDIR b\n"
        "RUN echo $GREETING in $PWD > said\n"
        "USER www-data\nEXPOSE 80 53/udp 8000-8001\nVOLUME /data /more\n"
        "LABEL a=b c='d e'\nSTOPSIGNAL SIGUSR1\n"
        "HEALTHCHECK --interval=1m30s --retries=3 CMD true\n"
        'ENTRYPOINT ["/bin/sh"]\nCMD echo $HOME\n',
        arguments={"NAME": "world"},
        labels={"built": "here"},
    )
    assert shop.read(image, "a/b/said") == "hello world in /a/b\n"
    config = image.config
    assert "GREETING=hello world" in config.env
    assert config.exposed_ports == ("53/udp", "80/tcp", "8000/tcp", "8001/tcp")
    assert (config.working_dir, config.user) == ("/a/b", "www-data")
    assert config.volumes == ("/data", "/more")
    assert config.labels == {"a": "b", "c": "d e", "built": "here"}
    assert (config.entrypoint, config.cmd) == (("/bin/sh",), ("/bin/sh", "-c", "echo $HOME"))
    assert config.stop_signal == "SIGUSR1"
    assert config.healthcheck is not None
    assert (config.healthcheck.interval, config.healthcheck.retries) == (90 * 10**9, 3)


def test_the_platform_is_known_without_being_given(shop: Workshop) -> None:
    shop.build(
        "FROM busybox AS for-linux\nARG TARGETOS\nRUN echo on $TARGETOS\nFROM for-$TARGETOS\n"
    )
    assert "on linux" in shop.lines


def test_a_command_runs_as_the_user(shop: Workshop) -> None:
    shop.build("FROM busybox\nUSER www-data\nRUN id -u; echo $HOME\n")
    assert {"33", "/var/www"} <= set(shop.lines)


def test_stages_copy_from_each_other_and_unneeded_ones_are_left_out(shop: Workshop) -> None:
    image = shop.build(
        "FROM busybox AS maker\nRUN echo made > /made\n"
        "FROM busybox AS unused\nRUN false\n"
        "FROM scratch\nCOPY --from=maker /made /x/\nCOPY --from=busybox /bin/busybox /t\n"
    )
    assert shop.read(image, "x/made") == "made\n"
    assert (image.layers[-1] / "t").is_file()
    assert image.config.cmd is None


def test_a_target_stops_at_its_stage(shop: Workshop) -> None:
    image = shop.build("FROM busybox AS one\nENV A=1\nFROM busybox\nRUN false\n", target="one")
    assert "A=1" in image.config.env


def test_files_are_copied_with_owner_and_mode(shop: Workshop) -> None:
    os.chown(shop.put("a.txt", "a"), 5, 5)
    image = shop.build(
        "FROM busybox\nCOPY a.txt /plain\nCOPY --chown=www-data:daemon --chmod=4750 a.txt /own/\n"
    )
    plain, own = (image.layers[-2] / "plain").stat(), (image.layers[-1] / "own/a.txt").stat()
    assert (plain.st_uid, plain.st_gid) == (0, 0)
    assert (own.st_uid, own.st_gid, own.st_mode & 0o7777) == (33, 1, 0o4750)


def test_a_source_outside_of_the_context_cannot_be_copied(shop: Workshop) -> None:
    (shop.root / "secret").write_text("secret")
    (shop.context / "link").symlink_to("../secret")
    (shop.context / "etc").symlink_to("/etc")
    for source in ("../secret", "link", "etc/passwd", "/etc/passwd", "*/passwd"):
        with pytest.raises(BuildError, match="not in the build context|Too many symbolic links"):
            shop.build(f"FROM scratch\nCOPY {source} /\n")


def test_a_copy_follows_the_links_of_the_image_inside_of_it(shop: Workshop) -> None:
    shop.put("a.txt", "a")
    image = shop.build(
        "FROM busybox\nRUN ln -s /var /there && ln -s ../../../../tmp /up\n"
        "COPY a.txt /there/\nCOPY a.txt /up/\n"
    )
    assert shop.read(image, "var/a.txt") == "a"
    assert shop.read(image, "tmp/a.txt") == "a"


def test_add_unpacks_archives_and_copy_does_not(shop: Workshop) -> None:
    write_archive(shop.context / "x.tar.gz", {"in/side": "1"})
    image = shop.build("FROM scratch\nADD x.tar.gz /added\nCOPY x.tar.gz /copied/\n")
    assert shop.read(image, "added/in/side") == "1"
    assert (image.layers[-1] / "copied/x.tar.gz").is_file()


def test_here_documents_are_run_and_copied(shop: Workshop) -> None:
    image = shop.build(
        "FROM busybox\nENV A=1\nCOPY <<one <<'two' /d/\nA is $A\none\nA is $A\ntwo\n"
        "RUN <<EOF\ncd /d\ncat one two > three\nEOF\n"
    )
    assert shop.read(image, "d/three") == "A is 1\nA is $A\n"


def test_the_triggers_of_a_base_run_once(shop: Workshop) -> None:
    shop.build("FROM busybox\nONBUILD RUN echo triggered > /t\n", references=("base:1",))
    image = shop.build("FROM base:1\n")
    assert shop.read(image, "t") == "triggered\n"
    again = shop.build("FROM built\nRUN touch /u\n")
    assert len(again.layers) == 3


def test_cancelling_kills_the_command_and_leaves_nothing(shop: Workshop) -> None:
    reached = threading.Event()

    def cancelled() -> bool:
        if any("running" in line for line in shop.lines[2:]):
            reached.set()
        return reached.is_set()

    with pytest.raises(CancelledError):
        shop.build("FROM busybox\nRUN echo running; exec sleep 1000\n", cancelled=cancelled)
    assert len(shop.store.list()) == 1


def test_the_agents_umask_does_not_reach_the_image(shop: Workshop) -> None:
    shop.put("a", "1").chmod(0o644)
    before = os.umask(0o077)
    try:
        image = shop.build(
            "FROM scratch\nCOPY --from=busybox /bin /bin\nWORKDIR /w/x\n"
            "COPY a /d/e/\nRUN echo 1 > /r; stat -c %a /etc\n"
        )
    finally:
        os.umask(before)
    places = [(layer / name) for layer in image.layers for name in ("w", "w/x", "d", "d/e", "r")]
    modes = [oct(path.stat().st_mode & 0o777) for path in places if path.exists()]
    assert modes == ["0o755"] * 4 + ["0o644"]
    assert "755" in shop.lines


def test_a_silent_command_can_be_cancelled(shop: Workshop) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 10

    with pytest.raises(CancelledError):
        shop.build("FROM busybox\nRUN exec >&- 2>&-; exec sleep 1000\n", cancelled=cancelled)


def test_a_failing_build_leaves_the_old_image_its_name(shop: Workshop) -> None:
    old = shop.build("FROM busybox\nENV A=1\n")
    with pytest.raises(BuildError):
        shop.build("FROM busybox\nENV A=2\nRUN false\n")
    assert shop.store.find("built").id == old.id
