"""The hosts' users in Redis: each may touch its own keys and nothing else."""

from redis import RedisError

from agents.protocol import keys
from apps.core.errors import UnavailableError
from apps.core.redis import redis_client


def grant(uid: str, password_sha256: str) -> None:
    """Make or replace the host's user, for good; raises :class:`UnavailableError`."""
    rules = keys.acl_rules(uid, password_sha256)
    _run(("ACL", "SETUSER", keys.acl_user(uid), *rules), ("ACL", "SAVE"))


def withdraw(uid: str) -> None:
    """Delete the host's user, which cuts its connections, and its keys; idempotent.

    Raises :class:`UnavailableError`.
    """
    user = keys.acl_user(uid)
    _run(("ACL", "DELUSER", user), ("ACL", "SAVE"))
    client = redis_client()
    for key in client.scan_iter(match=f"{keys.queue(uid)}*", count=1000):
        client.delete(key)


def wake_receiver() -> None:
    """Tell the receiver that there is another host to listen to."""
    client = redis_client()
    client.xadd(keys.PANEL_WAKE_STREAM, {"m": "hosts"}, maxlen=100)


def _run(*commands: tuple[str, ...]) -> None:
    try:
        for command in commands:
            redis_client().execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py
    except RedisError as error:
        raise UnavailableError("Redis does not answer.", hint="See `make status`.") from error
