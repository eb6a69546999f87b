"""A websocket without a browser: one consumer of the panel, driven by its ASGI messages.

``channels.testing`` does the same but needs daphne, which the panel does not use.
"""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.contrib.sessions.backends.base import SessionBase

from apps.accounts.models import User
from webpanel.routing import websocket_urlpatterns

_application = URLRouter(websocket_urlpatterns)


class WebSocket:
    """A connection of ``user`` (None: nobody signed in) to one of the panel's addresses."""

    def __init__(self, address: str, user: User | None, session: SessionBase | None = None) -> None:
        scope = {"type": "websocket", "path": address, "headers": [], "user": user}
        if session is not None:
            scope["session"] = session
        self._application = ApplicationCommunicator(_application, scope)

    async def connect(self) -> int:
        """Return 0 when accepted, otherwise the close code."""
        await self._application.send_input({"type": "websocket.connect"})
        answer = await self.receive()
        return 0 if answer["type"] == "websocket.accept" else answer["code"]

    async def send(self, text: str) -> None:
        await self._application.send_input({"type": "websocket.receive", "text": text})

    async def receive(self, timeout: float = 8) -> dict[str, Any]:
        """Return the next ASGI message; raises ``TimeoutError``."""
        return await self._application.receive_output(timeout)

    async def receive_json(self, timeout: float = 8) -> dict[str, Any]:
        """Return the next JSON message; fails if the socket is closed instead."""
        message = await self.receive(timeout)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def receives_nothing(self, timeout: float = 0.2) -> bool:
        """Say whether no message comes for so long."""
        return await self._application.receive_nothing(timeout)

    async def disconnect(self) -> None:
        await self._application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._application.wait(5)
