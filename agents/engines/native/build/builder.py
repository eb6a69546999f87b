"""Builds an image: goes through the plan, stage by stage and step by step.

Each step that changes files becomes a layer. What a step made is remembered by all that it
depends on: the steps before it, its text, the variables it sees, and the content (not the
times) of the files that it copies.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agents.engines.base import Cancelled, Output, never
from agents.engines.names import check_texts
from agents.engines.native.build import state as states
from agents.engines.native.build.bases import Bases, Pull
from agents.engines.native.build.parser import Dockerfile, Instruction, parse
from agents.engines.native.build.patterns import Matcher, read_ignore_file
from agents.engines.native.build.plan import Plan, Stage, make_plan
from agents.engines.native.build.settings import consumed
from agents.engines.native.build.shell import Expander
from agents.engines.native.build.sources import SourceTree
from agents.engines.native.build.state import StageState
from agents.engines.native.build.steps import StepRunner
from agents.engines.native.build.support import check_supported
from agents.engines.native.build.network import BuildNetwork
from agents.engines.native.images import scope
from agents.engines.native.images.references import normalise
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.native.network import Networks
from agents.engines.specs import BuildSpec
from agents.errors import (
    AgentError,
    BuildError,
    CancelledError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RegistryError,
)
from agents.linux.failures import kernel_errors

# What the author of the Dockerfile can mend is told with its line.
_OF_THE_FILE = (InvalidInputError, NotFoundError, ConflictError, RegistryError)


class Builder:
    """Builds images into a store. One object may run several builds at once.

    Bases that are not there are fetched by ``pull``, if it is given.
    """

    def __init__(
        self, root: Path, store: ImageStore, networks: Networks, pull: Pull | None = None
    ) -> None:
        self._root = root
        self._store = store
        self._pull = pull
        self._network = BuildNetwork(networks)

    def build(self, spec: BuildSpec, output: Output, cancelled: Cancelled = never) -> StoredImage:
        """Build an image and give it its names; blocks. See ``Builds.build_image``.

        Raises ``InvalidInputError`` for a bad name, ``BuildError``, ``CancelledError``,
        ``NotSupportedError``, ``OutOfSpaceError``.
        Steps that succeeded before stay in the cache; else nothing is left behind.
        """
        check_texts(spec)
        with kernel_errors("build in", spec.context), self._store.building():
            bases = Bases(store=self._store, output=output, cancelled=cancelled, pull=self._pull)
            run = _Build(
                root=self._root,
                store=self._store,
                bases=bases,
                network=self._network,
                spec=spec,
                output=output,
                cancelled=cancelled,
            )
            return run.run()

    def close(self) -> None:
        """Remove what builds share and no build uses. Idempotent."""
        self._network.close()


@dataclass(kw_only=True)
class _Build:
    root: Path
    store: ImageStore
    bases: Bases
    network: BuildNetwork
    spec: BuildSpec
    output: Output
    cancelled: Cancelled
    _done: dict[int, StageState] = field(default_factory=dict)
    _step: int = 0

    def run(self) -> StoredImage:
        for reference in self.spec.references:
            normalise(reference)
        file, name = self._read_dockerfile()
        plan = make_plan(file, self.spec.arguments, self.spec.target)
        for step in (step for stage in plan.stages for step in stage.steps):
            with _located(file, step.line):
                check_supported(step)
        context = SourceTree(
            root=self.spec.context.resolve(), ignored=self._read_ignored(name), owner=(0, 0)
        )
        for stage in plan.stages:
            self._done[stage.number] = self._run_stage(stage, plan, file, context)
        for unused in sorted(consumed(self.spec.arguments, set(plan.declared))):
            self.output(f"[Warning] The build argument {unused} is not used.")
        return self._finish(self._done[plan.stages[-1].number])

    def _read_dockerfile(self) -> tuple[Dockerfile, Path]:
        path = scope.resolve(self.spec.context.resolve(), self.spec.dockerfile)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as exc:
            raise BuildError(
                f"There is no {self.spec.dockerfile} in the build context.",
                file=self.spec.dockerfile,
            ) from exc
        return parse(text, self.spec.dockerfile), path

    def _read_ignored(self, dockerfile: Path) -> Matcher:
        own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
        path = own if own.is_file() else self.spec.context / ".dockerignore"
        try:
            return read_ignore_file(path)
        except InvalidInputError as exc:
            raise BuildError(exc.message, file=path.name) from exc

    def _run_stage(
        self, stage: Stage, plan: Plan, file: Dockerfile, context: SourceTree
    ) -> StageState:
        self._announce(stage.start, plan)
        with _located(file, stage.start.line):
            state = self._begin(stage, plan, file)
        runner = StepRunner(
            store=self.store,
            output=self.output,
            cancelled=self.cancelled,
            use_cache=self.spec.use_cache,
            context=context,
            root=self.root,
            network=self.network,
            find_layers=lambda name: self._find_source(plan, stage, name),
        )
        for instruction in self._triggers(stage, state, file):
            self.output(f"# Executing the trigger {instruction.text}")
            self._run_step(runner, state, instruction, file)
        for instruction in stage.steps:
            self._announce(instruction, plan)
            self._run_step(runner, state, instruction, file)
        return state

    def _run_step(
        self, runner: StepRunner, state: StageState, instruction: Instruction, file: Dockerfile
    ) -> None:
        if self.cancelled():
            raise CancelledError("The build was cancelled.")
        with _located(file, instruction.line):
            runner.run(state, instruction)

    def _announce(self, instruction: Instruction, plan: Plan) -> None:
        self._step += 1
        self.output(f"Step {self._step}/{plan.steps} : {instruction.text}")

    def _begin(self, stage: Stage, plan: Plan, file: Dockerfile) -> StageState:
        if any(flag.startswith("--platform") for flag in stage.start.flags):
            self.output("[Note] --platform is ignored: images are for this host's architecture.")
        if stage.parent is not None:
            return states.from_stage(self._done[stage.parent])
        expander = Expander(escape=file.escape)
        if stage.base == "scratch":
            return states.from_scratch(expander, self.spec.arguments, plan.header)
        image = self.bases.find(stage.base)
        return states.from_image(image, expander, self.spec.arguments, plan.header)

    def _triggers(
        self, stage: Stage, state: StageState, file: Dockerfile
    ) -> tuple[Instruction, ...]:
        """Take the base's ONBUILD triggers, which run once."""
        texts, state.triggers = state.triggers, ()
        if not texts:
            return ()
        with _located(file, stage.start.line):
            return parse("\n".join(texts), f"ONBUILD of {stage.base}").instructions

    def _find_source(self, plan: Plan, stage: Stage, name: str) -> tuple[str, ...]:
        """Return the layers of the stage or image that ``COPY --from`` names."""
        source = plan.source(name, stage.number)
        if source is not None:
            return tuple(self._done[source.number].diff_ids)
        return self.bases.find(name).diff_ids

    def _finish(self, state: StageState) -> StoredImage:
        if self.cancelled():
            raise CancelledError("The build was cancelled.")
        state.labels.update(self.spec.labels)
        document = state.document()
        image = self.store.commit(document, state.diff_ids, self.spec.references)
        self.output(f"Successfully built {image.id[7:19]}")
        for reference in self.spec.references:
            self.output(f"Successfully tagged {reference}")
        return image


@contextmanager
def _located(file: Dockerfile, line: int) -> Iterator[None]:
    """Say of every error at which line of the file it came up."""
    try:
        with kernel_errors("carry out this step"):
            yield
    except _OF_THE_FILE as exc:
        raise BuildError(exc.message, hint=exc.hint, file=file.name, line=line) from exc
    except AgentError as exc:
        if not exc.file:
            exc.file, exc.line = file.name, line
        raise
