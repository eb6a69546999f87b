"""What a host's Redis user may do: with its own keys everything it needs, otherwise nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from agents.protocol import keys
from tests.agents.runtime.agent_process import AgentProcess
from tests.agents.runtime.messages import deploy, new_id
from tests.redis_server import RedisServer

pytestmark = pytest.mark.redis

A, B = "a" * 32, "b" * 32


@dataclass(frozen=True)
class Hosts:
    """Host A's connection, and a Redis in which B and the panel have something to lose."""

    a: redis.Redis
    admin: redis.Redis


@pytest.fixture
def agent(own_agent: AgentProcess) -> AgentProcess:
    """Here every test has an agent of its own, as it is killed, stopped or looked at whole."""
    return own_agent


@pytest.fixture
def hosts(server: RedisServer) -> Iterator[Hosts]:
    admin = server.admin()
    for uid in (A, B):
        server.add_host(uid, f"password of {uid}")
        admin.lpush(keys.queue(uid), "a command")
        admin.xadd(keys.events(uid), {"m": "an event"})
        admin.xadd(keys.control(uid), {"m": "a request"})
        admin.xadd(keys.log(uid, "c1"), {"l": "a line"}, id="10-0")
        admin.xadd(keys.reply(uid, "r1"), {"chunk": "an answer"})
        admin.hset(f"{keys.queue(uid)}.unacked", "tag", "a message")
        admin.sadd(f"_kombu.binding.{keys.queue(uid)}", "a binding")
    admin.lpush("panel.default", "a task")
    admin.xadd(keys.PANEL_WAKE_STREAM, {"m": "hosts"})
    admin.set("asgi:group:x", "a channel")
    client = redis.Redis(
        unix_socket_path=str(server.socket),
        username=keys.acl_user(A),
        password=f"password of {A}",
        decode_responses=True,
    )
    yield Hosts(client, admin)
    client.close()


def foreign_keys() -> list[str]:
    queue = keys.queue(B)
    return [
        queue,
        keys.events(B),
        keys.control(B),
        keys.log(B, "c1"),
        keys.reply(B, "r1"),
        f"{queue}.unacked",
        f"_kombu.binding.{queue}",
        f"_kombu.binding_permanent.{queue}",
        "panel.default",
        keys.PANEL_WAKE_STREAM,
        "asgi:group:x",
        "unacked",
        keys.queue(A) + "b",
        f"_kombu.binding.{keys.queue(A)}b",
        "_kombu.binding.celery",
    ]


def attempts(key: str) -> list[tuple[str, ...]]:
    """Return one command of each kind that a host may use, on ``key``."""
    return [
        ("LPUSH", key, "forged"),
        ("RPUSH", key, "forged"),
        ("RPOP", key),
        ("BRPOP", key, "0.01"),
        ("LLEN", key),
        ("HSET", key, "f", "v"),
        ("HGET", key, "f"),
        ("HDEL", key, "f"),
        ("ZADD", key, "1", "m"),
        ("ZREM", key, "m"),
        ("ZRANGE", key, "0", "-1"),
        ("SADD", key, "m"),
        ("SMEMBERS", key),
        ("EXISTS", key),
        ("EXPIRE", key, "1"),
        ("WATCH", key),
        ("XADD", key, "*", "m", "forged"),
        ("XREAD", "STREAMS", key, "0"),
        ("XRANGE", key, "-", "+"),
        ("XREVRANGE", key, "+", "-"),
        ("XLEN", key),
        # of no use to a host, so not even on its own keys
        ("GET", key),
        ("SET", key, "v"),
        ("DEL", key),
        ("UNLINK", key),
        ("RENAME", key, f"{keys.queue(A)}.mine"),
        ("COPY", key, f"{keys.queue(A)}.mine"),
        ("RENAME", keys.events(A), key),
        ("DUMP", key),
        ("MIGRATE", "127.0.0.1", "1", key, "0", "1"),
        ("SORT", key, "STORE", f"{keys.queue(A)}.mine"),
        ("OBJECT", "ENCODING", key),
        ("TYPE", key),
        ("XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"),
        ("XGROUP", "CREATE", key, "g", "0"),
        ("XTRIM", key, "MAXLEN", "0"),
        ("XDEL", key, "1-0"),
        ("LMOVE", key, f"{keys.queue(A)}.mine", "LEFT", "LEFT"),
        ("EVAL", "return redis.call('LPUSH', KEYS[1], 'forged')", "1", key),
        ("PUBLISH", key, "forged"),
        ("SUBSCRIBE", key),
    ]


