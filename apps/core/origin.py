"""Websockets only from the panel's own pages.

Cookies know no ports, so a page that a container publishes on the panel's machine could
open a socket with a person's session; hence the origin must be the panel's, port and all.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

Message = MutableMapping[str, Any]  # as in the ASGI specification
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class SameOriginOnly:
    """ASGI middleware: refuses (close before accept, HTTP 403) a socket from elsewhere."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the socket on, or refuse it."""
        headers = dict(scope["headers"])
        if is_same_origin(headers.get(b"origin", b""), headers.get(b"host", b"")):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})


def is_same_origin(origin: bytes, host: bytes) -> bool:
    """Compare an ``Origin`` with the ``Host`` that was asked, which must be an allowed one."""
    found = urlsplit(origin.decode("latin-1"))
    asked = host.decode("latin-1")
    allowed = validate_host(urlsplit(f"//{asked}").hostname or "", settings.ALLOWED_HOSTS)
    return found.scheme in {"http", "https"} and found.netloc == asked and allowed
