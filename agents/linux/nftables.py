"""Packet rules: one table of our own, always replaced as a whole in one transaction.

The rules are declared, not edited: from all subnets and published ports follows the whole
table, and nft(8) swaps it atomically. Established connections live in the kernel's
connection tracking and go on. Other tables are never touched.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

import msgspec

from agents.errors import NotSupportedError, ProgramError
from agents.linux import process

FAMILY = "ip"
LOOPBACK_NETWORK = IPv4Network("127.0.0.0/8")

# Priorities of nft(8): raw, dstnat, filter, srcnat.
_RAW, _DSTNAT, _FILTER, _SRCNAT = -300, -100, 0, 100

Json = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A bridge and what is behind it. ``dns_port`` is where its resolver listens."""

    bridge: str
    network: IPv4Network
    gateway: IPv4Address
    dns_port: int
    internal: bool = False


@dataclass(frozen=True, kw_only=True)
class Forward:
    """A published port; ``host_ip`` None is every address of this host."""

    host_ip: IPv4Address | None
    host_port: int
    address: IPv4Address
    port: int
    protocol: Literal["tcp", "udp"]


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """A container that asks another resolver than its bridge's own."""

    bridge: str
    address: IPv4Address
    dns_port: int


@dataclass(frozen=True, kw_only=True)
class Ruleset:
    """All that one table has to do."""

    table: str
    subnets: tuple[Subnet, ...] = ()
    forwards: tuple[Forward, ...] = ()
    resolvers: tuple[Resolver, ...] = ()


def replace(ruleset: Ruleset) -> None:
    """Put a ruleset in force in place of what its table had. Idempotent; atomic.

    With no subnet the table is removed. Raises ProgramError.
    """
    if not ruleset.subnets:
        remove(ruleset.table)
        return
    _transact(list(_commands(ruleset)))


def extend(ruleset: Ruleset, more: Ruleset) -> None:
    """Add the ports and resolvers of ``more`` to the table of ``ruleset``, already in force.

    Adding takes the kernel 3 ms; taking any rule away makes it wait for a grace period of
    10 to 20 ms, so ``replace`` is for that. Not idempotent; atomic. Raises ProgramError,
    also when the table is not there any more.
    """
    table = ruleset.table
    commands: list[Json] = [
        {"insert": _rule(table, "prerouting", _ask_other(one, ruleset.subnets))}
        for one in more.resolvers
    ]
    commands += [{"add": _rule(table, _chain_of(one), _publishing(one))} for one in more.forwards]
    if commands:
        _transact(commands)


def remove(table: str) -> None:
    """Remove a table. Idempotent."""
    _transact(_removal(table))


def exists(table: str) -> bool:
    """Return whether a table is there."""
    done = process.run(["nft", "list", "table", FAMILY, table], check=False)
    return done.exit_code == 0


def _transact(commands: Sequence[Json]) -> None:
    try:
        process.run(["nft", "-j", "-f", "-"], input=_encode(commands))
    except ProgramError as exc:
        if exc.exit_code != process.NOT_FOUND:
            raise
        raise NotSupportedError(
            "networks need nft, which is not installed", hint="Install it: apt-get install nftables"
        ) from exc


def _encode(commands: Sequence[Json]) -> bytes:
    return msgspec.json.encode({"nftables": commands})


def _removal(table: str) -> list[Json]:
    # Deleting what is not there is an error, adding what is there is not.
    named = {"table": {"family": FAMILY, "name": table}}
    return [{"add": named}, {"delete": named}]


def _commands(ruleset: Ruleset) -> Iterator[Json]:
    table = ruleset.table
    yield {"add": {"table": {"family": FAMILY, "name": table}}}
    yield from _chains(table)
    # Emptied, not removed: the chains stay hooked into the kernel.
    yield {"flush": {"table": {"family": FAMILY, "name": table}}}
    for subnet in ruleset.subnets:
        yield from _rules(table, "guard", _guard(subnet))
        yield from _rules(table, "forward", _forwarding(subnet))
    for resolver in ruleset.resolvers:
        yield from _rules(table, "prerouting", [_ask_other(resolver, ruleset.subnets)])
    for subnet in ruleset.subnets:
        yield from _rules(table, "prerouting", [_ask(subnet)])
        yield from _rules(table, "postrouting", _masquerading(subnet))
    for chain in ("prerouting", "output"):
        yield from _rules(table, chain, [[_to_this_host(), {"jump": {"target": "published"}}]])
    local = [[_to_this_host(), {"jump": {"target": "published_local"}}]]
    yield from _rules(table, "output", local)
    for forward in ruleset.forwards:
        yield from _rules(table, _chain_of(forward), [_publishing(forward)])


def _chains(table: str) -> Iterator[Json]:
    for name in ("published", "published_local"):
        yield _chain(table, name)
    yield _chain(table, "guard", type="filter", hook="prerouting", prio=_RAW)
    yield _chain(table, "prerouting", type="nat", hook="prerouting", prio=_DSTNAT)
    yield _chain(table, "output", type="nat", hook="output", prio=_DSTNAT)
    yield _chain(table, "forward", type="filter", hook="forward", prio=_FILTER)
    yield _chain(table, "postrouting", type="nat", hook="postrouting", prio=_SRCNAT)


