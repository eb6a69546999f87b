"""Compose files: text and variables to a typed project, a project to a plan. Pure.

``check`` and ``load`` read a project; ``plan`` compares it with what runs; ``plan_down``
takes one down. Nothing here touches an engine, a network or a file outside the project.
"""

from agents.compose.canonical import config_hash, service_spec
from agents.compose.changes import Change
from agents.compose.errors import ComposeError, ComposeErrors, FileReadError, Problem
from agents.compose.files import FileReader, FolderFiles, MappingFiles
from agents.compose.load import Checked, check, load
from agents.compose.model import Project, Service
from agents.compose.observed import (
    Observed,
    ObservedContainer,
    ObservedNetwork,
    ObservedVolume,
)
from agents.compose.plan import ContainerAction, Plan, ResourceAction, plan
from agents.compose.teardown import plan_down

__all__ = [
    "Change",
    "Checked",
    "ComposeError",
    "ComposeErrors",
    "ContainerAction",
    "FileReadError",
    "FileReader",
    "FolderFiles",
    "MappingFiles",
    "Observed",
    "ObservedContainer",
    "ObservedNetwork",
    "ObservedVolume",
    "Plan",
    "Problem",
    "Project",
    "ResourceAction",
    "Service",
    "check",
    "config_hash",
    "load",
    "plan",
    "plan_down",
    "service_spec",
]
