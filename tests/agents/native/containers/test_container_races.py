"""Several people act on one container at once."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, RestartPolicy, UpdateSpec
from agents.errors import AgentError, ConflictError, InvalidInputError, NotFoundError
from tests.contracts.bench import unique

pytestmark = pytest.mark.root

ROUNDS = 12


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Do all of these at the same time; return what they raised."""
    raised: list[BaseException] = []
    line = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        line.wait()
        try:
            act()
        except BaseException as exc:  # noqa: BLE001  (a thread's edge: it is looked at outside)
            raised.append(exc)

    threads = [threading.Thread(target=run, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def stopped(engine: NativeEngine) -> str:
    spec = ContainerSpec(name=unique("c"), image="busybox", command=("sleep", "600"), stop_grace=0)
    return engine.create_container(spec).id


def test_who_starts_what_another_removes_is_told_so_and_nothing_runs_on(
    engine: NativeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(ROUNDS):
        made = stopped(engine)
        engine.start_container(made)

        def start(made: str = made) -> None:
            for _ in range(3):
                engine.start_container(made)

        raised = at_once(
            lambda made=made: engine.remove_container(made, force=True), start, start, start
        )
        assert [one for one in raised if not isinstance(one, NotFoundError)] == []
        assert engine._parts.containers.find_or_none(made) is None
    assert "an act on a container failed" not in caplog.text


def test_what_runs_is_never_removed_without_force(engine: NativeEngine) -> None:
    for _ in range(ROUNDS):
        made = stopped(engine)
        raised = at_once(
            lambda made=made: engine.remove_container(made),
            lambda made=made: engine.start_container(made),
        )
        assert len(raised) == 1
        assert isinstance(raised[0], NotFoundError | ConflictError)
        with suppress(NotFoundError):
            assert engine.find_container(made).state == "running"
        engine.remove_container(made, force=True)


def test_what_could_not_be_read_again_is_not_written(engine: NativeEngine) -> None:
    made = stopped(engine)
    policy = RestartPolicy(name="sometimes")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        engine.update_container(made, UpdateSpec(restart=policy))
    with pytest.raises(AgentError):
        engine.create_container(
            ContainerSpec(name=unique("c"), image="busybox", restart=policy, stop_grace=0)
        )
    engine.remove_container(made)


def test_what_was_never_started_is_committed_as_its_image(engine: NativeEngine) -> None:
    made = stopped(engine)
    image = engine.commit_container(made, "never-started:1")
    assert engine.inspect_image(image.id).layers[:1] == engine.inspect_image("busybox").layers[:1]
    engine.remove_container(made)
    engine.remove_image("never-started:1")


def test_who_renames_what_another_removes_is_told_so(engine: NativeEngine) -> None:
    for _ in range(ROUNDS):
        made = stopped(engine)
        raised = at_once(
            lambda made=made: engine.remove_container(made),
            lambda made=made: engine.rename_container(made, unique("r")),
        )
        assert [one for one in raised if not isinstance(one, NotFoundError)] == []
