"""What nobody should ask for is refused in words, before anything is changed."""

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import (
    BuildSpec,
    ContainerSpec,
    DeviceSpec,
    EndpointSpec,
    ExecSpec,
    Limits,
    MountSpec,
    NetworkSpec,
    PruneSpec,
    UpdateSpec,
    VolumeSpec,
)
from agents.errors import AgentError, InvalidInputError, NotFoundError
from tests.contracts.bench import unique

pytestmark = pytest.mark.root

# No name, id, path or address is any of these.
BAD = ("", " ", "..", "../x", "a\0b", "x" * 5000, "\udcff", "-x", "a\nb", "a/../b", "%s", "²")

Act = Callable[[NativeEngine, str], object]

BY_NAME: dict[str, Act] = {
    "find": lambda engine, bad: engine.find_container(bad),
    "start": lambda engine, bad: engine.start_container(bad),
    "attach": lambda engine, bad: engine.attach_container(bad),
    "commit": lambda engine, bad: engine.commit_container(bad),
    "stats": lambda engine, bad: engine.read_stats(bad),
    "kernel": lambda engine, bad: engine.view_kernel(bad),
    "image": lambda engine, bad: engine.find_image(bad),
    "history": lambda engine, bad: engine.image_history(bad),
    "untag": lambda engine, bad: engine.remove_image(bad),
    "push": lambda engine, bad: engine.push_image(bad),
    "save": lambda engine, bad: engine.save_images([bad], io.BytesIO()),
    "volume": lambda engine, bad: engine.inspect_volume(bad),
    "network": lambda engine, bad: engine.find_network(bad),
    "export volume": lambda engine, bad: engine.export_volume(bad, lambda _: None),
    "import volume": lambda engine, bad: engine.import_volume(bad, io.BytesIO()),
}
IN_SPECS: dict[str, Act] = {
    "volume": lambda engine, bad: engine.create_volume(VolumeSpec(name=bad)),
    "volume option": lambda engine, bad: engine.create_volume(
        VolumeSpec(name="v", options={"type": bad or "?"})
    ),
    "network": lambda engine, bad: engine.create_network(NetworkSpec(name=f"{bad}/")),
    "network's label": lambda engine, bad: engine.create_network(
        NetworkSpec(name="n", labels={bad: "\udcff"})
    ),
    "volume's label": lambda engine, bad: engine.create_volume(
        VolumeSpec(name="v1", labels={"k": f"{bad}\udcff"})
    ),
    "subnet": lambda engine, bad: engine.create_network(NetworkSpec(name="n", subnet=bad or "?")),
    "container": lambda engine, bad: create(engine, name=bad),
    "pull": lambda engine, bad: engine.pull_image(f"localhost:1/{bad}"),
    "tag": lambda engine, bad: engine.tag_image("busybox", bad),
    "target": lambda engine, bad: create(engine, mounts=(MountSpec(kind="tmpfs", target=bad),)),
    "bind": lambda engine, bad: create(
        engine, mounts=(MountSpec(kind="bind", source=f"/nowhere/{bad}", target="/t"),)
    ),
    "device": lambda engine, bad: create(engine, devices=(DeviceSpec(source=bad or "/"),)),
    "archive": lambda engine, bad: engine.import_image(Path(bad), "x:1"),
    "mode": lambda engine, bad: create(engine, network_mode=f"container:{bad}"),
    "build": lambda engine, bad: engine.build_image(
        BuildSpec(context=Path("/nowhere"), references=(bad,)), lambda _: None
    ),
}


@pytest.fixture(scope="module")
def box(engine: NativeEngine) -> Iterator[str]:
    spec = ContainerSpec(name=unique("c"), image="busybox", command=("sleep", "600"))
    made = engine.start_container(engine.create_container(spec).id)
    engine.create_network(NetworkSpec(name="net"))
    yield made.id
    engine.remove_container(made.id, force=True)
    engine.remove_network("net")


def create(engine: NativeEngine, name: str | None = None, **fields: object) -> object:
    whose = unique("c") if name is None else name
    return engine.create_container(ContainerSpec(name=whose, image="busybox", **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("act", BY_NAME.values(), ids=BY_NAME.keys())
def test_what_no_name_can_be_is_not_found(engine: NativeEngine, act: Act, bad: str) -> None:
    with pytest.raises((NotFoundError, InvalidInputError)):
        act(engine, bad)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("act", IN_SPECS.values(), ids=IN_SPECS.keys())
def test_what_no_spec_can_hold_is_refused(engine: NativeEngine, act: Act, bad: str) -> None:
    before = len(engine.list_containers())
    with pytest.raises(AgentError):
        act(engine, bad)
    assert len(engine.list_containers()) == before


@pytest.mark.parametrize("field", ["ipv4_address", "ipv6_address", "mac_address", "aliases"])
@pytest.mark.parametrize("bad", [one for one in BAD if one])
def test_a_place_that_nobody_can_have_is_refused_at_once(
    engine: NativeEngine, box: str, field: str, bad: str
) -> None:
    value = (bad,) if field == "aliases" else bad
    place = EndpointSpec(network="net", **{field: value})  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError) as caught:
        create(engine, endpoints=(place,))
    assert caught.value.field
    with pytest.raises(InvalidInputError):
        engine.connect_network(box, place)
    assert engine.find_container(box).endpoints == ()


def test_text_that_is_no_unicode_is_refused(engine: NativeEngine) -> None:
    for bad in ("\udcff", "a\0b"):
        wrong = ({"labels": {"k": bad}}, {"environment": {bad: "x"}}, {"working_dir": bad})
        for fields in wrong:
            with pytest.raises(InvalidInputError):
                create(engine, **fields)


@pytest.mark.parametrize("cpus", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_cores_without_number_are_refused(engine: NativeEngine, box: str, cpus: float) -> None:
    with pytest.raises(InvalidInputError, match="cpus"):
        engine.update_container(box, UpdateSpec(limits=Limits(cpus=cpus)))


@pytest.mark.parametrize("field", ["memory", "memory_reservation"])
def test_bytes_that_the_kernel_would_cut_short_are_refused(
    engine: NativeEngine, box: str, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        engine.update_container(box, UpdateSpec(limits=Limits(**{field: 10**30})))
    assert caught.value.field == field


@pytest.mark.parametrize("bad", BAD)
def test_an_exec_that_cannot_be_told_to_the_kernel_is_refused(
    engine: NativeEngine, box: str, bad: str
) -> None:
    specs = (
        ExecSpec(command=(bad,)),
        ExecSpec(command=("true", bad)),
        ExecSpec(command=("true",), environment={"x": bad}),
        ExecSpec(command=("true",), working_dir=bad),
        ExecSpec(command=("true",), user=bad),
    )
    for spec in specs:
        try:
            with engine.start_exec(box, spec) as session:
                session.wait(20.0)
        except AgentError:
            continue


def test_prunes_of_what_is_not_there_find_nothing(engine: NativeEngine) -> None:
    for bad in (one for one in BAD if one):
        assert engine.prune_images(PruneSpec(ids=(bad,), labels=(bad,))).removed == ()
