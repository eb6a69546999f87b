import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.agents.native.test_network.network_lab import Host


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def folder(stack: ExitStack) -> Path:
    """A folder that everybody may pass through, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="network-"))
    path.chmod(0o711)
    stack.callback(shutil.rmtree, path)
    return path


@pytest.fixture
def host(stack: ExitStack, folder: Path) -> Host:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for program in ("nft", "dnsmasq"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    return Host(stack, folder)
