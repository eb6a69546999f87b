"""Which containers a viewer follows, and where it stands in each: no I/O."""

from collections.abc import Mapping, Sequence

from apps.logs.sources import LogContainer
from apps.logs.track import Track

# Pause after the host did not answer for a container.
RETRY_SECONDS = 2.0


class Roster:
    """The containers of one session. ``cursors`` are the positions a browser came with."""

    def __init__(self, cursors: Mapping[str, int]) -> None:
        self._cursors = dict(cursors)
        self._tracks: dict[str, Track] = {}
        self._retry_at: dict[str, float] = {}
        self.containers: dict[str, LogContainer] = {}
        self.host_online = True

    def update(self, containers: Sequence[LogContainer], *, host_online: bool) -> bool:
        """Follow these from now on; return whether the list differs from before.

        Where a container began or ceased to be active, or the host came back, the host may
        have lines that never went through the stream.
        """
        came_back = host_online and not self.host_online
        before, self.host_online = self.containers, host_online
        self.containers = {container.container_id: container for container in containers}
        if came_back:
            self._retry_at.clear()
        for container_id, container in self.containers.items():
            track = self._track(container_id)
            known = before.get(container_id)
            if came_back or (known is not None and known.active != container.active):
                track.catch_up()
        return list(before.values()) != list(self.containers.values())

    def active(self) -> list[str]:
        """The containers that may write more."""
        return [key for key, container in self.containers.items() if container.active]

    def wanting(self, now: float) -> list[Track]:
        """Those for which the host has to be asked now."""
        return [
            track
            for track in self._present()
            if track.wanted is not None and self._retry_at.get(track.container_id, 0.0) <= now
        ]

    def ready(self) -> dict[str, str]:
        """Stream ids by container, of those whose stream is the next to read."""
        return {item.container_id: item.last_id for item in self._present() if not item.wanted}

    def track(self, container_id: str) -> Track | None:
        """Where we stand in a container that is still followed."""
        return self._tracks[container_id] if container_id in self.containers else None

    def postpone(self, track: Track, now: float) -> None:
        """The host did not answer: ask again later."""
        self._retry_at[track.container_id] = now + RETRY_SECONDS

    def pause(self, now: float) -> float | None:
        """Seconds until a postponed question is due; None if there is none."""
        due = [
            self._retry_at.get(track.container_id, now) - now
            for track in self._present()
            if track.wanted is not None
        ]
        return max(0.0, min(due)) if due else None

    def _present(self) -> list[Track]:
        return [self._tracks[container_id] for container_id in self.containers]

    def _track(self, container_id: str) -> Track:
        if container_id not in self._tracks:
            self._tracks[container_id] = Track(
                container_id=container_id, position=self._cursors.get(container_id)
            )
        return self._tracks[container_id]
