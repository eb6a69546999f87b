"""The engine that this host's configuration names."""

from agents.config import AgentConfig
from agents.engines.base import Engine
from agents.engines.registry import Place, make_engine

DEFAULT = "native"


def open_engine(config: AgentConfig) -> Engine:
    """Return the engine, not started. Its state lies below ``<root>/<engine>``.

    Raises:
        NotFoundError: there is no engine of this name.
        NotSupportedError: this machine cannot run it.
    """
    name = config.engines[0] if config.engines else DEFAULT
    place = Place(root=config.root / name, run=config.run / name, uid=config.uid)
    return make_engine(name, place)
