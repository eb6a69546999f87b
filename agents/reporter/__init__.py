"""Tells the panel what happens here: signed events, in order, at least once.

``connection`` how this host reaches Redis
``reporter``   the thread that signs and sends
``vitals``     what a heartbeat says
"""

from agents.reporter.connection import connect, first_reachable, redis_options
from agents.reporter.reporter import Reporter

__all__ = ["Reporter", "connect", "first_reachable", "redis_options"]
