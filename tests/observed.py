"""Containers as agents report them, for tests of the panel."""

from itertools import count

from agents.compose import labels
from agents.compose.canonical import config_hash, service_spec
from agents.compose.load import load
from agents.protocol.records import ContainerRecord, PortRecord, ProjectFile
from apps.hosts.models import Host
from apps.projects.actions import FilesAndVariables, create_project
from apps.projects.models import Project
from apps.services.observation import observe_container

_numbers = count(1)

COMPOSE = """\
services:
  web:
    image: busybox
    command: [httpd, -f]
    ports: ["18080:80"]
  clock:
    image: busybox
    command: [sleep, "60"]
"""


def compose_files(text: str = COMPOSE) -> tuple[ProjectFile, ...]:
    return (ProjectFile(path="compose.yml", content=text),)


def make_project(host: Host, name: str = "", text: str = COMPOSE) -> Project:
    """A project with a draft, made by the panel itself."""
    content = FilesAndVariables(files=compose_files(text))
    given = name or f"project-{next(_numbers)}"
    return create_project(None, team=host.team, host=host, name=given, content=content)


def make_record(project: str = "", service: str = "web", **changes) -> ContainerRecord:
    """A running container's record; with a project it has Compose's labels."""
    number = next(_numbers)
    own = {}
    if project:
        own = {labels.PROJECT: project, labels.SERVICE: service, labels.CONTAINER_NUMBER: "1"}
    given = {
        "id": f"{number:064x}",
        "name": f"{project or 'lone'}-{service}-{number}",
        "image": "busybox",
        "image_id": "sha256:1",
        "engine": "fake",
        "state": "running",
        "sequence": 1,
        "labels": own,
        "ports": (PortRecord(host_ip="0.0.0.0", host_port=18080, container_port=80),),
        **changes,
    }
    return ContainerRecord(**given)


def run_project(project: Project, text: str = COMPOSE, **changes) -> list[ContainerRecord]:
    """Have every service of the files run, as their host would report it after an ``up``."""
    composed = load({"compose.yml": text}, project_name=project.name)
    records = []
    for name, service in composed.services.items():
        own = labels.container_labels(composed, service, 1, image_id="sha256:1")
        record = make_record(
            project.name,
            name,
            name=f"{project.name}-{name}-1",
            labels=own,
            spec_json=service_spec(service),
            **changes,
        )
        assert own[labels.CONFIG_HASH] == config_hash(service)
        observe_container(project.host, record, 1.0)
        records.append(record)
    return records
