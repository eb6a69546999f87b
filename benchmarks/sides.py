"""What is measured beside what: our engine and Docker's, asked for the same things."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from agents.engines.native.engine import NativeEngine
from agents.engines.specs import ContainerSpec, EndpointSpec, ExecSpec, NetworkSpec, PortSpec
from agents.linux import process
from benchmarks.docker.daemon import IMAGE, NETWORK, Daemon
from benchmarks.docker.packages import environment

GRACE = 10
# Ends at once on SIGTERM, which the first process of a PID namespace must ask for.
PROGRAM = ("sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait")
PORT = 80
TRUE = ("true",)


class Side(Protocol):
    """An engine as the benchmarks use it. Containers are on a bridge and publish a port."""

    def begin(self) -> str:
        """Create and start a container; return its id."""
        ...

    def execute(self, container: str) -> int:
        """Run ``true`` in a container with its output caught; return the exit code."""
        ...

    def stop(self, container: str) -> None:
        """Stop a container, with ten seconds' grace."""
        ...

    def remove(self, container: str) -> None:
        """Remove a container, running or not."""
        ...


class Ours:
    """The native engine."""

    def __init__(self, engine: NativeEngine) -> None:
        self.engine = engine
        engine.create_network(NetworkSpec(name=NETWORK))

    def begin(self) -> str:
        spec = ContainerSpec(
            name=f"bench-{secrets.token_hex(4)}",
            image=IMAGE,
            command=PROGRAM,
            endpoints=(EndpointSpec(network=NETWORK),),
            ports=(PortSpec(container_port=PORT),),
        )
        return self.engine.start_container(self.engine.create_container(spec).id).id

    def execute(self, container: str) -> int:
        with self.engine.start_exec(container, ExecSpec(command=TRUE)) as session:
            while (chunk := session.read(None)) is None or not chunk.is_end:
                pass
            return session.wait()

    def stop(self, container: str) -> None:
        self.engine.stop_container(container, GRACE)

    def remove(self, container: str) -> None:
        self.engine.remove_container(container, force=True)


class Docker:
    """Docker Engine by its API."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self._api = daemon.api

    def begin(self) -> str:
        port = f"{PORT}/tcp"
        body = {
            "Image": IMAGE,
            "Cmd": PROGRAM,
            "ExposedPorts": {port: {}},
            "HostConfig": {"NetworkMode": NETWORK, "PortBindings": {port: [{"HostPort": ""}]}},
        }
        name = f"bench-{secrets.token_hex(4)}"
        made: str = self._api.call("POST", f"/containers/create?name={name}", body)["Id"]
        self._api.call("POST", f"/containers/{made}/start")
        return made

    def execute(self, container: str) -> int:
        wanted = {"Cmd": TRUE, "AttachStdout": True, "AttachStderr": True}
        made = self._api.call("POST", f"/containers/{container}/exec", wanted)["Id"]
        self._api.send("POST", f"/exec/{made}/start", b"{}", "application/json")
        return int(self._api.call("GET", f"/exec/{made}/json")["ExitCode"])

    def execute_by_program(self, container: str) -> None:
        """Do the same by Docker's command line."""
        daemon = self.daemon
        argv = ("docker", f"--host=unix://{daemon.socket}", "exec", container, *TRUE)
        process.run(argv, env={**environment(daemon.programs), "HOME": str(daemon.folder)})

    def stop(self, container: str) -> None:
        self._api.call("POST", f"/containers/{container}/stop?t={GRACE}")

    def remove(self, container: str) -> None:
        self._api.call("DELETE", f"/containers/{container}?force=1")


def all_at_once(acts: list[Callable[[], object]]) -> None:
    """Do all at the same time, each in a thread of its own."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for begun in [pool.submit(act) for act in acts]:
            begun.result()
