"""What the functions that carry out commands work with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agents.engines.base import Engine
from agents.reporter import Reporter
from agents.state import State


@dataclass(frozen=True, kw_only=True)
class Context:
    """The agent's parts that commands need. ``root`` is the agent's own folder."""

    root: Path
    engine: Engine
    state: State
    reporter: Reporter
    report_all: Callable[[], None]
