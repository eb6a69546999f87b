"""Measure, print a table, write build/bench.json. Names as arguments choose among the parts."""

import sys
from collections.abc import Callable, Sequence

from benchmarks import engine, panel, unpacking
from benchmarks.figures import FILE, Figure, save, table

PARTS: dict[str, Callable[[], list[Figure]]] = {
    "engine": engine.measure,
    "unpacking": unpacking.measure,
    "panel": panel.measure,
}


def main(names: Sequence[str]) -> int:
    """Run the named parts, or all."""
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"There are only these parts: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    figures = [figure for name in names or PARTS for figure in PARTS[name]()]
    save(figures)
    print(table(figures))
    print(f"\nWritten to {FILE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
