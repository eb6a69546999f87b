"""Limits on hosts with cgroup v2 alone and with v1 alone: in user-mode Linux guests.

Needs Debian's package user-mode-linux. ``WEBPANEL_UML`` names another program than
``linux.uml`` and ``WEBPANEL_UML_MODULES`` the folder of its modules: those before 6.13 cannot
save the registers of processors with AMX and do not start there.
"""

import os
import secrets
import shutil
import sys
from pathlib import Path

import pytest

from agents.linux import process

pytestmark = [pytest.mark.root, pytest.mark.slow]

REPOSITORY = Path(__file__).parents[3]
INIT = Path(__file__).parent / "guest" / "init.sh"
SUITE = "tests/contracts/limits_alone.py"
MODULES = Path("/usr/lib/uml/modules")


@pytest.mark.parametrize("layout", ["v2", "v1"])
def test_limits_hold_on_every_layout(layout: str, tmp_path: Path) -> None:
    output = boot(layout, tmp_path)
    if "init.sh" in output and "Kernel panic" in output and "GUEST" not in output:
        pytest.skip("user-mode Linux does not start on this machine's processor")
    assert "GUEST-EXIT 0" in output, output
    assert " passed" in output


def boot(layout: str, folder: Path) -> str:
    """Run the suite in a guest and return what it wrote to its console."""
    program = shutil.which(os.environ.get("WEBPANEL_UML", "linux.uml"))
    if os.geteuid() != 0 or program is None:
        pytest.skip("needs root and the package user-mode-linux")
    modules = next(Path(os.environ.get("WEBPANEL_UML_MODULES", MODULES)).glob("*"))
    argv = (
        program,
        "mem=1G",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"init={INIT}",
        "con=null",
        "con0=null,fd:1",
        "console=tty0",
        "quiet",
        f"uml_dir={folder}/",
        f"umid=g{secrets.token_hex(4)}",
        f"REPO={REPOSITORY}",
        f"PYTHON={sys.executable}",
        f"MODULES={modules}",
        f"SUITE={SUITE}",
        f"LAYOUT={layout}",
    )
    return process.run(argv, timeout=120, check=False).text()
