"""The choices of an installation: kept, changed by the environment, private."""

import json
import os
import shlex
import stat
from pathlib import Path

import pytest

from setup import installation as installations
from setup import panel, redis, supervise
from setup.installation import Installation
from setup.places import Places
from setup.problem import Problem
from setup.stamps import digest, once


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*installations.VARIABLES.values(), "WEBPANEL_ADDRESS", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(home=tmp_path / "home", run=tmp_path / "run")


def test_choices_are_kept_and_secrets_are_made_once(places: Places) -> None:
    installations.save_installation(places, Installation(http_port=8100))
    secrets = (places.home / "secrets.json").read_text()
    installations.save_installation(places, installations.load_installation(places))
    assert installations.load_installation(places).http_port == 8100
    assert (places.home / "secrets.json").read_text() == secrets


def test_only_root_may_read_the_secrets(places: Places) -> None:
    installations.save_installation(places, Installation())
    mode = stat.S_IMODE((places.home / "secrets.json").stat().st_mode)
    assert mode == 0o600


def test_the_environment_changes_a_port(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    installations.save_installation(places, Installation())
    monkeypatch.setenv("WEBPANEL_HTTPS_PORT", "9443")
    assert installations.load_installation(places).https_port == 9443


def test_a_port_that_is_no_number_is_refused(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBPANEL_HTTPS_PORT", "many")
    with pytest.raises(Problem, match="A port is not a number"):
        installations.load_installation(places)


def test_the_link_is_loopback_s_for_whoever_sits_at_the_machine() -> None:
    assert installations.link_base(Installation()) == "http://127.0.0.1:8000"


def test_the_link_is_the_address_by_which_a_person_came_over_ssh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "198.51.100.7 50000 203.0.113.5 22")
    assert installations.link_base(Installation()) == "https://203.0.113.5:8443"


def test_the_link_of_an_ipv6_address_has_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBPANEL_ADDRESS", "2001:db8::5")
    assert installations.link_base(Installation()) == "https://[2001:db8::5]:8443"


def test_the_address_that_a_person_named_once_is_kept(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBPANEL_ADDRESS", "panel.example.org")
    installations.save_installation(places, installations.load_installation(places))
    monkeypatch.delenv("WEBPANEL_ADDRESS")
    kept = installations.load_installation(places)
    assert installations.link_base(kept) == "https://panel.example.org:8443"
    panel.write_settings(places, kept)
    settings = (places.home / "panel.env").read_text()
    assert "WEBPANEL_PUBLIC_URLS=https://panel.example.org:8443," in settings


def test_the_first_acl_file_has_no_password_in_it(places: Places) -> None:
    installations.save_installation(places, Installation())
    redis.configure_redis(places, Installation())
    password = json.loads((places.home / "secrets.json").read_text())["redis_password"]
    acl = (places.redis / "users.acl").read_text()
    assert acl.startswith("user default on #")
    assert password not in acl


def test_the_acl_file_that_redis_keeps_is_not_written_again(places: Places) -> None:
    installations.save_installation(places, Installation())
    redis.configure_redis(places, Installation())
    with (places.redis / "users.acl").open("a") as file:
        file.write("user host-1 on\n")
    redis.configure_redis(places, Installation())
    assert "user host-1 on" in (places.redis / "users.acl").read_text()


def test_the_agent_is_supervised_once_the_host_has_joined(places: Places) -> None:
    assert "agent" not in [name for name, _, _ in supervise.programs(places)]
    places.agent.mkdir(parents=True)
    (places.agent / "agent.json").write_text("{}")
    assert "agent" in [name for name, _, _ in supervise.programs(places)]


def test_the_unit_leaves_containers_alone_when_it_stops(places: Places) -> None:
    assert "KillMode=process" in supervise.unit_text(places).splitlines()


def test_a_step_runs_again_only_when_its_inputs_change(tmp_path: Path) -> None:
    source, stamp, runs = tmp_path / "input", tmp_path / "stamp", []
    source.write_text("one")
    for text in ("one", "one", "two"):
        source.write_text(text)
        once(stamp, digest([source]), lambda text=text: runs.append(text))
    assert runs == ["one", "two"]


def test_only_root_may_enter_the_home_whatever_the_umask(places: Places) -> None:
    before = os.umask(0)
    try:
        places.home.mkdir()
        installations.save_installation(places, Installation())
    finally:
        os.umask(before)
    assert stat.S_IMODE(places.home.stat().st_mode) == 0o700


def test_a_home_with_spaces_is_one_word_for_every_program(tmp_path: Path) -> None:
    spaced = Places(home=tmp_path / "a home", run=tmp_path / "run")
    (spaced.agent).mkdir(parents=True)
    (spaced.agent / "agent.json").touch()
    named = {name: shlex.split(command) for name, command, _ in supervise.programs(spaced)}
    assert named["redis"] == [str(spaced.redis / "redis-server"), str(spaced.redis / "redis.conf")]
    assert named["beat"][-1] == str(spaced.home / "beat-schedule")
    assert named["agent"][-1] == str(spaced.agent / "agent.json")


def test_a_container_is_known_by_the_given_name_alone(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBPANEL_CONTAINER", "1")
    monkeypatch.setenv("WEBPANEL_ADDRESS", "panel.example.org")
    assert installations.addresses(places) == ["localhost", "127.0.0.1", "panel.example.org"]
