"""What stops the set-up says so in one sentence that names the way out."""

import socket
from pathlib import Path

import pytest

from setup import checks
from setup.problem import Problem

DEBIAN_12 = {"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian GNU/Linux 12"}


def test_whoever_is_not_root_is_told_to_be() -> None:
    with pytest.raises(Problem, match="You are not root. Run it as root"):
        checks.check_root(1000)


def test_root_passes() -> None:
    checks.check_root(0)


@pytest.mark.parametrize(
    "release",
    [
        {"ID": "debian", "VERSION_ID": "11", "PRETTY_NAME": "Debian GNU/Linux 11 (bullseye)"},
        {"ID": "fedora", "VERSION_ID": "42", "PRETTY_NAME": "Fedora Linux 42"},
        {"ID": "debian", "VERSION_ID": "testing/unstable", "PRETTY_NAME": "Debian sid"},
        {},
    ],
)
def test_an_unsupported_distribution_is_named(
    release: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEBPANEL_ANY_DISTRIBUTION", raising=False)
    with pytest.raises(Problem, match="not supported. Use Debian 12 or newer") as caught:
        checks.check_distribution(release)
    assert release.get("PRETTY_NAME", "unknown") in caught.value.what


def test_a_person_may_insist_on_another_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBPANEL_ANY_DISTRIBUTION", "1")
    checks.check_distribution({"ID": "devuan", "VERSION_ID": "5"})


@pytest.mark.parametrize("version", ["12", "13"])
def test_debian_passes(version: str) -> None:
    checks.check_distribution({**DEBIAN_12, "VERSION_ID": version})


@pytest.mark.parametrize("release", ["5.9.1-amd64", "4.19.0-27-amd64", "what"])
def test_an_old_kernel_is_named(release: str) -> None:
    with pytest.raises(Problem, match="5.10 or newer is needed. Upgrade it"):
        checks.check_kernel(release)


@pytest.mark.parametrize("release", ["5.10.0-32-amd64", "6.1.0", "6.18.44-x"])
def test_a_newer_kernel_passes(release: str) -> None:
    checks.check_kernel(release)


def test_a_port_taken_is_named_with_the_variable_that_moves_it() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {port}.*WEBPANEL_HTTP_PORT=") as caught:
            checks.check_port("127.0.0.1", port, "the panel", "WEBPANEL_HTTP_PORT")
    assert "is taken by another program" in caught.value.what


def test_os_release_is_read_with_its_quotes(tmp_path: Path) -> None:
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_ID=\"12\"\n# no\nNAME='A B'\n")
    read = checks._read_release(tmp_path / "os-release")
    assert read == {"ID": "debian", "VERSION_ID": "12", "NAME": "A B"}


@pytest.mark.parametrize("path", ["/srv/100%", '/srv/"x"', "/srv/a;b", "/srv/a:b", "/srv/a\nb"])
def test_a_path_that_some_program_cannot_write_down_is_refused(path: str) -> None:
    with pytest.raises(Problem, match="WEBPANEL_HOME"):
        checks.check_path(Path(path), "WEBPANEL_HOME")


def test_a_path_with_spaces_and_umlauts_is_fine() -> None:
    checks.check_path(Path("/srv/web panel/ü"), "WEBPANEL_HOME")


def test_a_disk_passes_also_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    checks.check_file_system(tmp_path / "not" / "yet")


def test_a_folder_on_which_no_container_can_be_kept_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = checks.run(["stat", "--file-system", "--format", "%T", str(tmp_path)]).strip()
    monkeypatch.setattr(checks, "UNFIT_FILE_SYSTEMS", {kind})
    with pytest.raises(Problem, match="cannot hold containers. Name a folder on ext4"):
        checks.check_file_system(tmp_path)
