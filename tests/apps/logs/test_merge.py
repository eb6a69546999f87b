"""Lines of several containers in the order of time."""

from hypothesis import given
from hypothesis import strategies as st

from agents.protocol.records import LogLine
from apps.logs.merge import merge


def line(container_id: str, position: int, at: float) -> LogLine:
    return LogLine(
        container_id=container_id,
        position=position,
        previous=position - 1,
        at=at,
        stream="stdout",
        text="",
    )


def test_lines_are_in_order_of_time():
    web = [line("a", 1, 1.0), line("a", 2, 4.0)]
    clock = [line("b", 1, 2.0), line("b", 2, 3.0)]
    assert [item.at for item in merge([web, clock])] == [1.0, 2.0, 3.0, 4.0]


@given(times=st.lists(st.lists(st.floats(0, 100), max_size=20), max_size=4))
def test_the_order_within_a_container_never_changes(times):
    sources = [
        [line(str(number), index + 1, at) for index, at in enumerate(column)]
        for number, column in enumerate(times)
    ]
    merged = merge(sources)
    for number, source in enumerate(sources):
        assert [item for item in merged if item.container_id == str(number)] == source
