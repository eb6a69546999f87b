"""Packet rules: one table of our own, declared as a whole.

From all subnets and published ports follows the whole table. What seldom changes are its
rules, put in by nft(8) in one transaction; what comes and goes with containers are elements
of its maps, which this package sends to the kernel itself: 0.2 ms where a start of nft(8)
takes 5, and no rule is ever taken away, for which the kernel would wait for a grace period.
Established connections live in the kernel's connection tracking and go on. Other tables are
never touched.
"""

from agents.linux.nftables.commit import (
    change,
    exists,
    is_intact,
    remove,
    remove_legacy,
    replace,
)
from agents.linux.nftables.elements import Channel
from agents.linux.nftables.model import Forward, Resolver, Ruleset, Subnet

__all__ = [
    "Channel",
    "Forward",
    "Resolver",
    "Ruleset",
    "Subnet",
    "change",
    "exists",
    "is_intact",
    "remove",
    "remove_legacy",
    "replace",
]
