"""What contract suites share: a skip for ``NotSupportedError``, and an image archive."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from agents.engines.native.images import busybox
from agents.errors import NotSupportedError
from tests.registries import Registry, running_registry


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    try:
        yield
    except NotSupportedError as exc:
        pytest.skip(f"not supported: {exc.message}")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system as a tar archive."""
    path = tmp_path_factory.mktemp("archive") / "rootfs.tar"
    try:
        path.write_bytes(busybox.make_rootfs(busybox.PROGRAM))
    except NotSupportedError as exc:
        pytest.skip(exc.message)
    return path


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry, for the whole run."""
    with running_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry
