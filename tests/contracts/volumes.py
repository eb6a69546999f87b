"""Contract: volumes, their content, and the optional protocols about them."""

import io
import os
import tarfile
from typing import Any

import pytest

from agents.engines.abilities.volumes import ArchivesVolumes, ManagesVolumes
from agents.engines.specs import MountSpec, VolumeSpec
from agents.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PathEscapeError,
)
from tests.contracts.bench import Bench, unique


def mounted(name: str, **fields: Any) -> tuple[MountSpec, ...]:
    """Return a volume's mount at /data."""
    given = {"kind": "volume", "source": name, "target": "/data", **fields}
    return (MountSpec(**given),)


class VolumeContentContract:
    """Needs an engine whose containers are real programs."""

    def test_what_one_container_writes_the_next_one_reads(self, bench: Bench) -> None:
        bench.need("limits")
        name = unique("v")
        bench.run_to_end("echo kept > /data/file", mounts=mounted(name))
        ended = bench.run_to_end("cat /data/file", mounts=mounted(name))
        assert bench.lines(ended.id) == ["kept"]

    def test_a_new_volume_has_what_the_image_has_there(self, bench: Bench) -> None:
        bench.need("limits")
        here = MountSpec(kind="volume", source=unique("v"), target="/etc")
        ended = bench.run_to_end("test -f /etc/passwd && echo filled", mounts=(here,))
        assert bench.lines(ended.id) == ["filled"]

    def test_with_no_copy_it_stays_empty(self, bench: Bench) -> None:
        bench.need("limits")
        here = MountSpec(kind="volume", source=unique("v"), target="/etc", no_copy=True)
        ended = bench.run_to_end("test -f /etc/passwd || echo empty", mounts=(here,))
        assert bench.lines(ended.id) == ["empty"]

    def test_a_read_only_volume_cannot_be_written(self, bench: Bench) -> None:
        bench.need("limits")
        name = unique("v")
        ended = bench.run_to_end("touch /data/x || echo no", mounts=mounted(name, read_only=True))
        assert "no" in bench.lines(ended.id)

    def test_a_subpath_is_all_that_is_mounted(self, bench: Bench) -> None:
        bench.need("limits")
        name = unique("v")
        script = "mkdir -p /data/a/b; echo deep > /data/a/b/file"
        bench.run_to_end(script, mounts=mounted(name))
        ended = bench.run_to_end("ls /data; cat /data/file", mounts=mounted(name, subpath="a/b"))
        assert bench.lines(ended.id) == ["file", "deep"]

    def test_a_subpath_that_is_not_there_is_told(self, bench: Bench) -> None:
        bench.need("limits")
        made = bench.create(mounts=mounted(unique("v"), subpath="none"))
        with pytest.raises(NotFoundError, match="none"):
            bench.engine.start_container(made.id)
        assert bench.engine.find_container(made.id).state == "created"

    @pytest.mark.parametrize("path", ["..", "a/../..", "/a", "a//b", "./a"])
    def test_a_subpath_that_leads_out_is_refused(self, bench: Bench, path: str) -> None:
        bench.need("limits")
        with pytest.raises(InvalidInputError):
            bench.create(mounts=mounted(unique("v"), subpath=path))

    def test_a_link_in_a_volume_does_not_lead_to_the_host(self, bench: Bench) -> None:
        bench.need("limits")
        name = unique("v")
        bench.run_to_end("ln -s /etc /data/out; ln -s ../../.. /data/up", mounts=mounted(name))
        for path in ("out", "up/etc", "out/ssl"):
            made = bench.create(mounts=mounted(name, subpath=path))
            with pytest.raises((NotFoundError, PathEscapeError)):
                bench.engine.start_container(made.id)

    def test_a_tmpfs_has_its_size_and_mode(self, bench: Bench) -> None:
        bench.need("limits")
        spec = MountSpec(kind="tmpfs", target="/t", tmpfs_size=1 << 20, tmpfs_mode=0o1750)
        script = "stat -c %a /t; head -c 2000000 /dev/zero > /t/x || echo full"
        ended = bench.run_to_end(script, mounts=(spec,))
        assert {"1750", "full"} <= set(bench.lines(ended.id))

    def test_the_options_of_a_volume_are_mounted_while_it_is_used(self, bench: Bench) -> None:
        bench.need("limits")
        name = unique("v")
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
        bench.engine.create_volume(VolumeSpec(name=name, options=options))
        script = "head -c 2000000 /dev/zero > /data/x || echo full"
        ended = bench.run_to_end(script, mounts=mounted(name))
        assert "full" in bench.lines(ended.id)
        again = bench.run_to_end("ls /data", mounts=mounted(name))
        assert bench.lines(again.id) == []


