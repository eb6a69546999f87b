"""Nudges: "topic X changed", through the channel layer, never with data.

A topic is ``<prefix>:<rest>``: ``team:<uid>`` (any list of the team), ``host:<uid>``,
``operation:<uid>``, ``project:<uid>`` … The app that owns a prefix says who may watch::

    @topic_checker("project")
    def may_watch_project(user: User, uid: str) -> bool: ...
"""

import logging
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import TypeVar

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.models import AbstractUser
from django.db import transaction

from apps.core import background

logger = logging.getLogger(__name__)
UserT = TypeVar("UserT", bound=AbstractUser)

_checkers: dict[str, Callable[..., bool]] = {}


def topic_checker(
    prefix: str,
) -> Callable[[Callable[[UserT, str], bool]], Callable[[UserT, str], bool]]:
    """Register the decorated function as the one that admits watchers of the prefix.

    It belongs into the app's ``access`` module, which is imported when Django is ready.
    """

    def register(checker: Callable[[UserT, str], bool]) -> Callable[[UserT, str], bool]:
        _checkers[prefix] = checker
        return checker

    return register


def may_watch(user: AbstractUser, topic: str) -> bool:
    """Say whether the user may hear of this topic; an unknown prefix is nobody's."""
    prefix, _, rest = topic.partition(":")
    checker = _checkers.get(prefix)
    return bool(checker and user.is_active and checker(user, rest))


def group_name(topic: str) -> str:
    """Return the channel layer's group of a topic (its names allow few characters)."""
    return "topic." + sha256(topic.encode()).hexdigest()[:32]


def nudge(*topics: str) -> None:
    """Tell watchers, after the running transaction commits, that the topics changed."""
    for topic in topics:
        transaction.on_commit(partial(_send, topic))


def _send(topic: str) -> None:
    """Pages only stay as they are if this fails, so a dead Redis is logged, not raised."""
    layer = get_channel_layer()
    message = {"type": "changed", "topic": topic}
    try:
        if background.is_running():
            background.submit(layer.group_send(group_name(topic), message))
        else:
            async_to_sync(layer.group_send)(group_name(topic), message)
    except (redis.RedisError, OSError) as error:
        logger.warning("A nudge for %s was not sent: %s", topic, error)
