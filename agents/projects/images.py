"""The images that services run: found on this host, built, or pulled."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from agents.compose.model import Build, Service
from agents.engines.abilities.registries import Registries
from agents.engines.base import Builds, Engine
from agents.engines.specs import BuildSpec
from agents.errors import (
    AgentError,
    BuildError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    PathEscapeError,
)
from agents.projects.files import ProjectFolder
from agents.projects.places import Places
from agents.projects.progress import Progress
from agents.projects.pulling import Pulling


class Images:
    """Finds, builds or pulls images for one ``up``."""

    def __init__(
        self, engine: Engine, folder: ProjectFolder, places: Places, progress: Progress
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._places = places
        self._progress = progress
        # What the names that were built bore before.
        self.replaced: set[str] = set()

    def prepare(self, services: Iterable[Service], *, build: bool) -> Mapping[str, str]:
        """Return the id of the image that each service will run.

        Raises:
            NotFoundError: an image is neither on this host nor at its registry.
            RegistryError: its registry cannot be reached, or wants a login.
            BuildError, CancelledError: as the engine's build.
        """
        return {service.name: self._prepare(service, build) for service in services}

    def _prepare(self, service: Service, build: bool) -> str:
        self._progress.check()
        field = f"services.{service.name}." + ("build" if service.build else "image")
        try:
            if service.build and (build or not self._is_here(service.image)):
                return self._build(service, service.build)
            return self._find_or_pull(service)
        except NotFoundError as error:
            error.hint = error.hint or "Import the image on this host, or give it a build."
            self._places.mark(error, field)
            raise
        except AgentError as error:
            self._places.mark(error, field)
            raise

    def _find_or_pull(self, service: Service) -> str:
        """Return the image that is here, unless the service's policy is to ask the registry."""
        may_pull = isinstance(self._engine, Registries) and not service.build
        policy = service.pull_policy if may_pull else "never"
        if policy == "never" or (policy != "always" and self._is_here(service.image)):
            return self._engine.find_image(service.image).id
        assert isinstance(self._engine, Registries)
        return Pulling(self._engine, self._progress).pull(service.image, service.name)

    def _is_here(self, reference: str) -> bool:
        try:
            self._engine.find_image(reference)
        except NotFoundError:
            return False
        return True

    def _build(self, service: Service, build: Build) -> str:
        if not isinstance(self._engine, Builds):
            raise NotSupportedError(f"the engine {self._engine.name} builds no images")
        self._progress.step(f"Build {service.image}", service=service.name)
        self._note_replaced(service.image)
        spec = self._spec(service, build)
        try:
            image = self._engine.build_image(
                spec,
                lambda line: self._progress.output(line, service=service.name),
                self._progress.cancelled,
            )
        except BuildError as error:
            error.file = self._file_of(error, spec)
            raise
        return image.id

    def _note_replaced(self, reference: str) -> None:
        with suppress(NotFoundError):
            self.replaced.add(self._engine.find_image(reference).id)

    def _file_of(self, error: BuildError, spec: BuildSpec) -> str:
        """Return the Dockerfile as people know it: within the project, not the context."""
        file = spec.context / spec.dockerfile
        if not error.file or not file.is_relative_to(self._folder.path):
            return error.file
        return str(file.relative_to(self._folder.path))

    def _spec(self, service: Service, build: Build) -> BuildSpec:
        context = self._context(build)
        return BuildSpec(
            context=context,
            references=(service.image,),
            dockerfile=self._dockerfile(service, build, context),
            arguments=build.args,
            target=build.target,
            labels=build.labels,
            use_cache=not build.no_cache,
        )

    def _context(self, build: Build) -> Path:
        """Return the folder of a build; it must be the project's own or one inside it."""
        context = (self._folder.path / build.context).resolve()
        if not context.is_relative_to(self._folder.path.resolve()):
            raise PathEscapeError(
                f"the build context {build.context} is outside the project's folder",
                hint="Put what the build needs into the project's files.",
            )
        if not context.is_dir():
            raise NotFoundError(f"the build context {build.context} is not there")
        return context

    def _dockerfile(self, service: Service, build: Build, context: Path) -> str:
        if not build.dockerfile_inline:
            return build.dockerfile
        raise InvalidInputError(
            f"service {service.name}: dockerfile_inline is not supported yet",
            hint=f"Put it into a file of the project below {context.name}/.",
        )
