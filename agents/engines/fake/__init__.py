"""An engine in memory, for tests of what stands on engines.

Its containers are threads that follow small scripts; see :mod:`agents.engines.fake.script`.
It keeps the engines' contract, but for what needs real programs.
"""

from agents.engines.fake.engine import FakeEngine

__all__ = ["FakeEngine"]
