"""The whole panel, set up for real and used as people use it."""

import sys
import time

from benchmarks import deploying, following, memory, ten
from benchmarks.figures import Figure, measured
from tests.installed import InstalledPanel, make_installed_panel

UP_AGAIN = 3


def measure() -> list[Figure]:
    """Set a panel up, measure it at work and then idle, and remove it."""
    panel = make_installed_panel()
    try:
        first = timed_up(panel)
        return [
            measured("first up, tools and packages present", "s", [first]),
            *deploying.measure(panel),
            *following.measure(panel),
            *memory.measure(panel),
            *ten.measure(panel),
            measured("up again", "s", [timed_up(panel) for _ in range(UP_AGAIN)], bar=15),
        ]
    except AssertionError:
        print(panel.logs(), file=sys.stderr)
        raise
    finally:
        panel.purge()


def timed_up(panel: InstalledPanel) -> float:
    """Return the seconds that ``up`` took."""
    link = panel.output
    began = time.monotonic()
    panel.up()
    took = time.monotonic() - began
    panel.output = link or panel.output
    return took
