"""The instructions that change an image's configuration and no file."""

import posixpath
import re
import signal
from collections.abc import Callable, Iterator, Mapping

from agents.engines.native.build.parser import Instruction
from agents.engines.native.build.state import DEFAULT_SHELL, PROXIES, StageState
from agents.engines.native.images.config import Healthcheck
from agents.errors import InvalidInputError

Setting = Callable[[StageState, Instruction], None]

_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_HIGHEST_PORT = 65535


def pairs(args: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Return names and values of ENV and LABEL."""
    return zip(args[::3], args[1::3], strict=True)


def command_line(state: StageState, instruction: Instruction) -> tuple[str, ...]:
    """Return the argv of a command in JSON or shell form."""
    if instruction.is_json:
        return instruction.args
    return (*(state.shell or DEFAULT_SHELL), " ".join(instruction.args))


def _env(state: StageState, instruction: Instruction) -> None:
    # All values see the variables as they were before the instruction.
    values = {state.expand(name): state.expand(text) for name, text in pairs(instruction.args)}
    if "" in values:
        raise InvalidInputError("A name in ENV is empty.")
    state.environment.update(values)


def _label(state: StageState, instruction: Instruction) -> None:
    values = {state.expand(name): state.expand(text) for name, text in pairs(instruction.args)}
    if "" in values:
        raise InvalidInputError("A name in LABEL is empty.")
    state.labels.update(values)


def _arg(state: StageState, instruction: Instruction) -> None:
    for word in instruction.args:
        name, equals, default = word.partition("=")
        name = state.expand(name)
        if name in state.given:
            state.arguments[name] = state.given[name]
        elif equals:
            state.arguments[name] = state.expand(default)
        elif name in state.globals:
            state.arguments[name] = state.globals[name]


def _cmd(state: StageState, instruction: Instruction) -> None:
    state.command = command_line(state, instruction) if instruction.args else ()
    state.command_is_own = True


def _entrypoint(state: StageState, instruction: Instruction) -> None:
    state.entrypoint = command_line(state, instruction) if instruction.args else ()
    if not state.command_is_own:
        # A command meant for the base's entrypoint makes no sense for this one.
        state.command = None


def _user(state: StageState, instruction: Instruction) -> None:
    state.user = state.expand(instruction.args[0])


def _working_dir(state: StageState, instruction: Instruction) -> None:
    path = state.expand(instruction.args[0])
    if not path:
        raise InvalidInputError("WORKDIR is empty.")
    state.working_dir = posixpath.normpath(posixpath.join("/", state.working_dir, path))
    state.working_dir = "/" + state.working_dir.lstrip("/")


def _expose(state: StageState, instruction: Instruction) -> None:
    for text in instruction.args:
        for word in state.expand_words(text).words:
            state.ports.update(_ports(word))


def _ports(text: str) -> Iterator[str]:
    found = _PORTS.fullmatch(text.rpartition(":")[2])
    first = int(found[1]) if found else 0
    last = int(found[2] or first) if found else 0
    if found is None or not 0 < first <= last <= _HIGHEST_PORT:
        raise InvalidInputError(f"{text!r} is no port; write it as 80, 80/udp or 8000-8010.")
    protocol = (found[3] or "tcp").lower()
    return (f"{port}/{protocol}" for port in range(first, last + 1))


def _volume(state: StageState, instruction: Instruction) -> None:
    for text in instruction.args:
        path = state.expand(text).strip()
        if not path:
            raise InvalidInputError("A path in VOLUME is empty.")
        state.volumes.add(path)


def _shell(state: StageState, instruction: Instruction) -> None:
    if not instruction.is_json or not instruction.args:
        raise InvalidInputError('SHELL needs a JSON list: SHELL ["/bin/sh", "-c"].')
    state.shell = instruction.args


def _stop_signal(state: StageState, instruction: Instruction) -> None:
    text = state.expand(instruction.args[0])
    name = text.upper().removeprefix("SIG")
    known = {one.name.removeprefix("SIG") for one in signal.Signals} | {"RTMIN", "RTMAX"}
    number = int(text) if text.isdecimal() else 0
    if not 0 < number <= signal.NSIG and name.partition("+")[0].partition("-")[0] not in known:
        raise InvalidInputError(f"{text!r} is no signal.")
    state.stop_signal = text


def _healthcheck(state: StageState, instruction: Instruction) -> None:
    kind = instruction.args[0].upper()
    if kind == "NONE":
        state.healthcheck = Healthcheck(test=("NONE",))
        return
    if kind != "CMD" or len(instruction.args) < 2:
        raise InvalidInputError("HEALTHCHECK is followed by NONE, or by CMD and a command.")
    options = dict(_flag(flag) for flag in instruction.flags)
    unknown = set(options) - {"interval", "timeout", "start-period", "start-interval", "retries"}
    if unknown:
        raise InvalidInputError(f"HEALTHCHECK has no flag --{min(unknown)}.")
    retries = options.get("retries", "0")
    if not retries.isdecimal():
        raise InvalidInputError(f"--retries={retries} is no number.")
    state.healthcheck = Healthcheck(
        test=("CMD" if instruction.is_json else "CMD-SHELL", *instruction.args[1:]),
        interval=_duration(options.get("interval", "")),
        timeout=_duration(options.get("timeout", "")),
        start_period=_duration(options.get("start-period", "")),
        start_interval=_duration(options.get("start-interval", "")),
        retries=int(retries),
    )


def _flag(text: str) -> tuple[str, str]:
    name, _, value = text.removeprefix("--").partition("=")
    return name, value


def _duration(text: str) -> int:
    """Return nanoseconds of Go's notation: ``1m30s``."""
    pieces = _DURATION.findall(text)
    if "".join(number + unit for number, unit in pieces) != text and text != "0":
        raise InvalidInputError(f"{text!r} is no duration; write it as 30s or 1m30s.")
    return round(sum(float(number) * _UNITS[unit] for number, unit in pieces))


def _on_build(state: StageState, instruction: Instruction) -> None:
    child = instruction.child
    if child is None or child.keyword in ("onbuild", "from", "maintainer"):
        raise InvalidInputError("ONBUILD is followed by an instruction, and not by this one.")
    state.triggers = (*state.triggers, child.original)


def _maintainer(state: StageState, instruction: Instruction) -> None:
    state.author = instruction.args[0]


SETTINGS: Mapping[str, Setting] = {
    "arg": _arg,
    "cmd": _cmd,
    "entrypoint": _entrypoint,
    "env": _env,
    "expose": _expose,
    "healthcheck": _healthcheck,
    "label": _label,
    "maintainer": _maintainer,
    "onbuild": _on_build,
    "shell": _shell,
    "stopsignal": _stop_signal,
    "user": _user,
    "volume": _volume,
    "workdir": _working_dir,
}


def consumed(given: Mapping[str, str], declared: set[str]) -> set[str]:
    """Return the given build arguments that nothing declares, which is worth a warning."""
    return set(given) - declared - PROXIES
