"""Whatever is trimmed, rotated or cut off, each line arrives once and in order."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.protocol.control import LogChunk
from agents.protocol.records import LogLine
from apps.logs import track as module
from apps.logs.track import Gap, Track, Wanted


@dataclass
class Host:
    """A container's log, and the part of it that its Redis stream still holds."""

    lines: list[LogLine] = field(default_factory=list)
    stream_from: int = 0
    kept_from: int = 0

    def write(self, count: int) -> None:
        for _ in range(count):
            previous = self.lines[-1].position if self.lines else 0
            number = len(self.lines)
            size = 1 + number % 7
            self.lines.append(
                LogLine(
                    container_id="c",
                    position=previous + size,
                    previous=previous,
                    at=float(number),
                    stream="stdout",
                    text=str(number),
                )
            )

    def stream_after(self, position: int, limit: int) -> list[LogLine]:
        held = self.lines[max(self.stream_from, self.kept_from) :]
        return [line for line in held if line.position > position][:limit]

    def read(self, wanted: Wanted) -> LogChunk:
        found = [
            line
            for line in self.lines[self.kept_from :]
            if line.position > wanted.after and (not wanted.before or line.position < wanted.before)
        ]
        limit = min(wanted.limit, 3)
        part = found[-limit:] if wanted.newest else found[:limit]
        return LogChunk(lines=tuple(part), end=self.lines[-1].position if self.lines else 0)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 9)),
        st.tuples(st.just("trim"), st.integers(0, 5)),
        st.tuples(st.just("rotate"), st.integers(0, 5)),
        st.tuples(st.just("stream"), st.integers(1, 5)),
        st.tuples(st.just("read"), st.just(0)),
        st.tuples(st.just("reconnect"), st.just(0)),
    ),
    max_size=60,
)


def drive(track: Track, host: Host, step: tuple[str, int]) -> list[LogLine | Gap]:
    verb, amount = step
    if verb == "write":
        host.write(amount)
    elif verb == "trim":
        host.stream_from = max(host.stream_from, len(host.lines) - amount)
    elif verb == "rotate":
        host.kept_from = max(host.kept_from, len(host.lines) - amount)
    elif verb == "reconnect":
        track.catch_up()
    elif verb == "stream" and track.wanted is None:
        return track.accept_stream(host.stream_after(track.position or 0, amount))
    elif verb == "read" and track.wanted is not None:
        return track.accept_chunk(host.read(track.wanted))
    return []


def drain(track: Track, host: Host) -> list[LogLine | Gap]:
    """Go on until nothing is left, as the session does."""
    delivered: list[LogLine | Gap] = []
    for _ in range(1000):
        if track.wanted is not None:
            delivered += track.accept_chunk(host.read(track.wanted))
            continue
        more = track.accept_stream(host.stream_after(track.position or 0, 5))
        if not more and track.wanted is None:
            return delivered
        delivered += more
    raise AssertionError("it never comes to rest")


@settings(max_examples=400, deadline=None)
@given(steps=STEPS)
def test_each_line_arrives_once_and_in_order_or_lies_in_a_gap(steps):
    host, track = Host(), Track(container_id="c", position=0)
    delivered: list[LogLine | Gap] = []
    for step in steps:
        delivered += drive(track, host, step)
    track.catch_up()
    delivered += drain(track, host)

    lines = [item for item in delivered if isinstance(item, LogLine)]
    gaps = [item for item in delivered if isinstance(item, Gap)]
    assert [line.position for line in lines] == sorted({line.position for line in lines})
    covered = {line.position for line in lines}
    for line in host.lines:
        hidden = any(gap.start < line.position <= gap.end for gap in gaps)
        assert (line.position in covered) != hidden
    assert track.position == (host.lines[-1].position if host.lines else 0)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS)
def test_without_rotation_there_is_never_a_gap(steps):
    host, track = Host(), Track(container_id="c", position=0)
    delivered = []
    for step in steps:
        if step[0] != "rotate":
            delivered += drive(track, host, step)
    track.catch_up()
    delivered += drain(track, host)
    assert [item.text for item in delivered] == [line.text for line in host.lines]


def test_a_new_viewer_begins_with_the_tail_and_sees_no_gap(monkeypatch):
    monkeypatch.setattr(module, "TAIL", 3)
    host, track = Host(), Track(container_id="c")
    host.write(10)
    assert track.wanted == Wanted(after=0, limit=module.TAIL, newest=True)
    delivered = drain(track, host)
    assert [item.text for item in delivered] == ["7", "8", "9"]


def test_a_new_viewer_is_told_that_the_beginning_is_gone():
    host = Host()
    host.write(30)
    host.kept_from = 10
    first, *rest = Track(container_id="c").accept_chunk(LogChunk(lines=host.lines[10:], end=111))
    assert isinstance(first, Gap)
    assert (first.start, first.end) == (0, host.lines[9].position)
    assert first.reason == module.EARLIER_GONE
    assert rest == host.lines[10:]


def test_who_is_shown_the_tail_alone_is_told_nothing_of_what_is_before():
    host = Host()
    host.write(module.TAIL + 30)
    tail = host.lines[30:]
    assert Track(container_id="c").accept_chunk(LogChunk(lines=tail, end=1)) == tail


def test_a_viewer_that_is_far_behind_gets_a_gap_and_the_tail(monkeypatch):
    monkeypatch.setattr(module, "FAR_BEHIND", 20)
    host, track = Host(), Track(container_id="c", position=0)
    host.write(40)
    delivered = drain(track, host)
    gap = next(item for item in delivered if isinstance(item, Gap))
    assert "skipped" in gap.reason
    assert delivered[-1].text == "39"


def test_an_error_while_reading_becomes_a_visible_gap():
    host, track = Host(), Track(container_id="c", position=0)
    host.write(5)
    assert track.accept_chunk(LogChunk(end=4, error="The log cannot be read.")) == [
        Gap(container_id="c", start=0, end=4, reason="The log cannot be read.")
    ]


def test_a_container_without_lines_comes_to_rest():
    track = Track(container_id="c")
    assert track.accept_chunk(LogChunk()) == []
    assert (track.position, track.wanted, track.last_id) == (0, None, "0-0")
