"""The files in /etc that an engine gives each container: hosts, hostname, resolv.conf. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LOCAL = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def hosts(hostname: str, addresses: Sequence[str], extra: Mapping[str, str]) -> str:
    """Return /etc/hosts; ``extra`` maps names to addresses."""
    lines = [f"{address}\t{name}" for name, address in extra.items()]
    lines += [f"{address}\t{hostname}" for address in addresses]
    return _LOCAL + "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What a container asks for names; empty parts are the host's."""

    nameservers: Sequence[str] = ()
    search: Sequence[str] = ()
    options: Sequence[str] = ()


def resolv_conf(asked: Resolution, host_text: str) -> str:
    """Return /etc/resolv.conf; see resolv.conf(5). Parts that are not asked for are the host's.

    The host's options go with its nameservers only: they are for those.
    """
    host = [line.split() for line in host_text.splitlines() if line.split()]
    servers = asked.nameservers or [one[1] for one in host if one[0] == "nameserver" and one[1:]]
    kept = () if asked.nameservers else _words(host, ("options",))
    # A lone dot switches the search off.
    search = [one for one in asked.search or _words(host, ("search", "domain")) if one != "."]
    options = asked.options or kept
    lines = [f"nameserver {one}" for one in servers]
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options)}"] if options else []
    return "".join(f"{line}\n" for line in lines)


def _words(lines: Sequence[Sequence[str]], keys: tuple[str, ...]) -> Sequence[str]:
    """Return what the last of these keys says, which is the one that counts."""
    found = [line[1:] for line in lines if line[0] in keys]
    return found[-1] if found else ()
