"""The order of services: levels of what depends on what. All in linear time."""

from collections.abc import Iterable, Mapping


def levels(needs: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the names in stages: each needs only names of stages before its own.

    Names that are needed but are no keys count as done. What stands in a cycle, or needs
    something that does, is left out; see :func:`find_cycle`.
    """
    waiting = {name: {need for need in wanted if need in needs} for name, wanted in needs.items()}
    needed_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in waiting.items():
        for need in wanted:
            needed_by[need].append(name)
    stages: list[tuple[str, ...]] = []
    ready = sorted(name for name, wanted in waiting.items() if not wanted)
    while ready:
        stages.append(tuple(ready))
        ready = sorted(_release(ready, needed_by, waiting))
    return tuple(stages)


def _release(
    done: list[str], needed_by: Mapping[str, list[str]], waiting: Mapping[str, set[str]]
) -> list[str]:
    """Cross the names off, and return those that now wait for nothing."""
    released: list[str] = []
    for name in done:
        for dependent in needed_by[name]:
            waiting[dependent].discard(name)
            if not waiting[dependent]:
                released.append(dependent)
    return released


def find_cycle(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return one cycle as ``("a", "b", "a")``, or nothing when there is none."""
    ordered = {name for stage in levels(needs) for name in stage}
    stuck = sorted(needs.keys() - ordered)
    if not stuck:
        return ()
    trail: dict[str, None] = {}
    name = stuck[0]
    while name not in trail:
        trail[name] = None
        # Whatever is stuck needs something that is stuck too.
        name = min(need for need in needs[name] if need in needs and need not in ordered)
    names = list(trail)
    return (*names[names.index(name) :], name)


def closure(needs: Mapping[str, Iterable[str]], names: Iterable[str]) -> frozenset[str]:
    """Return the names and everything they need, directly or not."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(need for need in needs.get(name, ()) if need in needs)
    return frozenset(found)
