"""How a host joins a panel.

``panel``     HTTPS to the panel, verified against the pinned CA
``identity``  the host's own key, certificate request and Redis password
``join``      the whole of it: ask, and write the configuration
"""

from agents.enrolment.join import JoinRequest, join

__all__ = ["JoinRequest", "join"]
