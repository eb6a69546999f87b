"""Networks of the native engine: bridges, addresses, names and published ports."""

from agents.engines.native.network.endpoints import Request
from agents.engines.native.network.networks import Networks
from agents.engines.native.network.records import Attachment

__all__ = ["Attachment", "Networks", "Request"]
