"""From files and variables to a project: read, check, give everything its real name."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from agents.compose.assembly import assemble
from agents.compose.crosscheck import (
    Drafts,
    check_container_names,
    check_dependencies,
    check_host_ports,
    check_order,
    check_references,
)
from agents.compose.cursor import Cursor, Fields, Scope
from agents.compose.dotenv import DotenvError, parse_dotenv
from agents.compose.errors import (
    ComposeErrors,
    FileMissingError,
    FileReadError,
    InvalidValueError,
    Problem,
)
from agents.compose.files import FileReader, MappingFiles
from agents.compose.model import Network, Project, Volume
from agents.compose.names import (
    check_project_name,
    check_service_name,
    normalize_project_name,
    resource_name,
)
from agents.compose.nodes import Node
from agents.compose.readers.environment import dotenv_problem
from agents.compose.readers.mounts import Paths
from agents.compose.readers.resources import read_network, read_volume
from agents.compose.readers.service import ServiceDraft, read_service
from agents.compose.readers.tables import PROJECT
from agents.compose.report import Report
from agents.compose.yamltext import parse_yaml

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
OVERRIDE_FILES = tuple(
    f"{stem}.override.{suffix}"
    for stem in ("compose", "docker-compose")
    for suffix in ("yaml", "yml")
)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The project, or None when there are errors; and all problems, errors first."""

    project: Project | None
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep the project from being deployed."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def check(
    files: Mapping[str, str] | FileReader,
    *,
    config_files: Sequence[str] = (),
    project_name: str = "",
    variables: Mapping[str, str] | None = None,
    profiles: Sequence[str] = (),
    working_dir: str = "",
) -> Checked:
    """Read a project and say everything that is wrong with it. Never raises ComposeError.

    ``files`` maps paths to text or reads them; ``config_files`` names the compose file, else
    the usual names are tried. ``variables`` win over the file ``.env``. ``project_name`` wins
    over ``COMPOSE_PROJECT_NAME``, the file's ``name`` and the last part of ``working_dir``,
    in this order. With ``working_dir`` (absolute) the paths of mounts and builds become
    absolute. Pure but for what ``files`` reads.
    """
    reader = MappingFiles(files) if isinstance(files, Mapping) else files
    report = Report()
    loader = _Loader(reader, report, working_dir)
    project = loader.load(tuple(config_files), project_name, variables or {}, tuple(profiles))
    if report.errors or project is None:
        return Checked(project=None, problems=report.errors + report.warnings)
    project = msgspec.structs.replace(project, warnings=report.warnings)
    return Checked(project=project, problems=report.warnings)


def load(
    files: Mapping[str, str] | FileReader,
    *,
    config_files: Sequence[str] = (),
    project_name: str = "",
    variables: Mapping[str, str] | None = None,
    profiles: Sequence[str] = (),
    working_dir: str = "",
) -> Project:
    """Return the project as :func:`check` does; raises ComposeErrors with all errors."""
    checked = check(
        files,
        config_files=config_files,
        project_name=project_name,
        variables=variables,
        profiles=profiles,
        working_dir=working_dir,
    )
    if checked.project is None:
        raise ComposeErrors(checked.errors)
    return checked.project


