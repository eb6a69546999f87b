"""The order of services: levels of what depends on what."""

from collections.abc import Iterable, Mapping


def levels(needs: Mapping[str, Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the names in stages: each needs only names of stages before its own.

    Names that are needed but are no keys count as done. What stands in a cycle, or needs
    something that does, is left out; see :func:`find_cycle`.
    """
    left = {name: {need for need in wanted if need in needs} for name, wanted in needs.items()}
    stages: list[tuple[str, ...]] = []
    while ready := tuple(sorted(name for name, wanted in left.items() if not wanted)):
        stages.append(ready)
        for name in ready:
            del left[name]
        for wanted in left.values():
            wanted.difference_update(ready)
    return tuple(stages)


def find_cycle(needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return one cycle as ``("a", "b", "a")``, or nothing when there is none."""
    ordered = {name for stage in levels(needs) for name in stage}
    stuck = {name: sorted(set(needs[name]) - ordered) for name in needs if name not in ordered}
    if not stuck:
        return ()
    trail = [min(stuck)]
    while (following := next(need for need in stuck[trail[-1]] if need in stuck)) not in trail:
        trail.append(following)
    return (*trail[trail.index(following) :], following)


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
