"""Recorded answers of the reference tools, read from beside the checkout when they are there."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(
    os.environ.get("WEBPANEL_ORACLES", Path(__file__).parents[2].parent / "shared" / "oracles")
)
EXPECTED = Path(__file__).with_name("expected.json")

SCORES: "list[Score]" = []

Record = dict[str, object]


@dataclass
class Score:
    """How many records of one file agree with ours, and which do not."""

    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.passed + len(self.failures)


def read_records(name: str) -> Iterator[Record]:
    """Return the records of ``<name>.jsonl``; skips the test when there are none here."""
    path = ROOT / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip(f"the recorded answers are not on this machine: {path}")
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines)


def score_records(name: str, agrees: Callable[[Record], bool]) -> Score:
    """Compare every record; an exception in ``agrees`` counts as a failure."""
    score = Score(name)
    for record in read_records(name):
        try:
            passed = agrees(record)
        except Exception as exc:  # noqa: BLE001 - any crash is a failed record, not a failed run
            score.failures.append(f"{record} crashed: {exc!r}")
            continue
        if passed:
            score.passed += 1
        else:
            score.failures.append(json.dumps(record))
    return score


def check_score(score: Score) -> None:
    """Keep the score for the summary; fail when ``expected.json`` says that more was reached."""
    SCORES.append(score)
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))[score.name]
    shown = "\n".join(failure[:400] for failure in score.failures[:20])
    assert score.passed >= expected, f"{score.name}: {score.passed} of {expected}\n{shown}"
