"""Our reading of Dockerfiles, patterns and image names against the recorded answers."""

import itertools
import re
from collections.abc import Callable, Iterator

import pytest

from agents.engines.native.build.parser import Instruction, parse
from agents.engines.native.build.patterns import Matcher, clean_lines
from agents.engines.native.build.shell import Expander
from agents.engines.native.images.references import Reference, normalise, parse_reference
from agents.errors import AgentError
from tests.conformance.oracles import Record, check_score, score_records

KEYWORDS = (
    *("add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck"),
    *("label", "maintainer", "onbuild", "run", "shell", "stopsignal", "user", "volume"),
    "workdir",
)


def agrees_on_word(record: Record) -> bool:
    expander = Expander(
        escape=record["escape"],
        keep_unset=record["skip_unset_env"],
        raw_quotes=record["raw_quotes"],
        raw_escapes=record["raw_escapes"],
        ignore_quotes=record["skip_process_quotes"],
    )
    try:
        found = expander.expand(record["word"], record["env"])
    except AgentError:
        return record["error"] is not None
    if record["error"] is not None:
        return False
    if found.word != record["result"]:
        return False
    # The recorded words of "he${X:-y}" lack what stands before the variable.
    has_operator = re.search(r"\$\{\w+[^\w}]", record["word"])
    return bool(has_operator) or list(found.words) == (record["words"] or [])


def show_node(node: Instruction) -> dict[str, object]:
    args: list[object] = list(node.args) if node.keyword in KEYWORDS else [""]
    if node.child is not None:
        args = [{**show_node(node.child), "start": 0, "end": 0}]
    shown: dict[str, object] = {
        "args": args,
        "end": node.end,
        "start": node.line,
        "value": node.keyword,
    }
    if node.is_json:
        shown["attributes"] = {"json": True}
    if node.flags:
        shown["flags"] = list(node.flags)
    return shown


def wanted_node(node: dict[str, object]) -> dict[str, object]:
    args = [wanted_node(arg) if isinstance(arg, dict) else arg for arg in node["args"]]
    optional = {key: node[key] for key in ("attributes", "flags") if node.get(key)}
    return optional | {
        "value": str(node["value"]).lower(),
        "args": args,
        "start": node["start"],
        "end": node["end"],
    }


def agrees_on_file(record: Record) -> bool:
    try:
        found = parse(record["dockerfile"])
    except AgentError:
        return record["error"] is not None
    if record["error"] is not None:
        return False
    shown = [show_node(node) for node in found.instructions]
    wanted = [wanted_node(node) for node in record["nodes"]]
    return found.escape == record["escape"] and shown == wanted


def agrees_on_pattern(record: Record) -> bool:
    path = record["file"].removeprefix("/")
    try:
        found = {Matcher(patterns).excludes(path) for patterns in with_exceptions(record)}
    except AgentError:
        return record["error"] is not None
    return record["error"] is None and record["result"] in found


def with_exceptions(record: Record) -> Iterator[list[str]]:
    """The records do not say which of the patterns began with "!", only that some did."""
    patterns = [pattern.removeprefix("!") for pattern in record["patterns"]]
    marks = itertools.product(("", "!"), repeat=len(patterns) if record["exclusions"] else 0)
    for chosen in marks:
        yield [mark + one for mark, one in itertools.zip_longest(chosen, patterns, fillvalue="")]


def agrees_on_cleaning(record: Record) -> bool:
    try:
        matcher = Matcher(record["patterns"])
    except AgentError:
        return record["error"] is not None
    shown = [{"cleaned": one.text, "exclusion": one.is_exception} for one in matcher.patterns]
    return record["error"] is None and shown == record["cleaned"]


def agrees_on_ignore_file(record: Record) -> bool:
    return clean_lines(record["src"]) == record["result"]


def show_reference(reference: Reference) -> dict[str, str]:
    shown = {
        "domain": reference.domain,
        "path": reference.path,
        "name": reference.name,
        "tag": reference.tag,
        "digest": reference.digest,
        "familiar": reference.familiar(),
        "string": str(reference),
    }
    return {key: value for key, value in shown.items() if value}


def agrees_on_reference(record: Record, read: Callable[[str], Reference]) -> bool:
    try:
        found = read(record["input"])
    except AgentError:
        return record["error"] is not None
    return record["error"] is None and show_reference(found) == record["result"]


@pytest.mark.parametrize(
    ("name", "agrees"),
    [
        ("dockerfile/shell_word", agrees_on_word),
        ("dockerfile/parse_unit", agrees_on_file),
        ("dockerfile/patternmatcher", agrees_on_pattern),
        ("dockerfile/patternmatcher_new", agrees_on_cleaning),
        ("dockerfile/dockerignore_read", agrees_on_ignore_file),
        ("values/ref_docker", lambda record: agrees_on_reference(record, normalise)),
        ("values/ref_normalized", lambda record: agrees_on_reference(record, parse_reference)),
    ],
)
def test_it_agrees_with_the_recorded_answers(name: str, agrees: Callable[[Record], bool]) -> None:
    check_score(score_records(name, agrees))
