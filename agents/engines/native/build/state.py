"""What a stage of a build has become so far."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agents.engines.native.build.shell import Expanded, Expander
from agents.engines.native.images.config import (
    DEFAULT_PATH,
    Healthcheck,
    HistoryEntry,
    ImageDocument,
    RootFs,
    RunConfig,
)
from agents.engines.native.images.store import StoredImage, host_architecture

DEFAULT_SHELL = ("/bin/sh", "-c")
# Known without an ARG, and no part of the cache's keys; see the Dockerfile reference.
PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)


@dataclass(kw_only=True)
class StageState:
    """A stage; its instructions change it one after the other.

    ``key`` names all that led here, for the cache. ``arguments`` are the ARGs in force,
    ``given`` what the caller set, ``globals`` the ARGs above the first FROM.
    """

    key: str
    expander: Expander
    given: Mapping[str, str]
    globals: Mapping[str, str]
    diff_ids: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    history: list[HistoryEntry] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    ports: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    triggers: tuple[str, ...] = ()
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    command_is_own: bool = False
    shell: tuple[str, ...] | None = None
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    author: str = ""
    created: str = ""

    def variables(self) -> dict[str, str]:
        """Return what words are expanded with: ENV goes before ARG."""
        return {**self.arguments, **self.environment}

    def expand(self, text: str) -> str:
        """Expand a word. Raises ``InvalidInputError``."""
        return self.expander.expand(text, self.variables()).word

    def expand_words(self, text: str) -> Expanded:
        """Expand a text that may become several words. Raises ``InvalidInputError``."""
        return self.expander.expand(text, self.variables())

    def quoteless(self) -> Expander:
        """Return what here-documents are expanded with: quotes mean nothing in them."""
        return replace(self.expander, ignore_quotes=True)

    def advance(self, *parts: str) -> str:
        """Return the key of a step that depends on this state and on ``parts``."""
        return make_key(self.key, *parts)

    def document(self) -> ImageDocument:
        """Return the image's configuration."""
        return ImageDocument(
            created=self.created,
            author=self.author,
            architecture=host_architecture(),
            os="linux",
            config=self._config(),
            rootfs=RootFs(diff_ids=tuple(self.diff_ids)),
            history=tuple(self.history),
        )

    def _config(self) -> RunConfig:
        return RunConfig(
            user=self.user,
            exposed_ports={port: {} for port in sorted(self.ports)} or None,
            env=tuple(f"{name}={value}" for name, value in self.environment.items()),
            entrypoint=self.entrypoint,
            cmd=self.command,
            volumes={path: {} for path in sorted(self.volumes)} or None,
            working_dir=self.working_dir,
            labels=dict(sorted(self.labels.items())) or None,
            stop_signal=self.stop_signal,
            healthcheck=self.healthcheck,
            shell=self.shell,
            on_build=self.triggers or None,
        )


def make_key(*parts: str) -> str:
    """Return the digest of some texts, each told apart from the next."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def from_scratch(
    expander: Expander, given: Mapping[str, str], header: Mapping[str, str]
) -> StageState:
    """Return the state after ``FROM scratch``."""
    name, _, value = DEFAULT_PATH.partition("=")
    return StageState(
        key="scratch",
        expander=expander,
        given=given,
        globals=header,
        environment={name: value},
    )


def from_image(
    image: StoredImage,
    expander: Expander,
    given: Mapping[str, str],
    header: Mapping[str, str],
) -> StageState:
    """Return the state after ``FROM`` an image."""
    state = from_document(image.document, expander, given, header)
    state.key = image.id
    state.diff_ids = list(image.diff_ids)
    return state


def from_document(
    document: ImageDocument,
    expander: Expander,
    given: Mapping[str, str],
    header: Mapping[str, str],
) -> StageState:
    """Return the state that an image's configuration describes, without its layers."""
    config = document.config or RunConfig()
    state = from_scratch(expander, given, header)
    state.environment.update(_split(one) for one in config.env or ())
    state.history = list(document.history or ())
    state.labels = dict(config.labels or {})
    state.ports = set(config.exposed_ports or ())
    state.volumes = set(config.volumes or ())
    state.command, state.entrypoint = config.cmd, config.entrypoint
    state.triggers = config.on_build or ()
    state.shell, state.working_dir = config.shell, config.working_dir
    state.user, state.stop_signal = config.user, config.stop_signal
    state.healthcheck, state.author = config.healthcheck, document.author
    state.created = document.created
    return state


def from_stage(stage: StageState) -> StageState:
    """Return the state after ``FROM`` another stage."""
    return StageState(
        **{
            **vars(stage),
            "diff_ids": list(stage.diff_ids),
            "environment": dict(stage.environment),
            "arguments": {},
            "history": list(stage.history),
            "labels": dict(stage.labels),
            "ports": set(stage.ports),
            "volumes": set(stage.volumes),
            "command_is_own": False,
        }
    )


def _split(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
