"""Where settings come from."""

import json

import pytest
from channels_redis.core import RedisChannelLayer

from webpanel.settings import base
from webpanel.settings.databases import database
from webpanel.settings.environment import Environment
from webpanel.settings.redis import broker_url, redis_url


@pytest.fixture
def home(tmp_path):
    (tmp_path / "panel.env").write_text("# a comment\nWEBPANEL_HTTP_PORT=8001\nWEBPANEL_A='b, c'\n")
    (tmp_path / "secrets.json").write_text(json.dumps({"redis_password": "hidden", "odd": 3}))
    return tmp_path


def test_the_file_gives_what_the_environment_does_not(home):
    environment = Environment({"WEBPANEL_HOME": str(home)})
    assert environment.number("HTTP_PORT", 1) == 8001
    assert environment.items("A") == ("b", "c")
    assert environment.text("NOTHING", "default") == "default"


def test_the_environment_comes_before_the_file(home):
    values = {"WEBPANEL_HOME": str(home), "WEBPANEL_HTTP_PORT": "9000"}
    assert Environment(values).number("HTTP_PORT", 1) == 9000


def test_secrets_come_from_their_file(home):
    environment = Environment({"WEBPANEL_HOME": str(home)})
    assert (environment.secret("redis_password"), environment.secret("odd")) == ("hidden", "")


def test_a_home_without_files_has_defaults(tmp_path):
    assert Environment({"WEBPANEL_HOME": str(tmp_path)}).number("HTTP_PORT", 7) == 7


def test_redis_is_the_panels_own_unless_told(tmp_path):
    assert redis_url("", tmp_path, "p/w") == f"unix://:p%2Fw@{tmp_path}/redis/redis.sock?db=0"
    assert redis_url("redis://elsewhere/1", tmp_path, "p") == "redis://elsewhere/1"


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("unix://:pw@/run/r.sock?db=0", "redis+socket://:pw@/run/r.sock?virtual_host=0"),
        ("unix:///run/r.sock", "redis+socket:///run/r.sock?virtual_host=0"),
        ("redis://:pw@redis:6379/0", "redis://:pw@redis:6379/0"),
    ],
)
def test_the_broker_spells_the_url_in_its_own_way(url, broker):
    assert broker_url(url) == broker


def test_the_database_is_sqlite_unless_told(tmp_path):
    found = database("", tmp_path)
    assert found["ENGINE"].endswith("sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgresql_is_named_by_a_url(tmp_path):
    found = database("postgresql://me:p%40ss@db:5433/panel", tmp_path)
    wanted = {"NAME": "panel", "USER": "me", "PASSWORD": "p@ss", "HOST": "db", "PORT": "5433"}
    assert wanted.items() <= found.items()


def test_another_database_is_refused(tmp_path):
    with pytest.raises(ValueError, match="postgresql://"):
        database("mysql://db/panel", tmp_path)


def test_what_follows_the_database_goes_to_libpq(tmp_path):
    found = database("postgresql://panel@/x?host=/run/postgresql&sslmode=verify-full", tmp_path)
    assert (found["HOST"], found["OPTIONS"]) == ("/run/postgresql", {"sslmode": "verify-full"})


def test_a_consumer_that_hears_nothing_keeps_its_connection():
    [host] = base.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert host["socket_timeout"] > RedisChannelLayer.brpop_timeout
