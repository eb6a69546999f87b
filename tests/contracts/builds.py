"""Contract of the optional protocol ``Builds``."""

from pathlib import Path

import pytest

from agents.engines.base import Builds
from agents.engines.specs import BuildSpec
from agents.errors import BuildError, CancelledError, NotFoundError
from tests.contracts.bench import Bench, unique


class BuildContract:
    def test_a_built_image_runs(self, bench: Bench, builder: Builds, tmp_path: Path) -> None:
        name, lines = f"{unique('built')}:1", []
        spec = write(tmp_path, name, f'FROM {bench.image}\nCMD ["sh", "-c", "echo hi"]\n')
        image = builder.build_image(spec, lines.append)
        assert name in image.references
        assert bench.engine.find_image(name).id == image.id
        assert any("FROM" in line for line in lines)

    def test_a_bad_line_is_named(self, bench: Bench, builder: Builds, tmp_path: Path) -> None:
        name = f"{unique('built')}:1"
        spec = write(tmp_path, name, f"FROM {bench.image}\n\nRUN exit 3\n")
        with pytest.raises(BuildError) as caught:
            builder.build_image(spec, print)
        assert caught.value.line == 3
        with pytest.raises(NotFoundError):
            bench.engine.find_image(name)

    def test_an_unknown_instruction_is_named(
        self, bench: Bench, builder: Builds, tmp_path: Path
    ) -> None:
        spec = write(tmp_path, "x:1", f"FROM {bench.image}\nRUNN true\n")
        with pytest.raises(BuildError, match="RUNN") as caught:
            builder.build_image(spec, print)
        assert caught.value.line == 2

    def test_a_cancelled_build_leaves_no_image(
        self, bench: Bench, builder: Builds, tmp_path: Path
    ) -> None:
        name = f"{unique('built')}:1"
        spec = write(tmp_path, name, f"FROM {bench.image}\nRUN sleep 100\n")
        with pytest.raises(CancelledError):
            builder.build_image(spec, print, lambda: True)
        with pytest.raises(NotFoundError):
            bench.engine.find_image(name)


def write(folder: Path, reference: str, dockerfile: str) -> BuildSpec:
    (folder / "Dockerfile").write_text(dockerfile)
    return BuildSpec(context=folder, references=(reference,))
