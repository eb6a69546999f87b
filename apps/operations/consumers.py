"""``/ws/operations/<uid>/``: what an operation does, as it does it.

Rows in the database are the source; a nudge only wakes the reader, and one that gets lost
is made up for by a look every few seconds. The client says after which line it goes on.
"""

import asyncio
import contextlib

import msgspec
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from agents.protocol.events import ErrorInfo
from apps.accounts.models import User
from apps.core.consumers import NOT_UNDERSTOOD, LiveConsumer
from apps.core.live import group_name
from apps.operations.access import may_watch_operation
from apps.operations.models import Operation, OperationLine

BATCH = 500
LOOK_SECONDS = 3.0


class Resume(msgspec.Struct, frozen=True, kw_only=True, tag="resume"):
    """Client → panel: send me what comes after line ``after``."""

    after: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line; ``at`` is milliseconds since the epoch."""

    seq: int
    at: float
    service: str
    stream: str
    text: str


class Output(msgspec.Struct, frozen=True, kw_only=True, tag="output"):
    """Panel → client: lines, in order."""

    lines: tuple[Line, ...]


class State(msgspec.Struct, frozen=True, kw_only=True, tag="state"):
    """Panel → client: how far it is. ``error`` is the first; the page lists all."""

    state: str
    label: str
    tone: str
    progress: int | None
    message: str
    ended: bool
    error: ErrorInfo | None


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One look into the database."""

    lines: tuple[Line, ...]
    state: State


class OperationConsumer(LiveConsumer):
    """Follows one operation for one person."""

    look_seconds = LOOK_SECONDS
    _follower: asyncio.Task[None] | None = None

    def may_stay(self) -> bool:
        """Members of the operation's team."""
        return isinstance(self.user, User) and may_watch_operation(self.user, self.uid)

    @property
    def uid(self) -> str:
        """The operation's uid, from the address."""
        return str(self.scope["url_route"]["kwargs"]["uid"])

    async def opened(self) -> None:
        """Listen for nudges; lines flow once the client said where it stands."""
        self.wake = asyncio.Event()
        self.group = group_name(f"operation:{self.uid}")
        await get_channel_layer().group_add(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a :class:`Resume`."""
        try:
            message = msgspec.json.decode(text_data or "", type=Resume)
        except msgspec.MsgspecError:
            await self.close(code=NOT_UNDERSTOOD)
            return
        await self._stop_following()
        self._follower = asyncio.create_task(self._follow(message.after))

    async def closed(self) -> None:
        """Stop."""
        await get_channel_layer().group_discard(self.group, self.channel_name)
        await self._stop_following()

    async def changed(self, message: dict[str, str]) -> None:
        """The channel layer says that there is something new."""
        self.wake.set()

    async def _follow(self, after: int) -> None:
        shown: State | None = None
        while True:
            self.wake.clear()
            view = await database_sync_to_async(look)(self.uid, after)
            if view.lines:
                after = view.lines[-1].seq
                await self.send_struct(Output(lines=view.lines))
            if view.state != shown and len(view.lines) < BATCH:
                shown = view.state
                await self.send_struct(shown)
            if len(view.lines) < BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.wake.wait(), self.look_seconds)

    async def _stop_following(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None


def look(uid: str, after: int) -> View:
    """Read the next lines and the state; the state first, so that none of its lines is missed."""
    operation = Operation.objects.get(uid=uid)
    rows = OperationLine.objects.filter(operation=operation, seq__gt=after).order_by("seq")[:BATCH]
    return View(lines=tuple(_line(row) for row in rows), state=state_of(operation))


def state_of(operation: Operation) -> State:
    """Return how far the operation is."""
    choice = operation.state_choice
    errors = operation.errors
    return State(
        state=choice.value,
        label=choice.label,
        tone=choice.tone,
        progress=operation.percent if operation.total or choice.has_ended else None,
        message=operation.message,
        ended=choice.has_ended,
        error=errors[0] if errors else None,
    )


def _line(row: OperationLine) -> Line:
    return Line(
        seq=row.seq, at=row.at * 1000, service=row.service, stream=row.stream, text=row.text
    )
