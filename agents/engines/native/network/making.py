"""Plans a network: what follows from its spec and from what the host uses already."""

import secrets
from collections.abc import Collection
from ipaddress import IPv4Network

from agents.engines.names import check_network_name, check_texts
from agents.engines.native.network.addresses import link_name
from agents.engines.native.network.options import Options, read_options
from agents.engines.native.network.records import MACVLAN, NetworkFile
from agents.engines.native.network.subnets import (
    Taken,
    check_range,
    choose_subnet,
    choose_subnet6,
    used_by_host,
    used_by_networks,
)
from agents.engines.specs import NetworkSpec
from agents.errors import ConflictError, InvalidInputError, NotFoundError, NotSupportedError
from agents.linux import netlink

_DRIVERS = ("bridge", MACVLAN)


def plan(
    spec: NetworkSpec, pool: IPv4Network, seed: str, known: Collection[NetworkFile]
) -> NetworkFile:
    """Return the record of a new network beside those that are ``known``.

    ``seed`` names the agent for IPv6 subnets of its own. Raises ConflictError,
    InvalidInputError, NotFoundError (a parent), NotSupportedError.
    """
    check_network_name(spec.name)
    check_texts(spec)
    options = read_options(spec)
    driver, parent = _driver(spec, options)
    taken = _taken(driver, known)
    subnet, gateway = choose_subnet(spec, pool, taken)
    subnets = [subnet]
    subnet6 = gateway6 = ""
    if spec.ipv6 or spec.subnet6:
        chosen6, router6 = choose_subnet6(spec, seed, taken)
        subnets.append(chosen6)
        subnet6, gateway6 = str(chosen6), str(router6)
    check_range(spec, subnets)
    identity = secrets.token_hex(6)
    return NetworkFile(
        id=identity,
        name=spec.name,
        bridge="" if parent else _bridge(identity, options),
        subnet=str(subnet),
        gateway=str(gateway),
        subnet6=subnet6,
        gateway6=gateway6,
        driver=driver,
        parent=parent,
        asked=spec,
        internal=spec.internal,
        labels=dict(spec.labels),
    )


def _driver(spec: NetworkSpec, options: Options) -> tuple[str, str]:
    """Return the driver of a network, and its parent where it needs one."""
    driver = spec.driver or "bridge"
    if driver not in _DRIVERS:
        raise NotSupportedError(
            f"the native engine has no network driver {driver}",
            hint=f"It has {' and '.join(_DRIVERS)}.",
            field="driver",
        )
    if driver == "bridge":
        return driver, ""
    parent = spec.parent or options.parent
    if not parent:
        raise InvalidInputError(
            f"the macvlan network {spec.name} needs a parent, an interface of this host",
            field="parent",
        )
    if netlink.find_link(parent) is None:
        raise NotFoundError(f"this host has no interface {parent}", field="parent")
    return driver, parent


def _taken(driver: str, known: Collection[NetworkFile]) -> tuple[Taken, ...]:
    # A macvlan is meant to be in the subnet of its parent, which is the host's own.
    by_host = () if driver == MACVLAN else used_by_host()
    return (*used_by_networks(known), *by_host)


def _bridge(identity: str, options: Options) -> str:
    if options.bridge and netlink.find_link(options.bridge) is not None:
        raise ConflictError(f"this host has an interface {options.bridge} already", field="options")
    return options.bridge or link_name("wp", identity)
