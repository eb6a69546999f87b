"""What an agent that died in the middle of an ``up`` left: put back in order."""

import structlog

from agents.compose.labels import PROJECT
from agents.engines.base import Engine
from agents.errors import AgentError, NotFoundError
from agents.projects.switch import RUNNING
from agents.projects.translate import FINAL_NAME, REPLACES
from agents.protocol.records import ContainerRecord

log = structlog.get_logger(__name__)


def settle_leftovers(engine: Engine, project: str = "") -> None:
    """Finish or undo every replacement that was begun and not finished. Idempotent.

    Where the old container is still there, it is in force again and the new one goes;
    otherwise the new one gets its name. Call while no ``up`` of the project runs; without a
    name all projects are looked at.
    """
    for record in engine.list_containers({PROJECT: project} if project else None):
        final = record.labels.get(FINAL_NAME, "")
        if final and record.name != final:
            try:
                _settle(engine, record, final)
            except AgentError as error:
                log.warning("leftover_stays", container=record.name, error=error.message)


def _settle(engine: Engine, new: ContainerRecord, final: str) -> None:
    try:
        old = engine.find_container(new.labels.get(REPLACES, ""))
    except NotFoundError:
        engine.rename_container(new.id, final)
        return
    engine.remove_container(new.id, force=True)
    if old.state not in RUNNING:
        engine.start_container(old.id)
