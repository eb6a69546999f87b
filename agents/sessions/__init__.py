"""Live sessions: what the panel asks for over the control stream, and its answers.

``control``  reads the stream, checks each request, hands it on
``follow``   publishes a container's new lines while somebody looks
``answering`` one thread for questions that have one answer
``reading``  answers a question about lines that are already written
``looking``  answers what runs in a container, how well it is, what the kernel holds of it
``stats``    publishes what containers use while somebody looks
"""

from agents.sessions.control import ControlReader
from agents.sessions.follow import Followers
from agents.sessions.looking import ContainerLooker
from agents.sessions.reading import LogReader
from agents.sessions.stats import StatsPublisher

__all__ = ["ContainerLooker", "ControlReader", "Followers", "LogReader", "StatsPublisher"]
