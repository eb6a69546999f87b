"""The little languages: variables, words, ports, mounts, durations, sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.compose.errors import InvalidValueError, VariableError
from agents.compose.model import Mount, Port
from agents.compose.mounts import parse_mount
from agents.compose.ports import parse_port
from agents.compose.quantities import parse_duration, parse_seconds, parse_size
from agents.compose.shellwords import join_words, split_words
from agents.compose.template import substitute

VARIABLES = {"SET": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("$SET-x", "value-x"),
        ("${SET}", "value"),
        ("${NONE}", ""),
        ("$$SET", "$SET"),
        ("a $ b", "a $ b"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${NONE-d}", "d"),
        ("${SET:+yes}${EMPTY:+no}${EMPTY+set}", "yesset"),
        ("${NONE:-${EMPTY:-${SET}}}", "value"),
        ('${NONE:-{"a":1}}', '{"a":1}'),
    ],
)
def test_variables_are_replaced(template: str, result: str) -> None:
    assert substitute(template, VARIABLES.get) == result


@pytest.mark.parametrize("template", ["${", "${}", "${ A}", "${A b}", "${A!}", "${EMPTY:?why}"])
def test_a_wrong_variable_is_an_error(template: str) -> None:
    with pytest.raises(VariableError):
        substitute(template, VARIABLES.get)


def test_a_required_variable_says_why_it_is_required() -> None:
    with pytest.raises(VariableError, match="NONE must be set: ask $") as caught:
        substitute("${NONE?ask ${EMPTY}}", VARIABLES.get)
    assert caught.value.code == "missing_variable"


def test_deep_nesting_of_variables_is_refused() -> None:
    with pytest.raises(VariableError, match="nested deeper"):
        substitute("${A:-" * 5000 + "}" * 5000, VARIABLES.get)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("a  b\tc", ("a", "b", "c")),
        ("sh -c 'a b' \"c d\"", ("sh", "-c", "a b", "c d")),
        (r'a\ b "x\"y" ' + r"'\n'", ("a b", 'x"y', r"\n")),
        ("'' x", ("", "x")),
    ],
)
def test_a_command_is_split_as_a_shell_would(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words


def test_an_open_quote_is_an_error() -> None:
    with pytest.raises(InvalidValueError, match="never closed"):
        split_words("echo 'a")


@given(st.lists(st.text()))
def test_joined_words_split_into_the_same_words(words: list[str]) -> None:
    assert split_words(join_words(tuple(words))) == tuple(words)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", [Port(target=80)]),
        ("8080:80", [Port(target=80, published=8080)]),
        ("53:5353/udp", [Port(target=5353, published=53, protocol="udp")]),
        ("127.0.0.1::80", [Port(target=80, host_ip="127.0.0.1")]),
        ("[::1]:80:80", [Port(target=80, published=80, host_ip="::1")]),
        ("8000-8009:80", [Port(target=80, published=8000, published_last=8009)]),
        ("1-2:3-4", [Port(target=3, published=1), Port(target=4, published=2)]),
        ("7-8", [Port(target=7), Port(target=8)]),
    ],
)
def test_a_short_port_is_read(text: str, ports: list[Port]) -> None:
    assert list(parse_port(text)) == ports


@pytest.mark.parametrize(
    "text", ["", "x", "0:80", "70000", "80/icmp", "1.2.3:1:2", "1-2:3-5", "9-1", "-1", "1:2:3:4"]
)
def test_a_wrong_port_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_port(text)


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("/data", Mount(type="volume", target="/data")),
        ("data:/data", Mount(type="volume", source="data", target="/data")),
        ("./a:/b:ro", Mount(type="bind", source="./a", target="/b", read_only=True)),
        ("/a:/b:rw,z", Mount(type="bind", source="/a", target="/b", selinux="z")),
        ("data:/x:nocopy", Mount(type="volume", source="data", target="/x", nocopy=True)),
        (r"C:\a:/b", Mount(type="bind", source=r"C:\a", target="/b")),
    ],
)
def test_a_short_mount_is_read(text: str, mount: Mount) -> None:
    assert parse_mount(text) == mount


@pytest.mark.parametrize("text", ["", ":/a", "/a::ro", "/a:/b:ro:x"])
def test_a_wrong_mount_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_mount(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25)]
)
def test_a_duration_is_read_in_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "-1s", "1x", "s", "9999999999h"])
def test_a_wrong_duration_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1024", 1024), ("1k", 1024), ("2GB", 2**31), ("1.5m", 1572864), ("-1", -1)]
)
def test_a_size_is_read_in_bytes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "lots", "1x", "-5m", "1 2"])
def test_a_wrong_size_is_an_error(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_size(text)
