"""Commands that tests send."""

import secrets

from agents.protocol.commands import DeployProject
from agents.protocol.records import ProjectFile

# Understood by the fake engine and by a real shell alike.
FOREVER = "sh -c \"trap 'exit 0' TERM; while :; do sleep 0.1; done\""
ONE_SERVICE = f"""\
services:
  web:
    image: busybox
    command: {FOREVER}
"""


def new_id() -> str:
    return secrets.token_hex(16)


def files(text: str = ONE_SERVICE, **others: str) -> tuple[ProjectFile, ...]:
    more = tuple(ProjectFile(path=path, content=content) for path, content in others.items())
    return (ProjectFile(path="compose.yml", content=text), *more)


def deploy(text: str = ONE_SERVICE, *, project: str = "demo", **changes) -> DeployProject:
    recipe = {
        "operation_id": new_id(),
        "project_uid": "0" * 32,
        "project": project,
        "revision": 1,
        "files": files(text),
        "requested_by": "Ada",
    }
    return DeployProject(**{**recipe, **changes})
