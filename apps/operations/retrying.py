"""What an app has to say when an operation on one of its things is asked for again::

    @on_retry("project")
    def take_over(old: Operation, new: Operation) -> None: ...

Called in the transaction that makes the new operation, before anything is sent; to refuse,
raise :class:`ConflictError`.
"""

from collections.abc import Callable

from apps.operations.models import Operation

Follow = Callable[[Operation, Operation], None]
_followers: dict[str, Follow] = {}


def on_retry(kind: str) -> Callable[[Follow], Follow]:
    """Register the decorated function for operations on things of this kind."""

    def register(follow: Follow) -> Follow:
        _followers[kind] = follow
        return follow

    return register


def follow_retry(old: Operation, new: Operation) -> None:
    """Tell the app whose thing it is; raises what it raises."""
    if follow := _followers.get(old.target_kind):
        follow(old, new)
