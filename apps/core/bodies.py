"""A bound for what anybody may send: Django itself takes a body of any length to disk first."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Message = MutableMapping[str, Any]  # as in the ASGI specification
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

_ANSWER = b"The request is longer than the panel takes.\n"


class LimitBody:
    """ASGI middleware: answers 413 to a longer body than ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass the request on as long as it keeps within the bound."""
        body = _Body(receive, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if _announced(scope) > body.limit:
            await _refuse(send)
            return
        await self.application(scope, body.receive, send)
        if body.too_long:
            await _refuse(send)


class _Body:
    """Counts what comes. One byte too many ends the request as if the sender had gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._length = 0
        self.limit = limit

    @property
    def too_long(self) -> bool:
        return self._length > self.limit

    async def receive(self) -> Message:
        message = await self._receive()
        self._length += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.too_long else message


def _announced(scope: Message) -> int:
    """Return the length that the header gives, 0 if it is none: then the bytes are counted."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})
