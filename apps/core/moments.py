"""Times that agents report, which may be anything."""

from datetime import UTC, datetime

_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def moment(seconds: float) -> datetime:
    """Return seconds since the epoch as a time; what is out of range is the nearest in it."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST), UTC)