class VolumeManagementContract:
    @pytest.fixture
    def manager(self, bench: Bench) -> ManagesVolumes:
        if not isinstance(bench.engine, ManagesVolumes):
            pytest.skip(f"the {bench.engine.name} engine does not manage volumes")
        return bench.engine

    def test_a_volume_tells_what_it_is_and_who_uses_it(
        self, bench: Bench, manager: ManagesVolumes
    ) -> None:
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,password=secret"}
        spec = VolumeSpec(name=unique("v"), labels={"a": "b"}, options=options)
        record = bench.engine.create_volume(spec)
        container = bench.create(mounts=mounted(spec.name))
        found = manager.inspect_volume(spec.name)
        assert (found.volume, found.used_by, found.anonymous) == (record, (container.name,), False)
        assert found.options["type"] == "tmpfs"
        assert "secret" not in repr(found)
        assert found.created_at > 0

    def test_a_missing_volume_is_not_found(self, manager: ManagesVolumes) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            manager.inspect_volume("nowhere")

    def test_a_volume_with_other_options_is_refused(self, bench: Bench) -> None:
        options = {"type": "tmpfs", "device": "tmpfs"}
        name = unique("v")
        bench.engine.create_volume(VolumeSpec(name=name, options=options))
        with pytest.raises(ConflictError, match=name):
            bench.engine.create_volume(VolumeSpec(name=name, options={**options, "o": "size=1m"}))

    @pytest.mark.parametrize("options", [{"colour": "red"}, {"type": "nfs"}, {"o": "size=1m"}])
    def test_options_that_make_no_sense_are_refused(
        self, bench: Bench, options: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidInputError):
            bench.engine.create_volume(VolumeSpec(name=unique("v"), options=options))

    def test_pruning_spares_what_is_used_and_what_has_a_name(
        self, bench: Bench, manager: ManagesVolumes
    ) -> None:
        mark = {"mark": unique("m")}
        names = [unique("v") for _ in range(3)]
        for number, name in enumerate(names):
            spec = VolumeSpec(name=name, labels=mark, anonymous=number < 2)
            bench.engine.create_volume(spec)
        container = bench.create(mounts=mounted(names[0]))
        assert manager.prune_volumes(labels=mark).names == (names[1],)
        assert manager.prune_volumes(labels=mark, include_named=True).names == (names[2],)
        bench.engine.remove_container(container.id)
        assert manager.prune_volumes(labels=mark).names == (names[0],)
        assert bench.engine.list_volumes(mark) == ()


class VolumeArchiveContract:
    """Needs an engine whose containers are real programs."""

    @pytest.fixture
    def archiver(self, bench: Bench) -> ArchivesVolumes:
        if not isinstance(bench.engine, ArchivesVolumes):
            pytest.skip(f"the {bench.engine.name} engine archives no volumes")
        return bench.engine

    @pytest.mark.parametrize("compress", [False, True])
    def test_a_volume_travels_in_an_archive(
        self, bench: Bench, archiver: ArchivesVolumes, compress: bool
    ) -> None:
        one, other = unique("v"), unique("v")
        script = "cd /data; echo a > f; chmod 640 f; chown 7:8 f; ln f g; ln -s f h; mkfifo p"
        bench.run_to_end(script, mounts=mounted(one))
        written = io.BytesIO()
        archiver.export_volume(one, written.write, compress=compress)
        bench.engine.create_volume(VolumeSpec(name=other))
        archiver.import_volume(other, io.BytesIO(written.getvalue()))
        look = "cd /data; stat -c '%n %a %u:%g %h %F' f g; readlink h; test -p p && cat g"
        ended = bench.run_to_end(look, mounts=mounted(other))
        found = ["f 640 7:8 2 regular file", "g 640 7:8 2 regular file", "f", "a"]
        assert bench.lines(ended.id) == found

    def test_an_archive_replaces_all_or_nothing(
        self, bench: Bench, archiver: ArchivesVolumes
    ) -> None:
        name = unique("v")
        bench.run_to_end("echo old > /data/old", mounts=mounted(name))
        with pytest.raises(PathEscapeError):
            archiver.import_volume(name, io.BytesIO(tar_of("new", "../escaped")))
        with pytest.raises(InvalidInputError):
            archiver.import_volume(name, io.BytesIO(tar_of("new")[:700] + os.urandom(9000)))
        assert self.names(bench, name) == ["old"]
        archiver.import_volume(name, io.BytesIO(tar_of("new")))
        assert self.names(bench, name) == ["new"]

    def test_a_mounted_volume_is_not_replaced(
        self, bench: Bench, archiver: ArchivesVolumes
    ) -> None:
        name = unique("v")
        container = bench.run(mounts=mounted(name))
        with pytest.raises(ConflictError, match=name):
            archiver.import_volume(name, io.BytesIO(tar_of("new")))
        bench.engine.stop_container(container.id)
        archiver.import_volume(name, io.BytesIO(tar_of("new")))
        assert self.names(bench, name) == ["new"]

    def names(self, bench: Bench, name: str) -> list[str]:
        return bench.lines(bench.run_to_end("ls /data", mounts=mounted(name)).id)


def tar_of(*names: str) -> bytes:
    """Return a tar archive of small files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1000
            archive.addfile(info, io.BytesIO(b"x" * 1000))
    return stream.getvalue()
