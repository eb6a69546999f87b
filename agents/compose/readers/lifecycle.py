"""How a service starts and ends: depends_on, restart, healthcheck, stop, pull and scale."""

from agents.compose.cursor import Cursor
from agents.compose.errors import InvalidValueError
from agents.compose.model import Condition, Dependency, Healthcheck, PullPolicy, Restart
from agents.compose.quantities import parse_seconds
from agents.compose.readers.tables import DEPENDENCY, HEALTHCHECK

_CONDITIONS: dict[str, Condition] = {
    "service_started": "service_started",
    "service_healthy": "service_healthy",
    "service_completed_successfully": "service_completed_successfully",
}
_PULL_POLICIES: dict[str, PullPolicy] = {
    "missing": "missing",
    "if_not_present": "missing",
    "always": "always",
    "never": "never",
    "build": "build",
}


def read_dependencies(cursor: Cursor) -> tuple[Dependency, ...]:
    """Read ``depends_on``: a list of services, or a mapping to conditions."""
    if cursor.is_list:
        return cursor.each(lambda item: Dependency(service=item.word()))
    return cursor.each_entry(_read_dependency, expected="a list or a mapping")


def _read_dependency(cursor: Cursor) -> Dependency:
    if cursor.is_null:
        return Dependency(service=cursor.key)
    fields = cursor.fields(DEPENDENCY)
    return Dependency(
        service=cursor.key,
        condition=fields.read("condition", _read_condition, "service_started"),
        restart=fields.read("restart", Cursor.boolean, False),
        required=fields.read("required", Cursor.boolean, True),
    )


def _read_condition(cursor: Cursor) -> Condition:
    condition = _CONDITIONS.get(cursor.word())
    if condition is None:
        raise cursor.unexpected(", ".join(_CONDITIONS))
    return condition


def read_restart(cursor: Cursor) -> Restart:
    """Read ``no``, ``always``, ``unless-stopped``, ``on-failure`` or ``on-failure:5``."""
    expected = "no, always, unless-stopped, on-failure or on-failure:<number>"
    text = cursor.text()
    name, colon, retries = text.partition(":")
    if colon and not (name == "on-failure" and retries.isascii() and retries.isdigit()):
        raise cursor.unexpected(expected)
    match name:
        case "no" | "false" | "":
            return Restart()
        case "always":
            return Restart(policy="always")
        case "unless-stopped":
            return Restart(policy="unless-stopped")
        case "on-failure":
            return Restart(policy="on-failure", max_retries=int(retries or 0))
    raise cursor.unexpected(expected)


def read_seconds(cursor: Cursor) -> float:
    """Read a duration."""
    return parse_seconds(cursor.word())


def read_count(cursor: Cursor) -> int:
    """Read a whole number that is not negative."""
    number = cursor.integer()
    if number < 0:
        raise InvalidValueError(f"{number} is negative", expected="0 or more")
    return number


def read_pull_policy(cursor: Cursor) -> PullPolicy:
    """Read ``pull_policy``."""
    text = cursor.word()
    policy = _PULL_POLICIES.get(text)
    if text in ("daily", "weekly") or text.startswith("every_"):
        message = f'The policy "{text}" is not supported yet'
        raise InvalidValueError(message, expected="missing, always, never or build")
    if policy is None:
        raise cursor.unexpected("missing, always, never or build")
    return policy


def read_healthcheck(cursor: Cursor) -> Healthcheck:
    """Read a health check; without a test it changes the times of the image's."""
    fields = cursor.fields(HEALTHCHECK)
    test = fields.read("test", _read_test, ())
    return Healthcheck(
        test=test,
        interval=fields.read("interval", read_seconds, None),
        timeout=fields.read("timeout", read_seconds, None),
        start_period=fields.read("start_period", read_seconds, None),
        start_interval=fields.read("start_interval", read_seconds, None),
        retries=fields.read("retries", read_count, None),
        disable=fields.read("disable", Cursor.boolean, False) or test == ("NONE",),
    )


def _read_test(cursor: Cursor) -> tuple[str, ...]:
    if not cursor.is_list:
        return ("CMD-SHELL", cursor.string())
    words = cursor.each(Cursor.text)
    if words and words[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise InvalidValueError(
            f'"{words[0]}" cannot be the first word', expected="CMD, CMD-SHELL or NONE"
        )
    if words in (("CMD",), ("CMD-SHELL",)) or (words[:1] == ("CMD-SHELL",) and len(words) > 2):
        raise InvalidValueError(
            f'"{words[0]}" is followed by the wrong number of words',
            expected="CMD with a program and its arguments, or CMD-SHELL with one line",
        )
    return words
