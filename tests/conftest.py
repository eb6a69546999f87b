"""Fixtures that tests of several parts share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.test import Client

from apps.accounts.models import Role, Team, User
from apps.core import redis as panel_redis
from apps.hosts import pki
from apps.hosts.models import Host
from tests import factories
from tests.certificates import Authority
from tests.redis_server import RedisServer, running_redis
from webpanel.celery import app
from webpanel.settings.redis import broker_url

pytest_plugins = ("tests.plugins.installed",)


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Four people and a host: three are in the host's team, the stranger is in another."""

    team: Team
    owner: User
    member: User
    viewer: User
    stranger: User
    host: Host

    def client(self, user: User) -> Client:
        """A browser in which the user is signed in."""
        client = Client()
        client.force_login(user)
        return client


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority for hosts that tests make."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def cast(db: None, authority: Authority) -> Cast:
    team, other = factories.make_team(), factories.make_team("others")
    return Cast(
        team=team,
        owner=factories.make_member(team, Role.OWNER),
        member=factories.make_member(team, Role.MEMBER),
        viewer=factories.make_member(team, Role.VIEWER),
        stranger=factories.make_member(other, Role.OWNER),
        host=factories.make_host(team, authority),
    )


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests of the panel; Celery keeps its connections to it."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        app.conf.broker_url = broker_url(server.admin_url)
        yield server
        app.pool.force_close_all()


@pytest.fixture
def panel_redis_server(redis_process: RedisServer, settings) -> Iterator[RedisServer]:
    """An empty Redis that the panel uses."""
    redis_process.admin().flushall()
    settings.REDIS_URL = redis_process.admin_url
    panel_redis.redis_client.cache_clear()
    yield redis_process
    panel_redis.redis_client().close()
    panel_redis.redis_client.cache_clear()


@pytest.fixture
def panel_pki(tmp_path: Path, settings) -> Iterator[Path]:
    """Fresh keys and certificates of the panel."""
    settings.PKI_DIR = tmp_path / "pki"
    pki.command_key.cache_clear()
    pki.init_pki(("localhost", "127.0.0.1"))
    yield settings.PKI_DIR
    pki.command_key.cache_clear()