class _Loader:
    def __init__(self, files: FileReader, report: Report, working_dir: str) -> None:
        self._files = files
        self._report = report
        self._working_dir = working_dir
        self._paths = Paths(working_dir)

    def load(
        self,
        config_files: tuple[str, ...],
        project_name: str,
        given: Mapping[str, str],
        profiles: tuple[str, ...],
    ) -> Project | None:
        found = self._find_file(config_files)
        root = None if found is None else self._parse(*found)
        if root is None or found is None:
            return None
        variables = {**self._read_dotenv(given), **given}
        cursor = Cursor(root, Scope(self._report, variables))
        try:
            fields = cursor.fields(PROJECT)
        except InvalidValueError as wrong:
            self._report.at(cursor.place, "", wrong)
            return None
        name = self._read_name(fields, project_name)
        cursor.scope.variables["COMPOSE_PROJECT_NAME"] = name
        active = profiles or _split(variables.get("COMPOSE_PROFILES", ""))
        return self._assemble(fields, name, frozenset(active), found[0])

    def _find_file(self, config_files: tuple[str, ...]) -> tuple[str, str] | None:
        if len(config_files) > 1:
            self._problem(config_files[1], "Several compose files are not supported yet")
            return None
        for path in config_files or DEFAULT_FILES:
            try:
                text = self._files.read(path)
            except FileMissingError:
                continue
            except FileReadError as exc:
                self._problem(path, exc.message, exc.hint)
                return None
            if not config_files:
                self._warn_of_overrides()
            return path, text
        names = " or ".join(config_files or ("compose.yaml", "compose.yml"))
        self._problem("", "There is no compose file", f"Add {names} to the project.")
        return None

    def _warn_of_overrides(self) -> None:
        for path in OVERRIDE_FILES:
            try:
                self._files.read(path)
            except FileReadError:
                continue
            message = f"{path} is not read yet: override files are not supported"
            self._report.add(
                Problem(message=message, file=path, severity="warning", code="ignored")
            )

    def _problem(self, path: str, message: str, hint: str = "") -> None:
        self._report.add(Problem(message=message, file=path, hint=hint, code="file"))

    def _parse(self, path: str, text: str) -> Node | None:
        root, problems = parse_yaml(text, path)
        for problem in problems:
            self._report.add(problem)
        if root is None and not problems:
            self._problem(path, "The file is empty", 'Begin with "services:".')
        return root

    def _read_dotenv(self, given: Mapping[str, str]) -> dict[str, str]:
        try:
            return parse_dotenv(self._files.read(".env"), given.get)
        except FileMissingError:
            return {}
        except FileReadError as exc:
            self._problem(exc.path, exc.message, exc.hint)
        except DotenvError as exc:
            self._report.add(dotenv_problem(exc, ".env"))
        return {}

    def _read_name(self, fields: Fields, given: str) -> str:
        folder = normalize_project_name(posixpath.basename(self._working_dir.rstrip("/")))
        own = fields.read("name", Cursor.string, "")
        name = (
            given or fields.cursor.scope.variables.get("COMPOSE_PROJECT_NAME", "") or own or folder
        )
        place = fields.cursor.find("name") if name == own else fields.cursor
        if not name:
            place.error("The project has no name", hint='Add "name:" at the top of the file.')
        else:
            place.guard(lambda _: check_project_name(name), "")
        return name

    def _assemble(
        self, fields: Fields, name: str, profiles: frozenset[str], path: str
    ) -> Project | None:
        drafts = self._read_services(fields)
        active = {key: draft for key, draft in drafts.items() if _is_active(draft, profiles)}
        disabled = {key: draft for key, draft in drafts.items() if key not in active}
        networks = _read_networks(fields, name)
        volumes = _read_volumes(fields, name)
        known = frozenset(_keys(fields, "services"))
        _check_all(active, disabled, known, networks, volumes)
        if self._report.errors:
            return None
        return assemble(
            name=name,
            services=[draft.service for draft in active.values()],
            networks=networks,
            volumes=volumes,
            disabled=tuple(disabled),
            working_dir=self._working_dir,
            config_files=(path,),
        )

    def _read_services(self, fields: Fields) -> dict[str, ServiceDraft]:
        place = fields.get("services")
        if place is None or (place.is_mapping and not place.entries()):
            where = place or fields.cursor
            where.error(
                "The file has no services", hint='Name one below "services:".', code="empty"
            )
            return {}
        drafts = place.guard(lambda at: at.each_entry(self._read_service), ())
        return {draft.service.name: draft for draft in drafts}

    def _read_service(self, cursor: Cursor) -> ServiceDraft:
        check_service_name(cursor.key)
        return read_service(cursor, self._files, self._paths)


def _check_all(
    active: Drafts,
    disabled: Drafts,
    known: frozenset[str],
    networks: Mapping[str, Network],
    volumes: Mapping[str, Volume],
) -> None:
    check_dependencies(active, disabled, known)
    check_references(active, networks, volumes)
    check_order(active)
    check_container_names(active)
    check_host_ports(active)


def _is_active(draft: ServiceDraft, profiles: frozenset[str]) -> bool:
    own = draft.service.profiles
    return not own or "*" in profiles or not profiles.isdisjoint(own)


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _keys(fields: Fields, section: str) -> list[str]:
    place = fields.get(section)
    return list(place.entries()) if place is not None and place.is_mapping else []


def _read_networks(fields: Fields, project: str) -> dict[str, Network]:
    # One with an error in it is still one that a service can refer to.
    keys = ["default", *_keys(fields, "networks")]
    networks = {key: Network(key=key, name=resource_name(project, key)) for key in keys}

    def read(cursor: Cursor) -> tuple[Network, ...]:
        return cursor.each_entry(lambda entry: read_network(entry, project))

    networks.update({network.key: network for network in fields.read("networks", read, ())})
    return networks


def _read_volumes(fields: Fields, project: str) -> dict[str, Volume]:
    keys = _keys(fields, "volumes")
    volumes = {key: Volume(key=key, name=resource_name(project, key)) for key in keys}

    def read(cursor: Cursor) -> tuple[Volume, ...]:
        return cursor.each_entry(lambda entry: read_volume(entry, project))

    volumes.update({volume.key: volume for volume in fields.read("volumes", read, ())})
    return volumes
