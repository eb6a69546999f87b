"""Live sessions: what the panel asks for over the control stream, and its answers.

``control``  reads the stream, checks each request, hands it on
``follow``   publishes a container's new lines while somebody looks
``reading``  answers a question about lines that are already written
"""

from agents.sessions.control import ControlReader
from agents.sessions.follow import Followers
from agents.sessions.reading import LogReader

__all__ = ["ControlReader", "Followers", "LogReader"]
