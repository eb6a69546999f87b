"""The installer's own sentences: what it finds wrong with a machine, a panel or a clock."""

import os
import shutil
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path

import pytest

from agents.worker import service
from apps.hosts.installer import install
from apps.hosts.installer.install import Problem
from setup.system import RUN_PACKAGES
from tests.installed import free_port

PYTHON = f"cp3{sys.version_info[1]}"
MACHINE = os.uname().machine
SUM = "0" * 64


@pytest.mark.parametrize(
    ("wheel", "fits"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        (f"a-1-{PYTHON}-{PYTHON}-manylinux_2_17_{MACHINE}.manylinux2014_{MACHINE}.whl", True),
        (f"a-1-cp39-abi3-manylinux_2_34_{MACHINE}.whl", True),
        (f"a-1-cp399-abi3-manylinux_2_34_{MACHINE}.whl", False),
        (f"a-1-cp310-cp310-manylinux_2_34_{MACHINE}.whl", False),
        (f"a-1-{PYTHON}-{PYTHON}-manylinux_2_34_riscv64.whl", False),
    ],
)
def test_it_knows_which_wheels_are_for_this_machine(wheel: str, fits: bool):
    assert install.fits(wheel) is fits


def test_it_names_what_the_panel_lacks_for_this_machine():
    sums = f"{SUM}  a-1-py3-none-any.whl\n{SUM}  b-2-cp310-cp310-manylinux_2_17_{MACHINE}.whl\n"
    with pytest.raises(Problem, match=r"no agent for Python .* \(no wheel of b\)\. It serves"):
        install.parse_sums(sums)
    with pytest.raises(Problem, match="Run `make up` on the panel's machine"):
        install.parse_sums("")


def test_names_that_would_leave_the_folder_are_not_taken():
    good = f"{SUM}  a-1-py3-none-any.whl\n"
    assert list(install.parse_sums(good + f"{SUM}  ../b-1-py3-none-any.whl\n")) == [
        "a-1-py3-none-any.whl"
    ]


@pytest.mark.parametrize(("skew", "said"), [(-600, "600 s behind"), (600, "600 s ahead of")])
def test_a_clock_that_is_off_is_named(skew: int, said: str):
    with pytest.raises(Problem, match=f"clock is {said} the panel's. Set both right"):
        install.check_clock(formatdate(1_800_000_000, usegmt=True), 1_800_000_000 + skew)


@pytest.mark.parametrize("date", ["", "yesterday", formatdate(1_800_000_000, usegmt=True)])
def test_a_good_clock_and_an_unknown_one_pass(date: str):
    install.check_clock(date, 1_800_000_100)


def test_it_asks_for_the_packages_that_the_set_up_installs():
    asked = {*install.PACKAGES.values(), "python3-venv"}
    assert asked == {*RUN_PACKAGES} - {"ca-certificates", "redis-tools"}


def test_the_unit_leaves_containers_alone_and_is_understood_by_systemd(tmp_path: Path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = service.unit_text([sys.executable, "-m", "agents", "run"])
    assert "\nKillMode=process\n" in text
    assert "\nDelegate=yes\n" in text
    unit = tmp_path / "webpanel-agent.service"
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("release", "kernel", "said"),
    [
        ('ID=alpine\nPRETTY_NAME="Alpine Linux"', "6.1.0", "Alpine Linux is not supported yet"),
        ("ID=debian", "5.4.0-1", "The kernel 5.4.0-1 is too old. 5.10 or newer is needed"),
    ],
)
def test_a_machine_that_will_not_do_is_told_why(release: str, kernel: str, said: str):
    with pytest.raises(Problem, match=said):
        install.check_system(install.parse_release(release), kernel)


def test_a_relative_of_debian_will_do():
    install.check_system(install.parse_release('ID=mint\nID_LIKE="ubuntu debian"'), "6.1.0-18")


def test_a_panel_that_cannot_be_reached_is_named():
    address = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(Problem, match=f"{address}/agent/ca.pem cannot be fetched: .*refused. See"):
        install.Panel(address, SUM)


def test_a_person_who_is_not_root_is_told_what_to_do():
    python = Path("/usr/bin/python3")
    if os.geteuid() != 0 or not python.exists():
        pytest.skip("needs root, to become somebody else, and /usr/bin/python3")
    done = subprocess.run(
        [python, "-", "--panel=p", "--token=t", "--ca-sha256=c"],
        input=Path(install.__file__).read_text(),
        capture_output=True,
        text=True,
        check=False,
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == "webpanel: This must run as root. Put sudo before python3.\n"
