"""Which of a multi-platform image's manifests is for a machine."""

import platform
from collections.abc import Iterable

from agents.engines.native.images.media import Descriptor, Platform
from agents.engines.native.images.store import host_architecture
from agents.errors import InvalidInputError, NotSupportedError

# What a variant is when an image does not say it, and what else such a machine runs.
_DEFAULT_VARIANTS = {"arm": "v7", "arm64": "v8"}
_ARM_VARIANTS = {"armv6l": "v6", "armv7l": "v7", "armv8l": "v7"}
_ALSO_RUNS = {
    ("arm", "v8"): (("arm", "v7"), ("arm", "v6"), ("arm", "v5")),
    ("arm", "v7"): (("arm", "v6"), ("arm", "v5")),
    ("arm", "v6"): (("arm", "v5"),),
    # A variant of amd64 names instructions that older processors lack.
    ("amd64", "v4"): (("amd64", "v3"), ("amd64", "v2"), ("amd64", "")),
    ("amd64", "v3"): (("amd64", "v2"), ("amd64", "")),
    ("amd64", "v2"): (("amd64", ""),),
}


def host_platform() -> Platform:
    """Return this machine's platform."""
    variant = _ARM_VARIANTS.get(platform.machine(), "")
    return Platform(os="linux", architecture=host_architecture(), variant=variant)


def parse_platform(text: str) -> Platform:
    """Return ``os/architecture[/variant]``; "" is this machine's. Raises ``InvalidInputError``."""
    if not text:
        return host_platform()
    parts = text.split("/")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise InvalidInputError(
            f"{text!r} is no platform.",
            hint="Write it as os/architecture, such as linux/arm64.",
            field="platform",
        )
    if parts[0] != "linux":
        raise NotSupportedError(f"Images for {parts[0]} do not run here; only those for linux do.")
    return Platform(os=parts[0], architecture=parts[1], variant="".join(parts[2:]))


def choose(manifests: Iterable[Descriptor], wanted: Platform, name: str) -> Descriptor:
    """Return the manifest that fits a machine best.

    Raises ``NotSupportedError`` that lists what there is.
    """
    offered = [one for one in manifests if one.platform and one.platform.os != "unknown"]
    for architecture, variant in _acceptable(wanted):
        for one in offered:
            if one.platform and _key(one.platform) == ("linux", architecture, variant):
                return one
    there = ", ".join(sorted({str(one.platform) for one in offered})) or "none"
    raise NotSupportedError(
        f"The image {name} is not there for {wanted}; it is there for: {there}.",
        hint="Choose another tag, or an image for this platform.",
    )


def _acceptable(wanted: Platform) -> Iterable[tuple[str, str]]:
    _, architecture, variant = _key(wanted)
    return ((architecture, variant), *_ALSO_RUNS.get((architecture, variant), ()))


def _key(one: Platform) -> tuple[str, str, str]:
    default = _DEFAULT_VARIANTS.get(one.architecture, "")
    variant = one.variant or default
    if one.architecture == "amd64" and variant == "v1":
        variant = ""
    return one.os, one.architecture, variant
