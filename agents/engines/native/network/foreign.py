"""Firewalls that others keep on this host, as far as they stand in our way.

A packet must be accepted by every base chain, so our own rules cannot let through what
another chain drops. Docker sets the policy of FORWARD to drop and offers DOCKER-USER for
exactly this case: there we add two rules for each bridge. Any other chain belongs to the
administrator; we report it and leave it alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from agents.linux import process

DOCKER_CHAIN = "DOCKER-USER"

_COMMENT = "webpanel"
_IPV4_FAMILIES = ("ip", "inet")


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


def find_obstacles(own_table: str) -> tuple[Obstacle, ...]:
    """Return the chains that may stand in our way; DOCKER-USER opens Docker's own."""
    chains = _list_chains()
    opened = {(one.family, one.table) for one in chains if one.name == DOCKER_CHAIN}
    return tuple(
        Obstacle(family=one.family, table=one.table, chain=one.name, hook=hook)
        for one in chains
        for hook in _drops(one)
        if one.table != own_table and not (hook == "forward" and (one.family, one.table) in opened)
    )


def _drops(chain: _Chain) -> Iterator[Literal["forward", "input"]]:
    if chain.policy != "drop" or chain.family not in _IPV4_FAMILIES:
        return
    if chain.hook == "forward":
        yield "forward"
    elif chain.hook == "input":
        yield "input"


def open_docker_chain(bridge: str) -> None:
    """Let a bridge through Docker's FORWARD chain, where there is one. Idempotent."""
    for chain in _docker_chains():
        if _our_rules(chain, bridge):
            continue
        for key in ("iifname", "oifname"):
            where = [chain.family, chain.table, chain.name]
            comment = f'"{_comment(bridge)}"'
            process.run(
                ["nft", "insert", "rule", *where, key, bridge, "accept", "comment", comment]
            )


def close_docker_chain(bridge: str) -> None:
    """Take our rules out of Docker's chain. Idempotent."""
    for chain in _docker_chains():
        for rule in _our_rules(chain, bridge):
            where = [rule.family, rule.table, rule.chain]
            process.run(["nft", "delete", "rule", *where, "handle", str(rule.handle)])


def _docker_chains() -> tuple[_Chain, ...]:
    return tuple(
        one for one in _list_chains() if one.name == DOCKER_CHAIN and one.family in _IPV4_FAMILIES
    )


def _our_rules(chain: _Chain, bridge: str) -> tuple[_Rule, ...]:
    listing = _list(["chain", chain.family, chain.table, chain.name])
    return tuple(
        item.rule
        for item in listing
        if item.rule is not None and item.rule.comment == _comment(bridge)
    )


def _comment(bridge: str) -> str:
    return f"{_COMMENT} {bridge}"


def _list_chains() -> tuple[_Chain, ...]:
    return tuple(item.chain for item in _list(["chains"]) if item.chain is not None)


def _list(what: list[str]) -> list[_Item]:
    done = process.run(["nft", "-j", "list", *what])
    return msgspec.json.decode(done.stdout, type=_Listing).nftables
