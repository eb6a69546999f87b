"""The language of the fake engine's programs."""

import threading

import pytest

from agents.engines.fake.script import Program, parse
from agents.errors import InvalidInputError


def run(*argv: str) -> tuple[int, list[tuple[str, str]]]:
    """Follow a script to its end; return its code and what it wrote."""
    written: list[tuple[str, str]] = []
    codes: list[int] = []
    ended = threading.Event()

    def on_end(code: int) -> None:
        codes.append(code)
        ended.set()

    Program(parse(argv), lambda stream, text: written.append((stream, text)), on_end).start()
    assert ended.wait(10)
    return codes[0], written


def test_words_are_programs_of_their_own() -> None:
    assert run("write", "some", "text") == (0, [("stdout", "some text")])
    assert run("exit", "4") == (4, [])


def test_a_script_has_statements() -> None:
    code, written = run("sh", "-c", "echo 'a b'; echo c >&2; exit 3; echo never")
    assert (code, written) == (3, [("stdout", "a b"), ("stderr", "c")])


def test_an_unknown_word_in_a_script_ends_it_as_a_shell_does() -> None:
    assert run("sh", "-c", "frob") == (127, [("stderr", "sh: frob: not found")])


def test_a_loop_goes_on_until_it_is_ended() -> None:
    code, written = run("sh", "-c", "while :; do echo x; exit 1; done; echo never")
    assert (code, written) == (1, [("stdout", "x")])


def test_an_unknown_program_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="nothere"):
        parse(("nothere", "-x"))
