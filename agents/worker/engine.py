"""The engine that this host's configuration names."""

from agents.config import AgentConfig
from agents.engines.base import Engine
from agents.errors import NotSupportedError


def open_engine(config: AgentConfig) -> Engine:
    """Return the engine, not started. Its state lies below ``<root>/<engine>``.

    Raises:
        NotSupportedError: this agent has no such engine.
    """
    name = config.engines[0] if config.engines else "native"
    if name == "native":
        from agents.engines.native.engine import NativeEngine

        return NativeEngine(config.root / name, config.run / name, config.uid)
    raise NotSupportedError(f"this agent has no engine “{name}”")
