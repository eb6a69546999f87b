"""Contract of the optional protocols ``ArchivesImages`` and ``ReadsChanges``."""

import gzip
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from agents.engines.abilities.images import ArchivesImages, KeepsImages, ReadsChanges
from agents.errors import InvalidInputError, NotFoundError
from tests.contracts.bench import FOREVER, Bench, unique

CHANGE = (
    "echo new > /etc/added; rm /etc/group; echo more >> /etc/passwd; mkdir /srv; ln -s x /srv/l"
)


class ArchivingContract:
    @pytest.fixture
    def archiver(self, bench: Bench) -> ArchivesImages:
        if not isinstance(bench.engine, ArchivesImages):
            pytest.skip(f"the {bench.engine.name} engine writes no archives of images")
        return bench.engine

    @pytest.mark.parametrize("form", ["docker", "oci"])
    def test_a_saved_image_is_the_same_when_loaded(
        self, bench: Bench, archiver: ArchivesImages, tmp_path: Path, form: str
    ) -> None:
        name = f"{unique('saved')}:1"
        made = archiver.import_rootfs(bench.archive, name)
        data = save(archiver, [name], form)
        bench.engine.remove_image(name)
        (tmp_path / "saved.tar").write_bytes(data)
        assert archiver.load_images(tmp_path / "saved.tar") == (made,)
        assert save(archiver, [name], form) == data

    def test_an_archive_may_hold_several_images_and_be_gzipped(
        self, bench: Bench, archiver: ArchivesImages, tmp_path: Path
    ) -> None:
        names = [f"{unique('one')}:1", f"{unique('two')}:2"]
        made = [
            archiver.import_rootfs(bench.archive, name, changes=[f"LABEL n={name}"])
            for name in names
        ]
        path = tmp_path / "both.tar.gz"
        path.write_bytes(gzip.compress(save(archiver, names), 1))
        for name in names:
            bench.engine.remove_image(name)
        loaded = archiver.load_images(path)
        assert sorted(one.id for one in loaded) == sorted(one.id for one in made)
        assert {name for one in loaded for name in one.references} == set(names)

    def test_docker_finds_its_manifest_and_oci_tools_their_index(
        self, bench: Bench, archiver: ArchivesImages
    ) -> None:
        with tarfile.open(fileobj=io.BytesIO(save(archiver, [bench.image]))) as tar:
            entry = json.load(tar.extractfile("manifest.json"))[0]
            index = json.load(tar.extractfile("index.json"))
            assert set(entry["Layers"]) <= set(tar.getnames())
            assert json.load(tar.extractfile("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        assert any(tag.startswith(bench.image) for tag in entry["RepoTags"])
        assert len(index["manifests"]) == 1

    def test_what_is_no_image_is_not_loaded(
        self, bench: Bench, archiver: ArchivesImages, tmp_path: Path
    ) -> None:
        with pytest.raises(InvalidInputError):
            archiver.load_images(bench.archive)
        with pytest.raises(NotFoundError):
            archiver.load_images(tmp_path / "none.tar")
        with pytest.raises(NotFoundError):
            archiver.save_images(["nowhere:1"], io.BytesIO())

    def test_a_root_file_system_gets_a_configuration(
        self, bench: Bench, archiver: ArchivesImages
    ) -> None:
        name = f"{unique('rootfs')}:1"
        changes = ['CMD ["sh", "-c", "echo $GREETING"]', "ENV GREETING=hello", "WORKDIR /tmp"]
        archiver.import_rootfs(bench.archive, name, changes=changes, message="by hand")
        assert isinstance(bench.engine, KeepsImages)
        assert bench.engine.image_history(name)[0].comment == "by hand"
        assert bench.engine.inspect_image(name).working_dir == "/tmp"
        spec = bench.spec(image=name)
        container = bench.engine.create_container(replace(spec, command=None))
        bench.engine.start_container(container.id)
        bench.engine.wait_container(container.id, timeout=20.0)
        assert bench.lines(container.id) == ["hello"]

    def test_the_root_folder_itself_is_as_in_the_image(
        self, bench: Bench, archiver: ArchivesImages, tmp_path: Path
    ) -> None:
        name, path = f"{unique('root')}:1", tmp_path / "rootfs.tar"
        root = tarfile.TarInfo("./")
        root.type, root.mode, root.uid = tarfile.DIRTYPE, 0o751, 33
        path.write_bytes(root.tobuf() + bench.archive.read_bytes())
        archiver.import_rootfs(path, name)
        container = bench.run_to_end("stat -c '%a %u' /; exit", image=name)
        assert bench.lines(container.id) == ["751 33"]

    @pytest.mark.parametrize("change", ["RUN true", "COPY a b", "CMDD x", "EXPOSE many"])
    def test_a_change_that_is_none_is_refused(
        self, bench: Bench, archiver: ArchivesImages, change: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            archiver.import_rootfs(bench.archive, f"{unique('bad')}:1", changes=[change])
        assert caught.value.field == "changes"


class ChangesContract:
    @pytest.fixture
    def reader(self, bench: Bench) -> ReadsChanges:
        if not isinstance(bench.engine, ReadsChanges):
            pytest.skip(f"the {bench.engine.name} engine does not read what containers change")
        return bench.engine

    def test_nothing_differs_at_first(self, bench: Bench, reader: ReadsChanges) -> None:
        assert reader.diff_container(bench.create().id) == ()
        assert reader.diff_container(bench.run_to_end("exit 0").id) == ()

    def test_changes_are_told_by_kind(self, bench: Bench, reader: ReadsChanges) -> None:
        container = bench.run_to_end(CHANGE)
        assert [(one.path, one.kind) for one in reader.diff_container(container.id)] == [
            ("/etc", "changed"),
            ("/etc/added", "added"),
            ("/etc/group", "deleted"),
            ("/etc/passwd", "changed"),
            ("/srv", "added"),
            ("/srv/l", "added"),
        ]

    def test_an_export_holds_the_files_as_the_container_sees_them(
        self, bench: Bench, reader: ReadsChanges
    ) -> None:
        container = bench.run(f"{CHANGE}; chown 33 /etc/added; echo ready; {FOREVER}")
        bench.wait_for_line(container.id, "ready")
        out = io.BytesIO()
        reader.export_container(container.id, out)
        with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as tar:
            names = set(tar.getnames())
            assert tar.getmember("etc/added").uid == 33
            assert tar.getmember("etc/passwd").uid == 0
            assert tar.extractfile("etc/passwd").read().endswith(b"more\n")
        assert "bin/sh" in names
        assert "etc/group" not in names

    def test_a_commit_is_an_image_with_one_more_layer(
        self, bench: Bench, reader: ReadsChanges
    ) -> None:
        name = f"{unique('commit')}:1"
        container = bench.run(f"{CHANGE}; chown 33 /etc/added; echo ready; {FOREVER}")
        bench.wait_for_line(container.id, "ready")
        image = reader.commit_container(
            container.id, name, message="why", author="me", changes=["ENV A=b"]
        )
        assert bench.engine.find_container(container.id).state == "running"
        assert image.references == (name,)
        assert isinstance(bench.engine, KeepsImages)
        details = bench.engine.inspect_image(name)
        assert (details.author, details.comment) == ("me", "why")
        before = bench.engine.inspect_image(bench.image)
        assert [one.diff_id for one in details.layers[:-1]] == [
            one.diff_id for one in before.layers
        ]
        script = "stat -c %u /etc/added; cat /etc/added; ls /etc/group || echo gone; echo $A"
        lines = bench.lines(bench.run_to_end(script, image=name).id)
        assert [line for line in lines if "ls:" not in line] == ["33", "new", "gone", "b"]

    def test_nobody_is_not_found(self, bench: Bench, reader: ReadsChanges) -> None:
        for act in (reader.diff_container, reader.commit_container):
            with pytest.raises(NotFoundError):
                act("nobody")
        with pytest.raises(NotFoundError):
            reader.export_container("nobody", io.BytesIO())


def save(archiver: ArchivesImages, names: list[str], form: str = "docker") -> bytes:
    out = io.BytesIO()
    archiver.save_images(names, out, form)
    return out.getvalue()
