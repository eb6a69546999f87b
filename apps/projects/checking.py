"""Finding everything that is wrong with a project's files before any host sees them."""

import posixpath

import msgspec

from agents.compose.errors import Problem
from agents.compose.load import Checked, check
from agents.compose.model import Project as ComposeProject
from agents.compose.model import Service
from apps.projects.files import Files, check_files
from apps.projects.variables import Variables, as_mapping, check_names, hide_secrets


def check_project(
    name: str, files: Files, variables: Variables = (), *, working_dir: str = ""
) -> Checked:
    """Check the files as they are, what they say, and that what they name is among them.

    ``working_dir`` is the project's folder on its host, where known: see ``apps.projects.preview``.
    """
    problems = (*check_files(files), *_check_variables(variables))
    if problems:
        return Checked(project=None, problems=problems)
    checked = check(
        {file.path: file.content for file in files},
        project_name=name,
        variables=as_mapping(variables),
        working_dir=working_dir,
    )
    missing: tuple[Problem, ...] = ()
    if checked.project is not None:
        missing = _check_dockerfiles(checked.project, files, working_dir)
    shown = tuple(_hide(problem, variables) for problem in (*missing, *checked.problems))
    return Checked(project=None if missing else checked.project, problems=shown)


def _hide(problem: Problem, variables: Variables) -> Problem:
    """Blot secrets out of what people are told."""
    texts = {name: getattr(problem, name) for name in ("message", "path", "expected", "hint")}
    hidden = {name: hide_secrets(text, variables) for name, text in texts.items()}
    return msgspec.structs.replace(problem, **hidden)


def service_names(name: str, files: Files, variables: Variables = ()) -> list[str]:
    """Return the services that the files describe; none if they cannot be read."""
    project = check_project(name, files, variables).project
    return sorted(project.services) if project else []


def _check_variables(variables: Variables) -> list[Problem]:
    hint = "Use letters, digits and underscores, and begin with no digit."
    return [
        Problem(message=f"{name!r} cannot be a variable's name.", code="bad_variable", hint=hint)
        for name in check_names(variables)
    ]


def _check_dockerfiles(project: ComposeProject, files: Files, root: str) -> tuple[Problem, ...]:
    paths = {file.path for file in files}
    wanted = {name: _dockerfile(service, root) for name, service in project.services.items()}
    return tuple(
        Problem(
            file=project.config_files[0] if project.config_files else "",
            path=f"services.{name}.build",
            message=f"There is no file {path} to build the service from.",
            hint="Add the file to the project.",
            code="missing_file",
        )
        for name, path in wanted.items()
        if path and path not in paths
    )


def _dockerfile(service: Service, root: str) -> str:
    """Return the path of the service's Dockerfile in the project, or "" if it needs none."""
    build = service.build
    if build is None or build.dockerfile_inline or "://" in build.context:
        return ""
    joined = posixpath.normpath(posixpath.join(build.context, build.dockerfile))
    if posixpath.isabs(joined):
        inside = root and joined.startswith(root.rstrip("/") + "/")
        return posixpath.relpath(joined, root) if inside else ""
    return joined