@pytest.mark.parametrize("key", foreign_keys())
def test_a_host_can_do_nothing_with_a_key_that_is_not_its_own(hosts: Hosts, key: str):
    before = hosts.admin.dump(key) if hosts.admin.exists(key) else None
    for attempt in attempts(key):
        with pytest.raises(redis.exceptions.NoPermissionError):
            hosts.a.execute_command(*attempt)
    assert (hosts.admin.dump(key) if hosts.admin.exists(key) else None) == before


@pytest.mark.parametrize(
    "attempt",
    [
        "KEYS *",
        "SCAN 0",
        "RANDOMKEY",
        "DBSIZE",
        "INFO",
        "MONITOR",
        "CONFIG GET *",
        "ACL LIST",
        "ACL WHOAMI",
        "CLIENT LIST",
        "CLIENT KILL USER default",
        "CLIENT PAUSE 1000",
        "FLUSHALL",
        "FLUSHDB",
        "SELECT 1",
        "SWAPDB 0 1",
        "SHUTDOWN",
        "SAVE",
        "SCRIPT KILL",
        "FUNCTION LIST",
        "MODULE LIST",
        "PUBSUB CHANNELS",
        "PSUBSCRIBE *",
        "REPLICAOF NO ONE",
        "SLOWLOG GET",
        "LATENCY RESET",
        "MEMORY STATS",
        "COMMAND COUNT",
    ],
)
def test_a_host_cannot_look_or_reach_beyond_its_keys(hosts: Hosts, attempt: str):
    with pytest.raises(redis.exceptions.NoPermissionError):
        hosts.a.execute_command(*attempt.split())


def test_one_foreign_key_among_its_own_spoils_a_command(hosts: Hosts):
    with pytest.raises(redis.exceptions.NoPermissionError):
        hosts.a.execute_command("BRPOP", keys.queue(A), keys.queue(B), "0.01")
    with pytest.raises(redis.exceptions.NoPermissionError):
        hosts.a.execute_command("XREAD", "STREAMS", keys.events(A), keys.events(B), "0", "0")
    assert hosts.admin.llen(keys.queue(A)) == 1


def test_a_host_may_use_what_is_its_own(hosts: Hosts):
    assert hosts.a.xadd(keys.events(A), {"m": "x"})
    assert hosts.a.brpop(keys.queue(A), timeout=1) == (keys.queue(A), "a command")
    assert hosts.a.xread({keys.control(A): "0"})
    assert hosts.a.expire(keys.log(A, "c1"), 60)


def test_a_wrong_password_is_no_way_in(server: RedisServer, hosts: Hosts):
    client = redis.Redis(
        unix_socket_path=str(server.socket), username=keys.acl_user(B), password=f"password of {A}"
    )
    with pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()
    client.close()


def test_a_working_agent_is_never_refused_anything(server: RedisServer, agent: AgentProcess):
    agent.panel.finish(deploy())
    agent.panel.finish(deploy(project=new_id()[:8]))
    assert agent.stop() == 0
    assert server.admin().execute_command("ACL", "LOG") == []


def test_tls_without_a_certificate_of_the_panel_is_refused(server: RedisServer):
    client = redis.Redis(
        host="127.0.0.1",
        port=server.port,
        ssl=True,
        ssl_ca_certs=str(server.authority.certificate),
        password=server.password,
    )
    with pytest.raises(redis.exceptions.ConnectionError):
        client.ping()
    client.close()
