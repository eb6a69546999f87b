"""Firewalls that others keep on this host, as far as they stand in our way.

A packet must be accepted by every base chain, so our own rules cannot let through what
another chain drops. Docker sets the policy of FORWARD to drop and offers DOCKER-USER for
exactly this case: there we add two rules for each bridge. Any other chain belongs to the
administrator; we report it and leave it alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from agents.linux import process

DOCKER_CHAIN = "DOCKER-USER"

_COMMENT = "webpanel"
_FAMILIES = ("ip", "ip6", "inet")


class _Chain(msgspec.Struct, kw_only=True):
    family: str
    table: str
    name: str
    hook: str = ""
    policy: str = ""


class _Rule(msgspec.Struct, kw_only=True):
    family: str
    table: str
    chain: str
    handle: int
    comment: str = ""


class _Item(msgspec.Struct, kw_only=True):
    chain: _Chain | None = None
    rule: _Rule | None = None


class _Listing(msgspec.Struct):
    nftables: list[_Item]


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """A chain of somebody else that drops by policy what passes through or comes to us."""

    family: str
    table: str
    chain: str
    hook: Literal["forward", "input"]

    def describe(self) -> str:
        """Return one sentence for a person."""
        where = f"{self.family} {self.table} {self.chain}"
        if self.hook == "forward":
            return f"The firewall chain {where} drops forwarded packets; allow wp+ interfaces."
        return f"The firewall chain {where} drops incoming packets; allow DNS from wp+ interfaces."


def find_obstacles(own_table: str, *, ipv6: bool) -> tuple[Obstacle, ...]:
    """Return the chains that may stand in our way; DOCKER-USER opens Docker's own.

    Those that see IPv6 alone count if ``ipv6`` is in use.
    """
    chains = _list_chains()
    opened = {(one.family, one.table) for one in chains if one.name == DOCKER_CHAIN}
    return tuple(
        Obstacle(family=one.family, table=one.table, chain=one.name, hook=hook)
        for one in chains
        for hook in _drops(one)
        if one.table != own_table
        and (ipv6 or one.family != "ip6")
        and not (hook == "forward" and (one.family, one.table) in opened)
    )


def _drops(chain: _Chain) -> Iterator[Literal["forward", "input"]]:
    if chain.policy != "drop" or chain.family not in _FAMILIES:
        return
    if chain.hook == "forward":
        yield "forward"
    elif chain.hook == "input":
        yield "input"


def open_docker_chains(bridges: Iterable[str]) -> bool:
    """Let bridges through Docker's FORWARD chains, where there are any. Idempotent.

    Returns whether one of them was not let through before.
    """
    commands = [
        f'insert rule {chain.family} {chain.table} {chain.name} {key} "{bridge}"'
        f' accept comment "{_comment(bridge)}"\n'
        for chain in _docker_chains()
        for bridge in _not_let_through(chain, bridges)
        for key in ("iifname", "oifname")
    ]
    if commands:
        process.run(["nft", "-f", "-"], input="".join(commands).encode())
    return bool(commands)


def _not_let_through(chain: _Chain, bridges: Iterable[str]) -> list[str]:
    known = {rule.comment for rule in _rules(chain)}
    return [bridge for bridge in bridges if _comment(bridge) not in known]


def close_docker_chains(bridge: str) -> None:
    """Take our rules out of Docker's chains. Idempotent."""
    for chain in _docker_chains():
        for rule in _rules(chain):
            if rule.comment == _comment(bridge):
                where = [rule.family, rule.table, rule.chain]
                process.run(["nft", "delete", "rule", *where, "handle", str(rule.handle)])


def _docker_chains() -> tuple[_Chain, ...]:
    return tuple(
        one for one in _list_chains() if one.name == DOCKER_CHAIN and one.family in _FAMILIES
    )


def _rules(chain: _Chain) -> tuple[_Rule, ...]:
    listing = _list(["chain", chain.family, chain.table, chain.name])
    return tuple(item.rule for item in listing if item.rule is not None)


def _comment(bridge: str) -> str:
    return f"{_COMMENT} {bridge}"


def _list_chains() -> tuple[_Chain, ...]:
    return tuple(item.chain for item in _list(["chains"]) if item.chain is not None)


def _list(what: list[str]) -> list[_Item]:
    done = process.run(["nft", "-j", "list", *what])
    return msgspec.json.decode(done.stdout, type=_Listing).nftables
