"""What a commit keeps besides the contents of files."""

import io

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec
from agents.protocol.records import ContainerRecord, ImageRecord
from tests.contracts.bench import unique
from tests.native_engine import run_here

pytestmark = pytest.mark.root

SIZE = 64 << 20


@pytest.fixture
def image(engine: NativeEngine) -> ImageRecord:
    script = f"chmod 711 /; chown 5:6 /; echo begin >/holes; truncate -s {SIZE} /holes"
    container = run_here(engine, script)
    assert engine.wait_container(container.id, timeout=20.0) == 0
    return engine.commit_container(container.id, f"{unique('commit')}:1")


def run(engine: NativeEngine, image: str, script: str) -> list[str]:
    spec = ContainerSpec(name=unique("c"), image=image, command=("sh", "-c", script))
    container: ContainerRecord = engine.start_container(engine.create_container(spec).id)
    engine.wait_container(container.id, timeout=20.0)
    return [line.text for line in engine.read_logs(container.id)]


def test_owner_and_mode_of_the_root_folder_are_kept(
    engine: NativeEngine, image: ImageRecord
) -> None:
    assert run(engine, image.id, "stat -c '%a %u:%g' /") == ["711 5:6"]


def test_holes_take_no_place_on_the_disk(engine: NativeEngine, image: ImageRecord) -> None:
    seen = run(engine, image.id, "head -n 1 /holes; stat -c %s /holes; du -k /holes | cut -f1")
    assert seen[:2] == ["begin", str(SIZE)]
    assert int(seen[2]) < 4096
    out = io.BytesIO()
    engine.save_images([image.references[0]], out)
    assert len(out.getvalue()) > SIZE
