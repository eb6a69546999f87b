"""An engine that is killed at any instruction leaves a host that the next start repairs.

Hundreds of engines are killed with SIGKILL, each at another one of the changes that its act
makes to the disk and the kernel, or by chance while several threads act. The next one must
find all that had been said to be there, and the host must have nothing else of it: no mount,
namespace, interface, address, rule, cgroup, process, layer or file. A container that ran
before all this still runs at the end, with the same first process.

``WEBPANEL_STORM_KILLS`` sets the number of kills, ``WEBPANEL_STORM_SEED`` which they are.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.native_engine import NativeHome, assert_nothing_left, require_native

pytestmark = [pytest.mark.root, pytest.mark.slow]
KILLS = int(os.environ.get("WEBPANEL_STORM_KILLS", "200"))
SEED = os.environ.get("WEBPANEL_STORM_SEED", "1")


def test_killed_hundreds_of_times_it_loses_and_leaves_nothing(tmp_path: Path) -> None:
    require_native()
    uid = secrets.token_hex(4)
    own = ("unshare", "--mount", "--net", "--")
    program = (sys.executable, "-m", "tests.agents.native.storm.program")
    storm = subprocess.run(
        (*own, *program, str(tmp_path), uid, str(KILLS), SEED),
        capture_output=True,
        text=True,
        check=False,
        timeout=60 + KILLS * 3,
    )
    assert storm.returncode == 0, f"{storm.stdout}\n{storm.stderr}"
    assert "kills in" in storm.stdout
    assert_nothing_left(NativeHome(tmp_path / "0", uid))
