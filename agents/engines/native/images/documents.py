"""Reads JSON that strangers wrote."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def read_document(data: bytes | str, kind: type[T]) -> T:
    """Return a document of the given kind. Raises ``msgspec.DecodeError`` for anything else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except UnicodeDecodeError as exc:
        raise msgspec.DecodeError("it is not UTF-8") from exc
    except RecursionError as exc:
        raise msgspec.DecodeError("it is nested too deeply") from exc
