"""Whether this host passes packets on between its interfaces."""

from pathlib import Path

from agents.engines.native.network.files import replace_text
from agents.linux import netlink
from agents.linux.sysctls import has_sysctl, list_sysctls, read_sysctl, write_sysctl

SETTING = "net/ipv4/ip_forward"
SETTING6 = "net/ipv6/conf/all/forwarding"
_INTERFACES6 = "net/ipv6/conf"


class Forwarding:
    """Switches forwarding on with the first network, and back with the last.

    It is set back only if it was off before us and nobody else has a bridge by then, such
    as Docker or another agent, who would be cut off. What we did is remembered in the run
    folder, which like the setting does not survive a reboot.
    """

    def __init__(self, run: Path) -> None:
        self._mark = run / "switched-forwarding-on"
        self._mark6 = run / "switched-ipv6-forwarding-on"

    def switch_on(self) -> None:
        """Idempotent."""
        if read_sysctl(SETTING) != "1":
            self._mark.touch()
            write_sysctl(SETTING, "1")

    def switch_on6(self) -> None:
        """The same for IPv6. Idempotent.

        A host that forwards no longer listens to routers, and would lose its own default
        route in time; so interfaces that listen are told to do so nevertheless (accept_ra 2,
        see the kernel's ip-sysctl).
        """
        if read_sysctl(SETTING6) == "1":
            return
        listening = [name for name in list_sysctls(_INTERFACES6) if _accepts(name) == "1"]
        if self._mark6.exists():
            # Cut off in the middle: some have been told already.
            listening += [one for one in self._mark6.read_text().split("\n") if one]
        replace_text(self._mark6, "\n".join(dict.fromkeys(listening)))
        for name in listening:
            write_sysctl(_accept_ra(name), "2")
        write_sysctl(SETTING6, "1")

    def restore(self) -> None:
        """Call after the last network's bridge has gone. Idempotent."""
        alone = not any(link.kind == "bridge" for link in netlink.list_links())
        if self._mark.exists():
            if alone:
                write_sysctl(SETTING, "0")
            self._mark.unlink(missing_ok=True)
        if self._mark6.exists():
            if alone:
                self._restore6()
            self._mark6.unlink(missing_ok=True)

    def _restore6(self) -> None:
        write_sysctl(SETTING6, "0")
        for name in self._mark6.read_text().split("\n"):
            if name and _accepts(name) == "2":
                write_sysctl(_accept_ra(name), "1")


def _accept_ra(interface: str) -> str:
    return f"{_INTERFACES6}/{interface}/accept_ra"


def _accepts(interface: str) -> str:
    return read_sysctl(_accept_ra(interface)) if has_sysctl(_accept_ra(interface)) else ""


def let_loopback_in(bridge: str) -> None:
    """Let published ports on 127.0.0.1 reach a bridge. Idempotent.

    Without ``route_localnet`` the kernel drops what comes from 127.0.0.1 on its way to the
    bridge; the packet rules see to it that nothing else uses that.
    """
    write_sysctl(f"net/ipv4/conf/{bridge}/route_localnet", "1")
