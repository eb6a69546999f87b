"""Files made to hurt: each is answered quickly, in little memory."""

import time
from collections.abc import Iterable

import pytest

from agents.compose import check
from agents.compose.dotenv import DotenvError, parse_dotenv
from tests.agents.compose.projects import check_text

LAUGHS = (
    "A="
    + "x" * 10
    + "\n"
    + "".join(
        f"{name}=${before}${before}\n"
        for before, name in zip("ABCDEFGHIJKLMNOPQRST", "BCDEFGHIJKLMNOPQRSTU", strict=True)
    )
)
MANY = range(4000)


def chain() -> str:
    body = ",".join(f"s{n}: {{image: x, depends_on: [s{n + 1}]}}" for n in MANY)
    return f"services: {{{body}, s{len(MANY)}: {{image: x}}}}"


def service(key: str, items: Iterable[str]) -> str:
    return f"services: {{a: {{image: x, {key}: [{','.join(items)}]}}}}"


HARD = {
    "unknown keys": "services: {a: {" + ",".join(f"k{n}: 1" for n in MANY) + "}}",
    "a long chain": chain(),
    "undefined networks": service("networks", (f"n{n}" for n in MANY)),
    "undefined services": service("depends_on", (f"n{n}" for n in MANY)),
    "many addresses": service("ports", (f"'10.0.{n // 250}.{n % 250}:80:80'" for n in MANY)),
    "wide ranges": service("ports", ("'1-4000:1-4000/udp'" for _ in MANY)),
    "long variables": service("command", ("$BIG" for _ in MANY)),
    "many files": service("env_file", ("big.env" for _ in MANY)),
    "a long word": "services: {a: {" + "k" * 500_000 + ": 1}}",
    "open braces": "services: {a: {image: '" + "${A:-" * 50_000 + "'}}",
}


@pytest.mark.parametrize("name", HARD)
def test_a_hard_file_is_answered_quickly(name: str) -> None:
    began = time.process_time()
    files = {"compose.yml": HARD[name], "big.env": "A=" + "x" * 10_000 + "\n"}
    checked = check(files, project_name="demo", variables={"BIG": "x" * 100_000})
    assert time.process_time() - began < 3
    assert len(checked.problems) <= 200
    assert all(len(problem.message) < 1000 for problem in checked.problems)


def test_variables_that_double_one_another_are_stopped() -> None:
    with pytest.raises(DotenvError, match="KiB long"):
        parse_dotenv(LAUGHS, {}.get)


def test_a_long_file_of_variables_is_read_in_linear_time() -> None:
    began = time.process_time()
    text = "".join(f"A{n}='x'\nB{n}=\"$A{n}\"\n" for n in range(20_000)) + " " * 500_000
    assert len(parse_dotenv(text, {}.get)) == 40_000
    assert time.process_time() - began < 3


def test_a_message_shows_the_name_of_a_variable_and_not_its_value() -> None:
    (problem,) = check_text(
        "services: {a: {image: x, ports: ['${PW}:80']}}", variables={"PW": "hunter2"}
    ).errors
    assert problem.message == '"${PW}" is not a host port'


def test_a_file_of_200_lines_is_checked_within_15_milliseconds() -> None:
    service = (
        "  s{n}:\n    image: app:1\n    restart: always\n    environment:\n      A: ${{A:-1}}\n"
        '      B: b\n    ports:\n      - "{n}:80"\n    volumes:\n      - ./d:/d:ro\n'
        "      - vol:/v\n    labels:\n      a.b: c\n"
    )
    text = "services:\n" + "".join(service.format(n=n) for n in range(1, 16)) + "volumes:\n  vol:\n"
    assert len(text.splitlines()) >= 195
    times = []
    for _ in range(10):
        began = time.process_time()
        assert check_text(text).project is not None
        times.append(time.process_time() - began)
    assert min(times) < 0.015
