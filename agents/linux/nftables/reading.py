"""Reads back which published ports a table's rules let in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from agents.linux import process
from agents.linux.nftables import rules
from agents.linux.nftables.model import MAPS

_PROTOCOLS = {6: "tcp", 17: "udp"}
_PUBLISHED = ("published", "published_local")


@dataclass(frozen=True, kw_only=True)
class ReadForward:
    """A published port as the kernel has it; ``host_ip`` "" is every address of the host."""

    protocol: str
    host_port: int
    host_ip: str
    address: str
    port: int


def read_forwards(table: str) -> tuple[ReadForward, ...]:
    """Return the ports that are in force; none when the rules that use them are gone.

    Starts nft(8): blocks for some 6 ms. Raises ProgramError only when it cannot be started.
    """
    argv = ["nft", "-j", "-n", "list", "table", rules.FAMILY, table]
    done = process.run(argv, check=False)
    if done.exit_code != 0:
        return ()
    items: list[dict[str, Any]] = msgspec.json.decode(done.stdout)["nftables"]
    used = set(_used_maps(items))
    maps = [item["map"] for item in items if "map" in item]
    known = {one.name for one in MAPS} & used
    return tuple(one for found in maps if found["name"] in known for one in _forwards(found))


def _used_maps(items: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the maps that rules of reachable chains look into."""
    found = [item["rule"] for item in items if "rule" in item]
    reached = {step["jump"]["target"] for rule in found for step in rule["expr"] if "jump" in step}
    for rule in found:
        if rule["chain"] in _PUBLISHED and rule["chain"] in reached:
            yield from (_map_of(step) for step in rule["expr"] if "dnat" in step)


def _map_of(step: dict[str, Any]) -> str:
    target = step["dnat"].get("addr")
    data = target.get("map", {}).get("data", "") if isinstance(target, dict) else ""
    return str(data).removeprefix("@")


def _forwards(found: dict[str, Any]) -> Iterator[ReadForward]:
    for key, value in found.get("elem", ()):
        *where, protocol, host_port = key["concat"]
        address, port = value["concat"]
        yield ReadForward(
            protocol=_PROTOCOLS.get(protocol, str(protocol)),
            host_port=host_port,
            host_ip=where[0] if where else "",
            address=address,
            port=port,
        )