def _chain(table: str, name: str, **base: str | int) -> Json:
    return {"add": {"chain": {"family": FAMILY, "table": table, "name": name, **base}}}


def _rules(table: str, chain: str, rules: Sequence[Sequence[Json]]) -> Iterator[Json]:
    for expressions in rules:
        yield {"add": _rule(table, chain, expressions)}


def _rule(table: str, chain: str, expressions: Sequence[Json]) -> Json:
    return {"rule": {"family": FAMILY, "table": table, "chain": chain, "expr": expressions}}


def _guard(subnet: Subnet) -> list[list[Json]]:
    """Keep everybody but the bridge's own side from naming its addresses.

    Other bridges and neighbours of this host come in through published ports alone, whose
    packets still name this host here. 127.0.0.0/8 is open to the bridge by route_localnet,
    for the way back of published ports; a container must not use it (CVE-2020-8558).
    """
    inside = _is("iifname", subnet.bridge)
    outside = _match({"meta": {"key": "iifname"}}, {"set": ["lo", subnet.bridge]}, "!=")
    return [
        [outside, _address("daddr", subnet.network), _drop()],
        [inside, _address("daddr", LOOPBACK_NETWORK), _drop()],
        [inside, _address("saddr", LOOPBACK_NETWORK), _drop()],
    ]


def _forwarding(subnet: Subnet) -> list[list[Json]]:
    if not subnet.internal:
        return []
    inside, outside = _is("iifname", subnet.bridge), _is("oifname", subnet.bridge, "!=")
    return [[inside, outside, _drop()]]


def _ask(subnet: Subnet) -> list[Json]:
    """Bring questions for the gateway's port 53 to the resolver.

    The resolver has a port of its own, as a name server of the host may hold 53 everywhere.
    """
    return [*_question(subnet.bridge, subnet.gateway), _redirect(subnet.dns_port)]


def _ask_other(resolver: Resolver, subnets: Sequence[Subnet]) -> list[Json]:
    gateway = next(one.gateway for one in subnets if one.bridge == resolver.bridge)
    asked_by = _address("saddr", resolver.address)
    return [asked_by, *_question(resolver.bridge, gateway), _redirect(resolver.dns_port)]


def _question(bridge: str, gateway: IPv4Address) -> list[Json]:
    protocols = _match({"meta": {"key": "l4proto"}}, {"set": ["tcp", "udp"]})
    port = _match({"payload": {"protocol": "th", "field": "dport"}}, 53)
    return [_is("iifname", bridge), _address("daddr", gateway), protocols, port]


def _masquerading(subnet: Subnet) -> list[list[Json]]:
    """Hide the sources whose answers would not find their way back.

    From inside to elsewhere; from inside back inside by a published port, as the answer
    would bypass this host; and from this host's 127.0.0.1, unknown inside.
    """
    inside = _address("saddr", subnet.network)
    back = _is("oifname", subnet.bridge)
    published = _match({"ct": {"key": "status"}}, "dnat", "in")
    rules: list[list[Json]] = [
        [inside, back, published, _masquerade()],
        [_address("saddr", LOOPBACK_NETWORK), back, _masquerade()],
    ]
    if not subnet.internal:
        rules.append([inside, _is("oifname", subnet.bridge, "!="), _masquerade()])
    return rules


def _chain_of(forward: Forward) -> str:
    """Return the chain for a port; one on 127.0.0.1 is never reached from other machines."""
    is_local = forward.host_ip is not None and forward.host_ip.is_loopback
    return "published_local" if is_local else "published"


def _publishing(forward: Forward) -> list[Json]:
    port = _match({"payload": {"protocol": forward.protocol, "field": "dport"}}, forward.host_port)
    where = [] if forward.host_ip is None else [_address("daddr", forward.host_ip)]
    return [*where, port, {"dnat": {"addr": str(forward.address), "port": forward.port}}]


def _match(left: Json, right: object, op: str = "==") -> Json:
    return {"match": {"op": op, "left": left, "right": right}}


def _is(key: str, name: str, op: str = "==") -> Json:
    return _match({"meta": {"key": key}}, name, op)


def _address(field: str, value: IPv4Address | IPv4Network) -> Json:
    left = {"payload": {"protocol": FAMILY, "field": field}}
    if isinstance(value, IPv4Address):
        return _match(left, str(value))
    prefix = {"addr": str(value.network_address), "len": value.prefixlen}
    return _match(left, {"prefix": prefix})


def _to_this_host() -> Json:
    return _match({"fib": {"result": "type", "flags": ["daddr"]}}, "local")


def _drop() -> Json:
    return {"drop": None}


def _masquerade() -> Json:
    return {"masquerade": None}


def _redirect(port: int) -> Json:
    return {"redirect": {"port": port}}
