"""docs/protocol.md: every example is a message, and every message has an example."""

import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from agents.protocol import commands, control, enrolment, envelope, events, records

TEXT = (Path(__file__).parents[3] / "docs/protocol.md").read_text()
EXAMPLES = re.findall(r"^```json (\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
MODULES = (commands, control, enrolment, envelope, events, records)
BASES = {"Command", "Control", "Event", "Record", "OutputLine", "ErrorInfo"}


def messages(module: ModuleType) -> set[str]:
    own = (
        one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__
    )
    return {
        one.__name__ for one in own if isinstance(one, type) and issubclass(one, msgspec.Struct)
    }


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_is_a_message(name: str, text: str):
    kind = next(vars(module)[name] for module in MODULES if name in vars(module))
    fields = set(msgspec.json.decode(text)) - {"type"}
    msgspec.json.decode(text, type=kind)
    assert fields <= {field.encode_name for field in msgspec.structs.fields(kind)}


def test_every_message_has_an_example():
    told = {name for name, _ in EXAMPLES}
    needed = set().union(*(messages(module) for module in MODULES if module is not records))
    assert needed - BASES - told == set()


def test_every_reason_of_a_refusal_is_told():
    for reason in envelope.RefusalReason.__args__:
        assert f"| `{reason}` |" in TEXT
