"""Commands about projects."""

import time

from agents.projects.act import act_on_project
from agents.projects.down import take_down
from agents.projects.files import ProjectFolder
from agents.projects.up import Up
from agents.protocol.commands import DeployProject, ProjectAction, RemoveProject
from agents.protocol.events import ProjectApplied
from agents.protocol.records import AppliedProject
from agents.tasks.context import Context
from agents.tasks.holdings import reported_holdings
from agents.tasks.operation import Operation


def deploy(context: Context, command: DeployProject, operation: Operation) -> str:
    """Bring a project to what its files say, and keep them as the version in force."""
    before = context.state.applied.find(command.project)
    files = before.files if before else ()
    up = Up(context.engine, context.root, command, operation, files)
    with reported_holdings(context):
        summary = up.run()
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
    with reported_holdings(context):
        summary = take_down(
            context.engine, command.project, operation, remove_volumes=command.remove_volumes
        )
    if command.forget_files:
        _forget(context, command)
    return summary


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
