"""From the instructions of a Dockerfile to the stages that a build must run."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.engines.native.build.parser import Dockerfile, Instruction
from agents.engines.native.build.settings import SETTINGS
from agents.engines.native.build.shell import Expander
from agents.engines.native.images.store import host_architecture
from agents.errors import BuildError, InvalidInputError

_LAYERED = ("add", "copy", "run", "from")
KEYWORDS = (*SETTINGS, *_LAYERED)
_FLAGS: Mapping[str, tuple[str, ...]] = {
    "from": ("platform",),
    "add": ("chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"),
    "copy": ("chown", "chmod", "link", "exclude", "from", "parents"),
    "healthcheck": ("interval", "timeout", "start-period", "start-interval", "retries"),
    "run": ("mount", "network", "security"),
}
_SWITCHES = ("keep-git-dir", "link", "parents", "unpack")
_MAY_BE_EMPTY = ("cmd", "entrypoint", "onbuild", "run")
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. ``base`` is an image's name or ``scratch``; or ``parent`` is a stage's number."""

    number: int
    name: str
    base: str
    parent: int | None
    start: Instruction
    steps: tuple[Instruction, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The stages to build, in order; the last one gives the image.

    ``header`` are the values of the ARGs above the first FROM, ``declared`` the names of
    all ARGs.
    """

    stages: tuple[Stage, ...]
    all_stages: tuple[Stage, ...]
    header: Mapping[str, str]
    declared: frozenset[str]

    @property
    def steps(self) -> int:
        """Return how many steps there are, a FROM counting as one."""
        return sum(1 + len(stage.steps) for stage in self.stages)

    def source(self, name: str, before: int) -> Stage | None:
        """Return the earlier stage that ``COPY --from=name`` means; None means an image."""
        return _find_stage(self.all_stages[:before], name)


def make_plan(file: Dockerfile, given: Mapping[str, str], target: str = "") -> Plan:
    """Check all instructions and choose the stages that ``target`` (default: the last) needs.

    Raises ``BuildError`` with file and line.
    """
    for instruction in file.instructions:
        _check(instruction, file)
    first = _first_from(file)
    header = _read_header(file, file.instructions[:first], given)
    stages = _split_stages(file, file.instructions[first:], header)
    wanted = _target(stages, target, file)
    needed = _needed(stages, wanted)
    arguments = (arg for one in file.instructions if one.keyword == "arg" for arg in one.args)
    return Plan(
        stages=tuple(stage for stage in stages if stage.number in needed),
        all_stages=tuple(stages),
        header=header,
        declared=frozenset(arg.partition("=")[0] for arg in arguments),
    )


def _check(instruction: Instruction, file: Dockerfile) -> None:
    keyword = instruction.keyword
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, KEYWORDS, 1)
        hint = f"Did you mean {near[0].upper()}?" if near else ""
        raise _error(file, instruction, f"There is no instruction {keyword.upper()}.", hint)
    empty = not instruction.args and not instruction.child and not instruction.is_json
    if empty and keyword not in _MAY_BE_EMPTY:
        raise _error(file, instruction, f"{keyword.upper()} needs an argument.")
    for flag in instruction.flags:
        _check_flag(flag, instruction, file)
    if keyword in ("add", "copy") and len(instruction.args) < 2:
        raise _error(file, instruction, f"{keyword.upper()} needs a source and a destination.")
    if instruction.child is not None:
        _check(instruction.child, file)


def _check_flag(flag: str, instruction: Instruction, file: Dockerfile) -> None:
    keyword = instruction.keyword.upper()
    name, equals, _ = flag.removeprefix("--").partition("=")
    if name not in _FLAGS.get(instruction.keyword, ()):
        raise _error(file, instruction, f"{keyword} has no flag --{name}.")
    if flag.startswith("--network=") and flag[10:] not in ("default", "host", "none"):
        raise _error(file, instruction, f"There is no network {flag[10:]!r} for a RUN.")
    if not equals and name not in _SWITCHES:
        raise _error(file, instruction, f"--{name} needs a value: --{name}=…")


def _first_from(file: Dockerfile) -> int:
    for number, instruction in enumerate(file.instructions):
        if instruction.keyword == "from":
            return number
        if instruction.keyword != "arg":
            raise _error(file, instruction, "The first instruction must be FROM, or ARG above it.")
    raise BuildError("The file has no FROM.", file=file.name)


def _read_header(
    file: Dockerfile, instructions: Sequence[Instruction], given: Mapping[str, str]
) -> dict[str, str]:
    expander, values = Expander(escape=file.escape), _platform(given)
    for instruction in instructions:
        for word in instruction.args:
            name, equals, default = word.partition("=")
            if name in given:
                values[name] = given[name]
            elif equals:
                values[name] = _expand(file, instruction, expander, default, values)
    return values


def _platform(given: Mapping[str, str]) -> dict[str, str]:
    """Return the ARGs that are known without being declared: for which machine is built."""
    values = {"TARGETSTAGE": "default"}
    for prefix in ("TARGET", "BUILD"):
        values[f"{prefix}PLATFORM"] = f"linux/{host_architecture()}"
        values[f"{prefix}OS"] = "linux"
        values[f"{prefix}ARCH"] = host_architecture()
        values[f"{prefix}VARIANT"] = ""
    return {name: given.get(name, text) for name, text in values.items()}


def _expand(
    file: Dockerfile,
    instruction: Instruction,
    expander: Expander,
    text: str,
    values: Mapping[str, str],
) -> str:
    try:
        return expander.expand(text, values).word
    except InvalidInputError as exc:
        raise _error(file, instruction, exc.message) from exc


def _split_stages(
    file: Dockerfile, instructions: Sequence[Instruction], header: Mapping[str, str]
) -> list[Stage]:
    starts = [at for at, one in enumerate(instructions) if one.keyword == "from"]
    stages: list[Stage] = []
    for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
        steps = tuple(instructions[start + 1 : end])
        stages.append(_make_stage(file, instructions[start], steps, header, stages))
    return stages


def _make_stage(
    file: Dockerfile,
    start: Instruction,
    steps: tuple[Instruction, ...],
    header: Mapping[str, str],
    earlier: Sequence[Stage],
) -> Stage:
    words = start.args
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].lower() != "as"):
        raise _error(file, start, "FROM is written as FROM image, or FROM image AS name.")
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _STAGE_NAME.fullmatch(name):
        raise _error(file, start, f"{name!r} is no name for a stage.")
    base = _expand(file, start, Expander(escape=file.escape), words[0], header)
    if not base:
        raise _error(file, start, f"The base {words[0]!r} is empty: its ARG has no value.")
    named = [stage.number for stage in earlier if stage.name and stage.name == base.lower()]
    return Stage(
        number=len(earlier),
        name=name,
        base=base,
        parent=named[-1] if named else None,
        start=start,
        steps=steps,
    )


def _target(stages: Sequence[Stage], target: str, file: Dockerfile) -> Stage:
    if not target:
        return stages[-1]
    found = _find_stage(stages, target)
    if found is None:
        raise BuildError(f"There is no stage {target!r}.", file=file.name, field="target")
    return found


def _find_stage(stages: Sequence[Stage], name: str) -> Stage | None:
    for stage in reversed(stages):
        if stage.name and stage.name == name.lower():
            return stage
    number = int(name) if name.isdecimal() else len(stages)
    return stages[number] if number < len(stages) else None


def _needed(stages: Sequence[Stage], target: Stage) -> set[int]:
    needed: set[int] = set()
    todo = [target]
    while todo:
        stage = todo.pop()
        if stage.number in needed:
            continue
        needed.add(stage.number)
        if stage.parent is not None:
            todo.append(stages[stage.parent])
        sources = (_find_stage(stages[: stage.number], name) for name in _copied_from(stage))
        todo.extend(source for source in sources if source is not None)
    return needed


def _copied_from(stage: Stage) -> list[str]:
    flags = (flag for step in stage.steps if step.keyword == "copy" for flag in step.flags)
    return [flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")]


def _error(file: Dockerfile, instruction: Instruction, message: str, hint: str = "") -> BuildError:
    return BuildError(message, hint=hint, file=file.name, line=instruction.line)
