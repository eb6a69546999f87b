"""Whether this host passes packets on between its interfaces."""

from pathlib import Path

from agents.linux import netlink
from agents.linux.sysctls import has_sysctl, read_sysctl, write_sysctl

SETTING = "net/ipv4/ip_forward"


class Forwarding:
    """Switches ``ip_forward`` on with the first network, and back with the last.

    It is set back only if it was off before us and nobody else has a bridge by then, such
    as Docker or another agent, who would be cut off. What we did is remembered in the run
    folder, which like the setting does not survive a reboot.
    """

    def __init__(self, run: Path) -> None:
        self._mark = run / "switched-forwarding-on"

    def switch_on(self) -> None:
        """Idempotent."""
        if read_sysctl(SETTING) == "1":
            return
        self._mark.touch()
        write_sysctl(SETTING, "1")

    def restore(self) -> None:
        """Call after the last network's bridge has gone. Idempotent."""
        if not self._mark.exists():
            return
        if not any(link.kind == "bridge" for link in netlink.list_links()):
            write_sysctl(SETTING, "0")
        self._mark.unlink(missing_ok=True)


def prepare_bridge(bridge: str) -> None:
    """Let published ports on 127.0.0.1 reach a bridge, and keep IPv6 off it. Idempotent.

    Without ``route_localnet`` the kernel drops what comes from 127.0.0.1 on its way to the
    bridge; the packet rules see to it that nothing else uses that.
    """
    write_sysctl(f"net/ipv4/conf/{bridge}/route_localnet", "1")
    without_ipv6 = f"net/ipv6/conf/{bridge}/disable_ipv6"
    if has_sysctl(without_ipv6):
        write_sysctl(without_ipv6, "1")
