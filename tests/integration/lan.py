"""A network behind NAT: a router that hides it, and lets it open the panel's ports alone."""

import secrets
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass

RULES = """
table ip nat {{
  chain out {{ type nat hook postrouting priority 100; oifname "wan" masquerade; }}
}}
table ip filter {{
  chain through {{
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" tcp dport {{ {ports} }} accept
    iifname "lan" reject with icmp type admin-prohibited
  }}
}}
"""


def run(*argv: str, text: str = "") -> str:
    """Run a program that must succeed and return what it wrote."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Lan:
    """``panel`` is the address at which the panel's machine is seen from inside."""

    router: str
    panel: str

    def connect(self, namespace: str, number: int) -> None:
        """Give a network namespace a cable to the router, as 192.168.77.<number>."""
        link = f"p{number}"
        run("ip", "-n", self.router, "link", "add", link, "type", "veth", "peer", "name", "eth0")
        run("ip", "-n", self.router, "link", "set", "eth0", "netns", namespace)
        run("ip", "-n", self.router, "link", "set", link, "master", "lan", "up")
        run("ip", "-n", namespace, "address", "add", f"192.168.77.{number}/24", "dev", "eth0")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", namespace, "link", "set", "eth0", "up")
        run("ip", "-n", namespace, "route", "add", "default", "via", "192.168.77.1")


def make_lan(undo: ExitStack, ports: tuple[int, ...]) -> Lan:
    """Make the router between this machine and a new network; ``undo`` takes it away."""
    name = f"lan{secrets.token_hex(3)}"
    first, second = _free_pair()
    make_namespace(undo, name)
    run("ip", "link", "add", name, "type", "veth", "peer", "name", "wan", "netns", name)
    run("ip", "address", "add", f"{first}/30", "dev", name)
    run("ip", "link", "set", name, "up")
    run("ip", "-n", name, "address", "add", f"{second}/30", "dev", "wan")
    run("ip", "-n", name, "link", "set", "wan", "up")
    run("ip", "-n", name, "link", "add", "lan", "type", "bridge")
    run("ip", "-n", name, "address", "add", "192.168.77.1/24", "dev", "lan")
    run("ip", "-n", name, "link", "set", "lan", "up")
    run("ip", "netns", "exec", name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    rules = RULES.format(ports=", ".join(map(str, ports)))
    run("ip", "netns", "exec", name, "nft", "-f", "-", text=rules)
    return Lan(router=name, panel=first)


def make_namespace(undo: ExitStack, name: str) -> None:
    """Make a network namespace; what is in it goes with it."""
    run("ip", "netns", "add", name)
    undo.callback(run, "ip", "netns", "delete", name)


def _free_pair() -> tuple[str, str]:
    """Return two addresses of a /30 that this machine has no route to."""
    routes = run("ip", "route", "show")
    while True:
        prefix = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
        if f"{prefix}." not in routes:
            return f"{prefix}.1", f"{prefix}.2"
