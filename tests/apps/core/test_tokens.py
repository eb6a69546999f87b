"""Tokens go into addresses and onto command lines."""

from apps.core.tokens import new_token


def test_a_token_is_never_taken_for_an_option() -> None:
    assert all(new_token().reveal().isalnum() for _ in range(500))


def test_no_two_tokens_are_the_same() -> None:
    assert len({new_token().reveal() for _ in range(500)}) == 500
