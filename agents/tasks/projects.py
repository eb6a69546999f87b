"""Commands about projects."""

import time

from agents.engines.base import Engine
from agents.projects.act import act_on_project
from agents.projects.down import take_down
from agents.projects.files import ProjectFolder
from agents.projects.up import Up
from agents.protocol.commands import DeployProject, ProjectAction, RemoveProject
from agents.protocol.events import ImagesChanged, ProjectApplied
from agents.protocol.records import AppliedProject
from agents.tasks.context import Context
from agents.tasks.operation import Operation


def deploy(context: Context, command: DeployProject, operation: Operation) -> str:
    """Bring a project to what its files say, and keep them as the version in force."""
    before = context.state.applied.find(command.project)
    files = before.files if before else ()
    up = Up(context.engine, context.root, command, operation, files)
    images_before = _image_ids(context.engine)
    try:
        summary = up.run()
    finally:
        if _image_ids(context.engine) != images_before:
            report_images(context)
    applied = up.applied()
    context.state.applied.put(applied, command.variables)
    context.reporter.put(
        ProjectApplied(operation_id=command.operation_id, at=time.time(), project=applied)
    )
    return summary


def act(context: Context, command: ProjectAction, operation: Operation) -> str:
    """Start, stop or restart a project's containers."""
    return act_on_project(context.engine, command, operation)


def remove(context: Context, command: RemoveProject, operation: Operation) -> str:
    """Take a project down; with ``forget_files`` its files and its record go, too.

    What its containers wrote into the folder stays, unless the volumes go as well.
    """
    summary = take_down(
        context.engine, command.project, operation, remove_volumes=command.remove_volumes
    )
    if command.forget_files:
        _forget(context, command)
    return summary


def report_images(context: Context) -> None:
    """Tell the panel which images there are now."""
    context.reporter.put(ImagesChanged(at=time.time(), images=context.engine.list_images()))


def _forget(context: Context, command: RemoveProject) -> None:
    applied = context.state.applied.find(command.project)
    folder = ProjectFolder(context.root, command.project)
    folder.remove(applied.files if applied else ())
    if command.remove_volumes:
        folder.forget()
    context.state.applied.remove(command.project)
    gone = AppliedProject(
        uid=applied.uid if applied else "",
        name=command.project,
        revision=applied.revision if applied else 0,
        files=(),
        applied_at=time.time(),
        applied_by="",
        operation_id=command.operation_id,
    )
    context.reporter.put(
        ProjectApplied(operation_id=command.operation_id, at=time.time(), project=gone)
    )


def _image_ids(engine: Engine) -> frozenset[tuple[str, tuple[str, ...]]]:
    return frozenset((image.id, image.references) for image in engine.list_images())
