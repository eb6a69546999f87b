"""Our readings of Compose's little languages against the recorded ones."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from agents.compose.dotenv import parse_dotenv
from agents.compose.errors import InvalidValueError
from agents.compose.model import Mount, Port
from agents.compose.mounts import parse_mount
from agents.compose.ports import parse_port
from agents.compose.quantities import parse_duration, parse_size
from agents.compose.shellwords import split_words
from agents.compose.template import substitute
from tests.conformance.oracles import Record, check_score, score_records

T = TypeVar("T")


def attempt(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except InvalidValueError:
        return None


def compare(record: Record, read: Callable[[], object]) -> bool:
    """An error needs an error; a result the same result."""
    ours = attempt(read)
    if record["error"] is not None:
        return ours is None
    return ours == record["result"]


def agrees_on_template(record: Record) -> bool:
    variables = record["vars"]
    return compare(record, lambda: substitute(record["template"], variables.get))


def agrees_on_dotenv(record: Record) -> bool:
    def read() -> dict[str, str]:
        return {**record["before"], **parse_dotenv(record["src"], record["lookup"].get)}

    return compare(record, read)


def show_port(port: Port) -> dict[str, object]:
    published = "" if port.published is None else str(port.published)
    if port.published_last is not None:
        published += f"-{port.published_last}"
    shown = {"host_ip": port.host_ip, "mode": "ingress", "protocol": port.protocol}
    return {
        key: value
        for key, value in {**shown, "published": published, "target": port.target}.items()
        if value != ""
    }


def agrees_on_port(record: Record) -> bool:
    return compare(record, lambda: [show_port(port) for port in parse_port(record["spec"])])


def show_mount(mount: Mount) -> dict[str, object]:
    shown: dict[str, object] = {"type": mount.type, "target": mount.target}
    if mount.source:
        shown["source"] = mount.source
    if mount.read_only:
        shown["read_only"] = True
    options = {"propagation": mount.propagation, "selinux": mount.selinux}
    bind = {key: value for key, value in options.items() if value}
    volume = {"nocopy": True} if mount.nocopy else {}
    return {**shown, mount.type: bind if mount.type == "bind" else volume}


def agrees_on_mount(record: Record) -> bool:
    ours = attempt(lambda: show_mount(parse_mount(record["spec"])))
    if record["error"] is not None:
        return ours is None
    wanted = dict(record["result"])
    # Paths that are not absolute lack the empty options in the record.
    wanted.setdefault(wanted["type"], {})
    return ours == wanted


def agrees_on_duration(record: Record) -> bool:
    ours = attempt(lambda: parse_duration(record["input"]))
    return ours is None if record["error"] is not None else ours == record["result_ns"]


def agrees_on_size(record: Record) -> bool:
    return compare(record, lambda: parse_size(record["input"]))


def agrees_on_words(record: Record) -> bool:
    return compare(record, lambda: list(split_words(record["input"])))


@pytest.mark.parametrize(
    ("name", "agrees"),
    [
        ("compose/template", agrees_on_template),
        ("compose/dotenv", agrees_on_dotenv),
        ("compose/port_short", agrees_on_port),
        ("compose/volume_short", agrees_on_mount),
        ("compose/duration", agrees_on_duration),
        ("compose/bytes", agrees_on_size),
        ("compose/shellwords", agrees_on_words),
    ],
)
def test_it_agrees_with_the_recorded_answers(name: str, agrees: Callable[[Record], bool]) -> None:
    check_score(score_records(name, agrees))
