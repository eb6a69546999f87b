"""Carries out one instruction on a stage."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.engines.base import Cancelled, Output
from agents.engines.native.build.copy import Copying
from agents.engines.native.build.copy_step import read_request
from agents.engines.native.build.parser import Instruction
from agents.engines.native.build.patterns import Matcher
from agents.engines.native.build.network import BuildNetwork
from agents.engines.native.build.run import RunJob, make_places, run_in_container
from agents.engines.native.build.run_place import run_place
from agents.engines.native.build.settings import SETTINGS, command_line
from agents.engines.native.build.sources import SourceTree
from agents.engines.native.build.state import PROXIES, StageState, make_key
from agents.engines.native.build.support import check_supported, is_whole_script
from agents.engines.native.containers.users import find_account
from agents.engines.native.images import scope
from agents.engines.native.images.cache import CachedStep
from agents.engines.native.images.config import HistoryEntry, format_time
from agents.engines.native.images.layers import Draft, find_root
from agents.engines.native.images.pack import measure
from agents.engines.native.images.recipe import Recorder
from agents.engines.native.images.store import ImageStore
from agents.engines.native.images.trees import TreeCopier, make_folders
from agents.errors import BuildError, ConflictError
from agents.linux import mounts

_PLACES = "places"
FindLayers = Callable[[str], tuple[str, ...]]
Make = Callable[[Draft], None]


@dataclass(frozen=True, kw_only=True)
class StepRunner:
    """Carries out the steps of a stage.

    ``find_layers`` gives the layers, lowest first, of what a ``COPY --from`` names.
    """

    store: ImageStore
    output: Output
    cancelled: Cancelled
    use_cache: bool
    context: SourceTree
    find_layers: FindLayers
    root: Path
    network: BuildNetwork

    def run(self, state: StageState, instruction: Instruction) -> None:
        """Carry out one step. Raises ``AgentError``, OSError."""
        acts = {"add": self._copy, "copy": self._copy, "run": self._run, "workdir": self._enter}
        # Triggers of a base are seen only now.
        check_supported(instruction)
        act = acts.get(instruction.keyword, self._set)
        act(state, instruction)

    def _set(self, state: StageState, instruction: Instruction) -> None:
        SETTINGS[instruction.keyword](state, instruction)
        self._record(state, instruction, state.advance(instruction.text), None)

    def _enter(self, state: StageState, instruction: Instruction) -> None:
        SETTINGS["workdir"](state, instruction)

        def make(draft: Draft) -> None:
            target = scope.resolve(draft.merged, state.working_dir)
            make_folders(target, draft.merged)
            if not target.is_dir():
                raise ConflictError(f"{state.working_dir!r} is there and is no folder.")

        self._record(state, instruction, state.advance("workdir", state.working_dir), make)

    def _run(self, state: StageState, instruction: Instruction) -> None:
        arguments = _arguments_only(state)
        proxies = {name: text for name, text in state.given.items() if name in PROXIES}
        job = RunJob(
            argv=_shell_command(state, instruction),
            environment={**proxies, **arguments, **state.environment},
            working_dir=state.working_dir,
            user=state.user,
        )

        network = None if "--network=host" in instruction.flags else self.network

        def make(draft: Draft) -> None:
            mounts.unmount(draft.merged)
            with run_place(self.root, draft, self._lower(state, draft), network) as place:
                code = run_in_container(draft, place, job, self.output, self.cancelled)
            if code != 0:
                raise BuildError(
                    f"The command {instruction.text.removeprefix('RUN ')!r} ended with "
                    f"exit code {code}."
                )

        environment = {**arguments, **state.environment}
        seen = (f"{name}={text}" for name, text in environment.items())
        asked = (*instruction.flags, state.user, state.working_dir, *job.argv)
        key = state.advance("run", *asked, "--", *seen)
        self._record(state, instruction, key, make)

    def _copy(self, state: StageState, instruction: Instruction) -> None:
        request = read_request(state, instruction)
        with self._tree(request.flags.get("from", "")) as tree, self._scratch() as scratch:
            sources = request.find_sources(tree, scratch)

            def make(draft: Draft) -> None:
                job = request.job(sources, _find_owner(draft.merged, request.flags.get("chown")))
                Copying(root=draft.merged, scratch=draft.path, job=job).run()

            key = state.advance(*request.key_parts(sources))
            self._record(state, instruction, key, make)

    @contextmanager
    def _tree(self, name: str) -> Iterator[SourceTree]:
        """Give the context, or the files of a stage or image, mounted for this while."""
        if not name:
            yield self.context
            return
        layers = [self.store.layers.path(one) for one in self.find_layers(name)]
        with self.store.layers.draft() as draft:
            if layers:
                mounts.mount_overlay(layers[::-1], draft.merged)
            yield SourceTree(root=draft.merged, ignored=Matcher(()), title=f"{name!r}")

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        with self.store.layers.draft() as draft:
            yield draft.work

    def _record(
        self, state: StageState, instruction: Instruction, key: str, make: Make | None
    ) -> None:
        """Do a step or take it from the cache, and note what came of it."""
        known = self._find_cached(key)
        if known is None:
            diff_id = "" if make is None else self._make_layer(state, make)
            known = CachedStep(diff_id=diff_id, created=format_time(time.time()))
            self.store.cache.store(key, known)
        else:
            self.output(" ---> Using cache")
        if known.diff_id:
            state.diff_ids.append(known.diff_id)
        state.key, state.created = make_key(key, known.diff_id), known.created
        state.history.append(
            HistoryEntry(
                created=known.created,
                created_by=instruction.text,
                empty_layer=not known.diff_id,
            )
        )

    def _find_cached(self, key: str) -> CachedStep | None:
        known = self.store.cache.find(key) if self.use_cache else None
        if known is None or (known.diff_id and not self.store.layers.has(known.diff_id)):
            return None
        return known

    def _make_layer(self, state: StageState, make: Make) -> str:
        """Make a layer above those of the stage; return "" if nothing changed."""
        with self.store.layers.draft() as draft:
            make_places(draft.path / _PLACES)
            lower = self._lower(state, draft)
            if state.diff_ids:
                # The upper folder's owner and mode are what "/" shows.
                TreeCopier().describe(find_root(lower[::-1]) or lower[0], draft.diff)
            mounts.mount_overlay(lower, draft.merged, upper=draft.diff, work=draft.work)
            make(draft)
            mounts.unmount(draft.merged)
            packed = measure(draft.diff, Recorder(draft.path))
            if packed.is_empty:
                return ""
            self.store.keep_layer(draft, packed.diff_id, packed.size)
        return packed.diff_id


    def _lower(self, state: StageState, draft: Draft) -> list[Path]:
        """Return the layers of the stage, topmost first, and the places below them."""
        layers = (self.store.layers.path(one) for one in reversed(state.diff_ids))
        return [*layers, draft.path / _PLACES]


def _arguments_only(state: StageState) -> dict[str, str]:
    """Return the ARGs that no ENV hides."""
    return {
        name: text
        for name, text in sorted(state.arguments.items())
        if name not in state.environment
    }


def _shell_command(state: StageState, instruction: Instruction) -> tuple[str, ...]:
    """Return the argv of a RUN; here-documents are left to the shell."""
    line = command_line(state, instruction)
    if not instruction.heredocs:
        return line
    if is_whole_script(instruction):
        return (*line[:-1], instruction.heredocs[0].content)
    documents = "".join(f"{one.content}{one.name}\n" for one in instruction.heredocs)
    return (*line[:-1], f"{line[-1]}\n{documents}")


def _find_owner(root: Path, text: str | None) -> tuple[int, int] | None:
    """Return uid and gid of ``--chown``; a lone number is both, as Docker has it."""
    if not text:
        return None
    name, _, group = text.partition(":")
    user = find_account(root, f"{name}:{group}" if group else name).user
    gid = user.uid if not group and name.isdecimal() else user.gid
    return user.uid, gid
