"""The keys that leave a terminal."""

import pytest

from agents.engines.detach_keys import DetachMatcher, parse
from agents.errors import InvalidInputError


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", b""),
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("ctrl-@", b"\0"),
        ("a", b"a"),
        ("ctrl-[", b"\x1b"),
    ],
)
def test_keys_are_read_as_docker_writes_them(text: str, keys: bytes) -> None:
    assert parse(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-1", "alt-x", ",", "ä"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse(text)


def test_the_sequence_is_found_across_pieces() -> None:
    matcher = DetachMatcher(b"\x10\x11")
    assert (matcher.feed(b"ab\x10"), matcher.matched) == (b"ab", False)
    assert (matcher.feed(b"\x11rest"), matcher.matched) == (b"", True)


def test_what_only_began_the_sequence_is_passed_on() -> None:
    matcher = DetachMatcher(b"\x10\x11")
    assert matcher.feed(b"\x10") == b""
    assert matcher.feed(b"\x10x") == b"\x10\x10x"
    assert not matcher.matched


def test_without_a_sequence_all_is_passed_on() -> None:
    assert DetachMatcher(b"").feed(b"\x10\x11") == b"\x10\x11"
