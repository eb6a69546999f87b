"""The text of a table, in the language of nft(8). Pure."""

from collections.abc import Iterable, Iterator

from agents.linux.nftables.model import MAPS, Ruleset, Subnet

FAMILY = "inet"

_CHAINS = {
    "published": "",
    "published_local": "",
    "guard": "type filter hook prerouting priority -300;",
    "prerouting": "type nat hook prerouting priority -100;",
    "output": "type nat hook output priority -100;",
    "forward": "type filter hook forward priority 0;",
    "postrouting": "type nat hook postrouting priority 100;",
}

_PORT = "meta l4proto . th dport"
_STATIC = {
    "published": (
        f"dnat ip to ip daddr . {_PORT} map @port4_at",
        f"meta nfproto ipv4 dnat ip to {_PORT} map @port4",
        f"dnat ip6 to ip6 daddr . {_PORT} map @port6_at",
        f"meta nfproto ipv6 dnat ip6 to {_PORT} map @port6",
    ),
    "published_local": (f"dnat ip to ip daddr . {_PORT} map @local4",),
    # Refused at once, so that who tries ::1 for "localhost" goes on to 127.0.0.1.
    "output": ("ip6 daddr ::1 return",),
}


def to_text(ruleset: Ruleset) -> str:
    """Return the commands that put a ruleset in place of what its table had."""
    return "".join(f"{line}\n" for line in _lines(ruleset))


def removal(family: str, table: str) -> str:
    """Return the commands that remove a table, be it there or not."""
    # Deleting what is not there is an error, adding what is there is not.
    return f"add table {family} {table}\ndelete table {family} {table}\n"


def rule_count(ruleset: Ruleset) -> int:
    """Return how many rules the table of a ruleset has."""
    return sum(1 for _ in _rules(ruleset))


def _lines(ruleset: Ruleset) -> Iterator[str]:
    where = f"{FAMILY} {ruleset.table}"
    yield f"add table {where}"
    for one in MAPS:
        yield f"add map {where} {one.name} {{ type {one.key} : {one.value}; }}"
    for name, base in _CHAINS.items():
        yield f"add chain {where} {name} {{ {base} }}"
    # Emptied, not removed: the chains stay hooked into the kernel.
    yield f"flush table {where}"
    for one in MAPS:
        yield f"flush map {where} {one.name}"
    for chain, rule in _rules(ruleset):
        yield f"add rule {where} {chain} {rule}"
    for element in ruleset.elements():
        yield f"add element {where} {element.map} {{ {element.text} }}"


def _rules(ruleset: Ruleset) -> Iterator[tuple[str, str]]:
    for chain, static in _STATIC.items():
        yield from _in(chain, static)
    for subnet in ruleset.subnets:
        yield from _in("guard", _guard(subnet))
        yield from _in("forward", _forwarding(subnet))
        yield from _in("prerouting", _questions(subnet))
        yield from _in("postrouting", _masquerading(subnet))
    for chain in ("prerouting", "output"):
        yield from _in(chain, ("fib daddr type local jump published",))
    yield from _in("output", ("fib daddr type local jump published_local",))


def _in(chain: str, rules: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((chain, rule) for rule in rules)


def _guard(subnet: Subnet) -> Iterator[str]:
    """Keep everybody but the bridge's own side from naming its addresses.

    Other bridges and neighbours of this host come in through published ports alone, whose
    packets still name this host here. 127.0.0.0/8 is open to the bridge by route_localnet,
    for the way back of published ports; a container must not use it (CVE-2020-8558).
    """
    inside = f'iifname "{subnet.bridge}"'
    outside = f'iifname != {{ "lo", "{subnet.bridge}" }}'
    yield f"{outside} ip daddr {subnet.network} drop"
    if subnet.network6 is not None:
        yield f"{outside} ip6 daddr {subnet.network6} drop"
    yield f"{inside} ip daddr 127.0.0.0/8 drop"
    yield f"{inside} ip saddr 127.0.0.0/8 drop"


def _forwarding(subnet: Subnet) -> Iterator[str]:
    if subnet.internal:
        yield f'iifname "{subnet.bridge}" oifname != "{subnet.bridge}" drop'


def _questions(subnet: Subnet) -> Iterator[str]:
    """Bring questions for the gateway's port 53 to the resolver.

    The resolver has a port of its own, as a name server of the host may hold 53 everywhere.
    Who is on several networks has another resolver than the bridge's own.
    """
    asked = (
        f'iifname "{subnet.bridge}" ip daddr {subnet.gateway}'
        " meta l4proto { tcp, udp } th dport 53 redirect to"
    )
    yield f"{asked} :ip saddr map @resolver"
    yield f"{asked} :{subnet.dns_port}"


def _masquerading(subnet: Subnet) -> Iterator[str]:
    """Hide the sources whose answers would not find their way back.

    From inside to elsewhere; from inside back inside by a published port, as the answer
    would bypass this host; and from this host's 127.0.0.1, unknown inside.
    """
    yield f'ip saddr 127.0.0.0/8 oifname "{subnet.bridge}" masquerade'
    yield from _hiding(subnet, f"ip saddr {subnet.network}")
    if subnet.network6 is not None:
        yield from _hiding(subnet, f"ip6 saddr {subnet.network6}")


def _hiding(subnet: Subnet, inside: str) -> Iterator[str]:
    yield f'{inside} oifname "{subnet.bridge}" ct status dnat masquerade'
    if not subnet.internal and subnet.masquerade:
        yield f'{inside} oifname != "{subnet.bridge}" masquerade'
