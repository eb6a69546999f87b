"""What a benchmark gives, as a table and as ``build/bench.json``."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = Path(__file__).resolve().parents[1] / "build" / "bench.json"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure; smaller is better.

    ``ours`` is the median of ``runs`` runs and ``spread`` the distance between their
    quartiles, both in ``unit``. ``floor`` is what the job costs at the least on this machine,
    by the bare tools. ``ratio`` is ``peer`` over ``ours``: above 1 ours is better. ``bar`` is
    the most that we allow ourselves, ``least_ratio`` how much better than the peer we want to
    be. None: there is none.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str | None = None
    ratio: float | None = None
    floor: float | None = None
    bar: float | None = None
    runs: int = 1
    spread: float = 0.0
    peer_spread: float | None = None
    least_ratio: float | None = None

    @property
    def met(self) -> bool | None:
        """Return whether the bars are met; None where there is none, or no peer to tell."""
        told = []
        if self.bar is not None:
            told.append(self.ours <= self.bar)
        if self.least_ratio is not None and self.ratio is not None:
            told.append(self.ratio >= self.least_ratio)
        return all(told) if told else None


def measured(
    name: str,
    unit: str,
    values: Sequence[float],
    *,
    floor: float | None = None,
    bar: float | None = None,
) -> Figure:
    """Return the figure of several runs."""
    return Figure(
        name=name,
        unit=unit,
        ours=round(statistics.median(values), 4),
        floor=None if floor is None else round(floor, 4),
        bar=bar,
        runs=len(values),
        spread=round(_spread(values), 4),
    )


def compared(
    name: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float] = (),
    peer_name: str = "",
    *,
    floor: float | None = None,
    least_ratio: float | None = None,
) -> Figure:
    """Return the figure of several runs of ours and as many of a peer's, if there is one."""
    figure = measured(name, unit, ours, floor=floor)
    figure = msgspec.structs.replace(figure, least_ratio=least_ratio)
    if not peer:
        return figure
    theirs = statistics.median(peer)
    return msgspec.structs.replace(
        figure,
        peer=round(theirs, 4),
        peer_name=peer_name,
        peer_spread=round(_spread(peer), 4),
        ratio=round(theirs / statistics.median(ours), 4),
    )


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def save(figures: Sequence[Figure], file: Path = FILE) -> None:
    """Put the figures into the file; those of other names that it holds stay."""
    file.parent.mkdir(exist_ok=True)
    known = msgspec.json.decode(file.read_bytes(), type=list[Figure]) if file.exists() else []
    renewed = {figure.name for figure in figures}
    kept = [figure for figure in known if figure.name not in renewed]
    file.write_bytes(msgspec.json.format(msgspec.json.encode([*kept, *figures])))


HEAD = ("what", "ours", "spread", "floor", "bar", "peer", "ratio", "wanted", "met", "runs")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of text."""
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *values = row
    padded = [text.rjust(width) for text, width in zip(values, widths[1:], strict=True)]
    return "  ".join((name.ljust(widths[0]), *padded))


def _row(figure: Figure) -> tuple[str, ...]:
    def text(value: float | None) -> str:
        return "–" if value is None else f"{value:.4g} {figure.unit}"

    return (
        figure.name,
        text(figure.ours),
        text(figure.spread),
        text(figure.floor),
        text(figure.bar),
        text(figure.peer),
        "–" if figure.ratio is None else f"{figure.ratio:.2f}",
        "–" if figure.least_ratio is None else f"{figure.least_ratio:g}",
        {None: "–", True: "yes", False: "NO"}[figure.met],
        str(figure.runs),
    )
