"""Doing the same to several containers at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")

PARALLEL = 4


def together(act: Callable[[ItemT], None], items: Sequence[ItemT]) -> None:
    """Call ``act`` for each item, some side by side; blocks until all have ended.

    The first failure is raised, once what had begun has ended; what had not is left.
    """
    if len(items) < 2:
        for item in items:
            act(item)
        return
    with ThreadPoolExecutor(min(PARALLEL, len(items)), "project") as pool:
        futures = [pool.submit(act, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def counted(number: int) -> str:
    """Return how many containers, in words.

    >>> counted(1), counted(2)
    ('1 container', '2 containers')
    """
    return f"{number} container" if number == 1 else f"{number} containers"
