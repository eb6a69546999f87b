"""Whole Dockerfiles of other projects: what we read, and what image they would give."""

import pytest

from agents.engines.native.build.parser import Dockerfile, Instruction, parse
from agents.engines.native.build.plan import Plan, Stage, make_plan
from agents.engines.native.build.settings import SETTINGS
from agents.engines.native.build.shell import Expander
from agents.engines.native.build.state import StageState, from_scratch, from_stage
from agents.errors import AgentError
from tests.conformance.oracles import Record, check_score, score_records
from tests.conformance.test_dockerfile import show_node, wanted_node

NAMES = ("buildah", "buildkit", "cli", "compose", "compose-v1")


def agrees_on_reading(record: Record) -> bool:
    try:
        found = parse(record["dockerfile"])
    except AgentError:
        return record.get("ast") is None
    if record.get("ast") is None:
        return True  # it was refused for what it means, not for how it is written
    shown = [show_node(node) for node in found.instructions]
    return shown == [wanted_node(node) for node in record["ast"]]


def fold(record: Record) -> StageState:
    """Go through the settings alone, on a base of which only PATH and the command are known."""
    file = parse(record["dockerfile"])
    plan = make_plan(file, record.get("build_args") or {}, record.get("target") or "")
    done: dict[int, StageState] = {}
    for stage in plan.stages:
        done[stage.number] = fold_stage(stage, plan, file, done)
    return done[plan.stages[-1].number]


def fold_stage(
    stage: Stage, plan: Plan, file: Dockerfile, done: dict[int, StageState]
) -> StageState:
    if stage.parent is not None:
        state = from_stage(done[stage.parent])
    else:
        state = from_scratch(Expander(escape=file.escape), {}, plan.header)
        state.command = None if stage.base == "scratch" else ("sh",)
    for step in stage.steps:
        apply_setting(state, step)
    return state


def apply_setting(state: StageState, step: Instruction) -> None:
    if step.keyword in SETTINGS:
        SETTINGS[step.keyword](state, step)


def was_refused(record: Record) -> bool:
    """Only what the file itself tells is refused here; the rest shows in a build."""
    if "convert_error" in record:
        return True
    try:
        fold(record)
    except AgentError:
        return True
    return False


def agrees_on_image(record: Record) -> bool:
    if "image" not in record:
        return was_refused(record)
    wanted = record["image"]["config"]
    state = fold(record)
    config = state.document().config
    assert config is not None
    ours = {
        "Env": list(config.env or ()),
        "Cmd": list(config.cmd or ()),
        "Entrypoint": list(config.entrypoint or ()),
        "User": config.user,
        "WorkingDir": config.working_dir or "/",
        "Labels": config.labels or {},
        "ExposedPorts": config.exposed_ports or {},
        "Volumes": config.volumes or {},
        "StopSignal": config.stop_signal,
        "OnBuild": list(config.on_build or ()),
        "Shell": list(config.shell or ()),
    }
    return all((wanted.get(key) or type(value)()) == value for key, value in ours.items())


@pytest.mark.parametrize("name", NAMES)
def test_files_are_read_as_recorded(name: str) -> None:
    score = score_records(f"dockerfile_corpus/{name}", agrees_on_reading)
    score.name += "/ast"
    check_score(score)


@pytest.mark.parametrize("name", NAMES)
def test_images_are_configured_as_recorded(name: str) -> None:
    score = score_records(f"dockerfile_corpus/{name}", agrees_on_image)
    score.name += "/image"
    check_score(score)
