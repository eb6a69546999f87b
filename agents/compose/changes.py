"""Why something is replaced: which fields differ, and from what to what."""

import re
from collections.abc import Iterator

import msgspec

from agents.compose.shellwords import join_words

HIDDEN = "(hidden)"
CHANGED = "(changed)"
_SECRET = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|private|salt|dsn|cookie|session|signature", re.IGNORECASE
)
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN ")
_KEYED_BY = {"networks": "network", "depends_on": "service", "volumes": "target", "ulimits": "name"}
_LONGEST = 200


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs; "" stands for "not there"."""

    field: str
    before: str
    after: str


def compare_specs(before: str, after: str) -> tuple[Change, ...]:
    """Return the fields that differ between two canonical forms, sorted by name.

    Values whose name or form looks secret are not shown. When the first form cannot be
    read, one change of the field ``configuration`` says so.
    """
    old, new = _decode(before), _decode(after)
    if old is None or new is None:
        return (Change(field="configuration", before="unknown", after=CHANGED),)
    was, now = dict(_flatten("", old)), dict(_flatten("", new))
    fields = sorted(field for field in was.keys() | now.keys() if was.get(field) != now.get(field))
    return tuple(_change(field, was.get(field), now.get(field)) for field in fields)


def _decode(spec: str) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(spec, type=dict[str, object])
    except msgspec.MsgspecError:
        return None


def _flatten(field: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list) and field in _KEYED_BY:
        name = _KEYED_BY[field]
        value = {str(item.get(name)): _without(item, name) for item in value}
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flatten(f"{field}.{key}" if field else str(key), inner)
    else:
        yield field, value


def _without(item: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in item.items() if key != name}


def _change(field: str, before: object, after: object) -> Change:
    texts = (_render(field, before), _render(field, after))
    named = field.partition(".")[2] if field.startswith(("environment.", "labels.")) else ""
    if _SECRET.search(named) or any(_SECRET_VALUE.search(text) for text in texts):
        shown = "" if before is None else HIDDEN
        return Change(field=field, before=shown, after="" if after is None else CHANGED)
    return Change(field=field, before=_shorten(texts[0]), after=_shorten(texts[1]))


def _render(field: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return _render_list(field, value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={_render('', item)}" for key, item in value.items())
    return str(value)


def _render_list(field: str, values: list[object]) -> str:
    if field in ("command", "entrypoint"):
        return join_words(tuple(str(value) for value in values)) or "(none)"
    if field == "ports":
        return ", ".join(_render_port(value) for value in values if isinstance(value, dict))
    return ", ".join(_render("", value) for value in values)


def _render_port(port: dict[str, object]) -> str:
    published = str(port.get("published", ""))
    if "published_last" in port:
        published += f"-{port['published_last']}"
    left = ":".join(filter(None, (str(port.get("host_ip", "")), published)))
    right = f"{port['target']}/{port.get('protocol', 'tcp')}"
    return f"{left}:{right}" if left else right


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
