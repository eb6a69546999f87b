"""The options of a network's driver, by Docker's names and by short ones."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from agents.engines.specs import NetworkSpec
from agents.errors import InvalidInputError

_LINK = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,11}")
_MODES = ("bridge", "private", "vepa", "passthru")
_SMALLEST, _SMALLEST_IPV6, _GREATEST = 68, 1280, 65535


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a network's options say.

    ``host_ip`` is where ports are published that name no address, ``prefix`` begins the
    names of the containers' interfaces.
    """

    mtu: int = 0
    icc: bool = True
    masquerade: bool = True
    bridge: str = ""
    host_ip: str = ""
    prefix: str = "eth"
    macvlan_mode: str = "bridge"
    parent: str = ""


_DOCKER = "com.docker.network."
_NAMES = {
    "mtu": "mtu",
    f"{_DOCKER}driver.mtu": "mtu",
    "icc": "icc",
    f"{_DOCKER}bridge.enable_icc": "icc",
    f"{_DOCKER}bridge.enable_ip_masquerade": "masquerade",
    f"{_DOCKER}bridge.name": "bridge",
    f"{_DOCKER}bridge.host_binding_ipv4": "host_ip",
    f"{_DOCKER}container_iface_prefix": "prefix",
    "macvlan_mode": "macvlan_mode",
    "parent": "parent",
}


def read_options(spec: NetworkSpec) -> Options:
    """Return the options of a network. Raises InvalidInputError that names the wrong one."""
    known: dict[str, str | int | bool] = {}
    for name, value in spec.options.items():
        if name not in _NAMES:
            raise InvalidInputError(
                f"the network {spec.name} has an option {name} that no driver knows",
                hint=f"Known are: {', '.join(sorted(_NAMES))}.",
                field="options",
            )
        field = _NAMES[name]
        try:
            known[field] = _READERS[field](value)
        except ValueError as exc:
            raise InvalidInputError(
                f"the option {name} of the network {spec.name} cannot be {value!r}: {exc}",
                field="options",
            ) from exc
    options = Options(**known)  # type: ignore[arg-type] # each reader gives its field's type
    _check_mtu(spec, options)
    return options


def _check_mtu(spec: NetworkSpec, options: Options) -> None:
    smallest = _SMALLEST_IPV6 if spec.ipv6 or spec.subnet6 else _SMALLEST
    if options.mtu and not smallest <= options.mtu <= _GREATEST:
        raise InvalidInputError(
            f"the mtu of the network {spec.name} must be {smallest} to {_GREATEST}",
            field="options",
        )


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError("it is true or false")
    return known[text.lower()]


def _name(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text) or text in (".", ".."):
            raise ValueError("it is no name of an interface")
        return text

    return read


def _mode(text: str) -> str:
    if text not in _MODES:
        raise ValueError(f"it is one of {', '.join(_MODES)}")
    return text


def _address(text: str) -> str:
    return str(ip_address(text))


_READERS: Mapping[str, Callable[[str], str | int | bool]] = {
    "mtu": int,
    "icc": _flag,
    "masquerade": _flag,
    "bridge": _name(_LINK),
    "host_ip": _address,
    "prefix": _name(_PREFIX),
    "macvlan_mode": _mode,
    "parent": _name(_LINK),
}
