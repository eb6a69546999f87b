import os
import shutil

import pytest


@pytest.fixture(autouse=True)
def _root(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def needs_nft() -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
