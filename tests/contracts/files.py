"""Contract of the optional protocol ``CopiesFiles``."""

import gzip
import io
import stat
import tarfile
from typing import Any

import pytest

from agents.engines.abilities.files import CopiesFiles
from agents.engines.specs import MountSpec, VolumeSpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError, PathEscapeError
from tests.contracts.bench import OBEDIENT, Bench, unique

READY = "echo ready"


class FileContract:
    @pytest.fixture
    def files(self, bench: Bench) -> CopiesFiles:
        if not isinstance(bench.engine, CopiesFiles):
            pytest.skip(f"the {bench.engine.name} engine copies no files")
        return bench.engine

    @pytest.fixture(params=["running", "stopped", "new"])
    def box(self, request: pytest.FixtureRequest, bench: Bench) -> str:
        """A container in one of the states that files can be copied in."""
        if request.param == "new":
            return bench.create().id
        container = bench.run()
        if request.param == "stopped":
            bench.engine.stop_container(container.id, grace=0.0)
        return container.id

    def test_what_is_copied_in_can_be_copied_out(self, box: str, files: CopiesFiles) -> None:
        files.copy_to(box, "/tmp", pack(folder("d", mode=0o750), file("d/f", b"hello", uid=7)))
        members = fetch(files, box, "/tmp/d")
        assert list(members) == ["d", "d/f"]
        assert members["d/f"][1] == b"hello"
        assert (members["d/f"][0].uid, members["d"][0].mode) == (7, 0o750)

    def test_a_path_is_described(self, box: str, files: CopiesFiles) -> None:
        files.copy_to(box, "/tmp", pack(file("f", b"hello", uid=3, gid=4), link("l", "f")))
        found = files.stat_path(box, "/tmp/f")
        assert (found.name, found.kind, found.size) == ("f", "file", 5)
        assert (found.uid, found.gid, stat.S_IMODE(found.mode)) == (3, 4, 0o640)
        assert found.modified_at == 1_000_000
        as_link = files.stat_path(box, "/tmp/l")
        assert (as_link.kind, as_link.link_target) == ("link", "f")
        assert files.stat_path(box, "/tmp/l", follow=True).kind == "file"

    def test_what_is_not_there_is_told(self, box: str, files: CopiesFiles) -> None:
        with pytest.raises(NotFoundError, match="nothere"):
            files.stat_path(box, "/nothere")
        with pytest.raises(NotFoundError, match="nothere"):
            files.copy_to(box, "/nothere", pack(file("f")))
        with pytest.raises(InvalidInputError, match="no folder"):
            files.copy_to(box, "/etc/passwd", pack(file("f")))

    def test_the_content_of_a_folder_has_no_name_of_its_own(
        self, box: str, files: CopiesFiles
    ) -> None:
        files.copy_to(box, "/tmp", pack(file("d/f")))
        assert list(fetch(files, box, "/tmp/d/.")) == [".", "./f"]

    def test_links_never_lead_out(self, box: str, files: CopiesFiles) -> None:
        files.copy_to(box, "/tmp", pack(link("up", "../../../../etc"), link("abs", "/etc")))
        for name in ("up", "abs"):
            assert "passwd" in fetch(files, box, f"/tmp/{name}/passwd")
            files.copy_to(box, f"/tmp/{name}", pack(file(f"new-{name}")))
            assert files.stat_path(box, f"/etc/new-{name}").kind == "file"

    @pytest.mark.parametrize("name", ["../f", "/f", "d/../../f"])
    def test_a_members_name_never_leads_out(
        self, bench: Bench, files: CopiesFiles, name: str
    ) -> None:
        with pytest.raises(PathEscapeError):
            files.copy_to(bench.run().id, "/tmp", pack(file(name)))

    def test_a_member_goes_through_no_link(self, bench: Bench, files: CopiesFiles) -> None:
        with pytest.raises(PathEscapeError):
            files.copy_to(bench.run().id, "/tmp", pack(link("l", "/etc"), file("l/f")))

    def test_kinds_are_kept_and_hard_links_are_one_file(self, box: str, files: CopiesFiles) -> None:
        files.copy_to(
            box,
            "/tmp",
            pack(file("d/f", b"x"), hard_link("d/g", "d/f"), fifo("d/p"), link("d/l", "f")),
        )
        kinds = {name: one[0].type for name, one in fetch(files, box, "/tmp/d").items()}
        assert kinds == {
            "d": tarfile.DIRTYPE,
            "d/f": tarfile.REGTYPE,
            "d/g": tarfile.LNKTYPE,
            "d/l": tarfile.SYMTYPE,
            "d/p": tarfile.FIFOTYPE,
        }

    def test_kinds_are_replaced_only_if_that_is_allowed(self, box: str, files: CopiesFiles) -> None:
        files.copy_to(box, "/tmp", pack(file("d/f")))
        with pytest.raises(ConflictError, match="another kind"):
            files.copy_to(box, "/tmp", pack(file("d", b"x")), replace=False)
        files.copy_to(box, "/tmp", pack(file("d", b"x")))
        assert files.stat_path(box, "/tmp/d").kind == "file"
        files.copy_to(box, "/tmp", pack(file("d", b"longer")), replace=False)
        assert files.stat_path(box, "/tmp/d").size == 6

    def test_an_archive_may_be_compressed(self, bench: Bench, files: CopiesFiles) -> None:
        box = bench.run().id
        packed = gzip.compress(pack(file("f", b"hi")).read())
        files.copy_to(box, "/tmp", io.BytesIO(packed))
        assert fetch(files, box, "/tmp/f")["f"][1] == b"hi"

    def test_a_damaged_archive_is_told(self, bench: Bench, files: CopiesFiles) -> None:
        whole = pack(file("f", b"x" * 5000)).read()
        for text in (b"no archive at all" * 100, whole[:2000]):
            with pytest.raises(InvalidInputError):
                files.copy_to(bench.run().id, "/tmp", io.BytesIO(text))

    def test_the_program_owns_what_it_is_given(self, bench: Bench, files: CopiesFiles) -> None:
        script = f"{READY}; read x; stat -c '%u %g %a %n' /tmp/f /tmp/d /tmp/d/g; cat /tmp/d/g"
        container = bench.run(script, user="1:1", open_stdin=True)
        archive = pack(file("f", uid=0), folder("d", uid=1, gid=1), file("d/g", b"mine", uid=1))
        files.copy_to(container.id, "/tmp", archive)
        with bench.engine.attach_container(container.id, stdin=True) as session:  # type: ignore[attr-defined]
            session.write(b"\n")
            session.wait(10.0)
        lines = bench.lines(container.id)
        assert lines == ["ready", "0 0 640 /tmp/f", "1 1 755 /tmp/d", "1 0 640 /tmp/d/g", "mine"]

    def test_all_may_be_given_to_the_containers_user(
        self, bench: Bench, files: CopiesFiles
    ) -> None:
        box = bench.run(user="5:6").id
        files.copy_to(box, "/tmp", pack(file("d/f", uid=99)), owner="user")
        for path in ("/tmp/d", "/tmp/d/f"):
            found = files.stat_path(box, path)
            assert (found.uid, found.gid) == (5, 6)

    @pytest.mark.parametrize("state", ["running", "stopped"])
    def test_volumes_are_the_containers_files_too(
        self, bench: Bench, files: CopiesFiles, state: str
    ) -> None:
        mount = MountSpec(kind="volume", target="/data/v", source=unique("v"))
        bench.engine.create_volume(VolumeSpec(name=mount.source))
        box = bench.run(OBEDIENT, mounts=(mount,)).id
        if state == "stopped":
            bench.engine.stop_container(box, grace=0.0)
        files.copy_to(box, "/data/v", pack(file("f", b"kept", uid=9)))
        other = bench.run_to_end(
            "stat -c %u /v/f; cat /v/f",
            mounts=(MountSpec(kind="volume", target="/v", source=mount.source),),
        )
        assert bench.lines(other.id) == ["9", "kept"]
        assert fetch(files, box, "/data/v/f")["f"][1] == b"kept"

    def test_what_is_copied_in_before_a_start_is_there_then(
        self, bench: Bench, files: CopiesFiles
    ) -> None:
        box = bench.create("stat -c %u:%a /etc/f /tmp/d; cat /etc/f").id
        files.copy_to(box, "/", pack(file("etc/f", b"text", uid=2), folder("tmp/d", mode=0o700)))
        bench.engine.start_container(box)
        bench.engine.wait_container(box, timeout=10.0)
        assert bench.lines(box) == ["2:640", "0:700", "text"]

    def test_who_takes_the_archive_may_stop_it(self, bench: Bench, files: CopiesFiles) -> None:
        def refuse(_: bytes) -> None:
            raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            files.copy_from(bench.run().id, "/etc", refuse)

    def test_what_grows_while_it_is_read_does_not_break_the_archive(
        self, bench: Bench, files: CopiesFiles
    ) -> None:
        script = f"echo 1 >/tmp/log; {READY}; while :; do echo more >>/tmp/log; done"
        box = bench.run(script, stop_grace=0.0).id
        bench.wait_for_line(box, "ready")
        for _ in range(5):
            assert "log" in fetch(files, box, "/tmp/log")


Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, kind: bytes, content: bytes = b"", **fields: Any) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, len(content), 1_000_000
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def file(name: str, content: bytes = b"", **fields: Any) -> Member:
    return member(name, tarfile.REGTYPE, content, **{"mode": 0o640, **fields})


def folder(name: str, **fields: Any) -> Member:
    return member(name, tarfile.DIRTYPE, **{"mode": 0o755, **fields})


def link(name: str, target: str) -> Member:
    return member(name, tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> Member:
    return member(name, tarfile.LNKTYPE, linkname=target)


def fifo(name: str) -> Member:
    return member(name, tarfile.FIFOTYPE, mode=0o600)


def pack(*members: Member) -> io.BytesIO:
    """Return a tar archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    archive.seek(0)
    return archive


def fetch(files: CopiesFiles, box: str, path: str) -> dict[str, Member]:
    """Copy a path out, and return what the archive holds by name."""
    archive = io.BytesIO()
    files.copy_from(box, path, archive.write)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {
            info.name: (info, file.read() if (file := tar.extractfile(info)) else b"")
            if info.isreg()
            else (info, b"")
            for info in tar
        }
