"""The values that components in templates/components/ are given."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["neutral", "info", "success", "warning", "danger", "busy"]


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One tab: a link to ``url``, or a switch for the element with the id ``panel``."""

    label: str
    url: str = ""
    panel: str = ""
    active: bool = False
    count: int | None = None
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Crumb:
    """One step of the way to a page; the last has no ``url``."""

    label: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class KeyValue:
    """One line of a key-value list."""

    label: str
    value: object
