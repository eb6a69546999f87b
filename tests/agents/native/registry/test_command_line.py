"""What a person at the host types: pull, push, log in and out."""

import io
from pathlib import Path

import pytest

from agents import config
from agents.__main__ import main
from agents.config import AgentConfig, Secret
from tests.agents.native.image_files import needs_root
from tests.contracts.bench import unique
from tests.native_engine import require_native
from tests.registries import Registry
from tests.registry_images import Publisher, layer

pytestmark = [needs_root, pytest.mark.root]


@pytest.fixture
def joined(tmp_path: Path) -> str:
    """The path of the configuration of a host that has joined."""
    require_native()
    files = dict.fromkeys(
        ("private_key", "certificate", "ca_certificate", "panel_key"), tmp_path / "none"
    )
    made = AgentConfig(
        panel="https://localhost",
        uid="0" * 32,
        name="host",
        root=tmp_path / "root",
        run=tmp_path / "run",
        redis_urls=(),
        redis_username="host",
        redis_password=Secret("x"),
        **files,
    )
    path = tmp_path / "agent.json"
    config.save(made, path)
    return str(path)


def test_an_image_is_pulled_and_pushed(
    joined: str, registry: Registry, publisher: Publisher, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{registry.name}/{unique('app')}"
    put = publisher.image(name.partition("/")[2], "1", [layer("a")])
    assert main(["image", "pull", f"{name}:1", "--config", joined]) == 0
    assert main(["image", "push", f"{name}:1", "--config", joined]) == 0
    said = capsys.readouterr().out
    assert (put.config in said, put.manifest in said) == (True, True)
    assert main(["image", "pull", f"{name}:2", "--config", joined]) == 1
    assert "has no" in capsys.readouterr().err


def test_a_login_is_read_from_stdin_and_forgotten(
    joined: str,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = Path(joined).parent / "root/native/logins.json"
    monkeypatch.setattr("sys.stdin", io.StringIO("sesame\n"))
    login = ["registry", "login", registry.name, "--username", "ann", "--config", joined]
    assert main(login) == 0
    assert '"sesame"' in kept.read_text()
    assert main(["registry", "logout", registry.name, "--config", joined]) == 0
    assert kept.read_text() == "{}"
    said = capsys.readouterr()
    assert "sesame" not in said.out + said.err
