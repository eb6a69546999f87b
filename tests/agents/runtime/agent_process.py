"""A real agent as a process of its own, on its own root and with its own Redis user."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from agents import config
from agents.config import AgentConfig, Secret
from agents.protocol import keys
from tests.agents.runtime.panel_side import PanelSide
from tests.certificates import public_pem
from tests.redis_server import RedisServer

STOP_SECONDS = 10.0
# Every agent has a root of its own; together they compile their modules but once.
BYTECODE = Path(__file__).resolve().parents[3] / "build" / "bytecode"
ENVIRONMENT = {"PYTHONPYCACHEPREFIX": str(BYTECODE), **os.environ}


@dataclass
class AgentProcess:
    """An agent that has joined; ``start`` and ``stop`` may be called again and again."""

    config: AgentConfig
    panel: PanelSide
    process: subprocess.Popen | None = None
    logs: list[Path] = field(default_factory=list)

    @property
    def config_path(self) -> Path:
        return self.config.root / config.CONFIG_NAME

    def start(self) -> None:
        log = self.config.root / f"agent-{len(self.logs)}.log"
        self.logs.append(log)
        argv = [sys.executable, "-m", "agents", "run", "--config", str(self.config_path)]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=ENVIRONMENT
            )

    def stop(self) -> int:
        """Stop it with SIGTERM and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(STOP_SECONDS)
        self.process = None
        return code

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            self.process = None

    def log_text(self) -> str:
        return "\n".join(log.read_text() for log in self.logs)


def make_agent(server: RedisServer, folder: Path, *, engine: str, url: str = "") -> AgentProcess:
    """Make an agent that has joined, not started."""
    uid = secrets.token_hex(16)
    password = Secret(secrets.token_hex(16))
    server.add_host(uid, password.reveal())
    pair = server.authority.issue(uid)
    key = load_pem_private_key(pair.key.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    panel = PanelSide(server, uid, key.public_key())
    panel_key = folder / "panel.pem"
    panel_key.parent.mkdir(parents=True, exist_ok=True)
    panel_key.write_bytes(public_pem(panel.key.public_key()))
    made = AgentConfig(
        panel="https://panel.example",
        uid=uid,
        name="test",
        root=folder,
        run=folder / "run",
        redis_urls=(url or server.unix_url,),
        redis_username=keys.acl_user(uid),
        redis_password=password,
        private_key=pair.key,
        certificate=pair.certificate,
        ca_certificate=server.authority.certificate,
        panel_key=panel_key,
        engines=(engine,),
        heartbeat_seconds=0.5,
    )
    config.save(made, folder / config.CONFIG_NAME)
    return AgentProcess(config=made, panel=panel)
