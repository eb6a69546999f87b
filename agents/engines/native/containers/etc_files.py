"""The files in /etc that an engine gives each container: hosts, hostname, resolv.conf. Pure."""

from collections.abc import Mapping, Sequence

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


def resolv_conf(nameservers: Sequence[str], host_text: str) -> str:
    """Return /etc/resolv.conf that asks ``nameservers``, with the host's search list.

    Without nameservers it is the host's own.
    """
    if not nameservers:
        return host_text
    kept = [
        line
        for line in host_text.splitlines()
        if line.split(maxsplit=1)[:1] in (["search"], ["domain"])
    ]
    return "".join(f"{line}\n" for line in [*(f"nameserver {one}" for one in nameservers), *kept])
