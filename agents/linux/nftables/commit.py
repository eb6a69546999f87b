"""Puts a table in force, changes it, looks whether it is whole."""

from typing import Any

import msgspec

from agents.errors import NotSupportedError, ProgramError
from agents.linux import process
from agents.linux.nftables import rules
from agents.linux.nftables.elements import Channel
from agents.linux.nftables.model import Ruleset

_LEGACY_FAMILY = "ip"


def replace(ruleset: Ruleset) -> None:
    """Put a ruleset in force in place of what its table had. Idempotent; atomic.

    With no subnet the table is removed. Raises ProgramError.
    """
    if not ruleset.subnets:
        remove(ruleset.table)
        return
    _transact(rules.to_text(ruleset))


def change(old: Ruleset, new: Ruleset, channel: Channel) -> None:
    """Put ``new`` in force where ``old`` is. Atomic.

    Where only ports and resolvers differ, this takes 0.2 ms. Raises KernelError or
    ProgramError, also when somebody took the table, or elements of it, away.
    """
    if old.subnets != new.subnets or old.table != new.table:
        replace(new)
        return
    before, after = old.elements(), new.elements()
    if before != after:
        channel.send(new.table, before - after, after - before)


def remove(table: str) -> None:
    """Remove a table. Idempotent."""
    _transact(rules.removal(rules.FAMILY, table))


def remove_legacy(table: str) -> None:
    """Remove the table that former versions of the agent made under this name. Idempotent."""
    _transact(rules.removal(_LEGACY_FAMILY, table))


def exists(table: str) -> bool:
    """Return whether a table is there."""
    done = process.run(["nft", "list", "table", rules.FAMILY, table], check=False)
    return done.exit_code == 0


def is_intact(ruleset: Ruleset) -> bool:
    """Return whether the table holds as many rules and map elements as it should.

    Meant to find what others did by mistake, such as a flush; takes some 6 ms.
    """
    if not ruleset.subnets:
        return not exists(ruleset.table)
    argv = ["nft", "-j", "-n", "list", "table", rules.FAMILY, ruleset.table]
    done = process.run(argv, check=False)
    if done.exit_code != 0:
        return False
    items: list[dict[str, Any]] = msgspec.json.decode(done.stdout)["nftables"]
    found = sum(1 for item in items if "rule" in item)
    held = sum(len(item["map"].get("elem", ())) for item in items if "map" in item)
    return (found, held) == (rules.rule_count(ruleset), len(ruleset.elements()))


def _transact(text: str) -> None:
    try:
        process.run(["nft", "-f", "-"], input=text.encode())
    except ProgramError as exc:
        if exc.exit_code != process.NOT_FOUND:
            raise
        raise NotSupportedError(
            "networks need nft, which is not installed", hint="Install it: apt-get install nftables"
        ) from exc
