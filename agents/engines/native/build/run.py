"""Runs the command of a RUN in a container of its own.

It has the namespaces that any container has, and no limits.
"""

import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from agents.engines.base import Cancelled, Output
from agents.engines.native import runtime
from agents.engines.native.build.run_place import RunPlace
from agents.engines.native.containers import etc_files
from agents.engines.native.containers.users import find_account
from agents.engines.native.images.layers import Draft
from agents.engines.native.images.trees import make_folders
from agents.engines.native.oci.config import make_config
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.process import ProcessPlan
from agents.engines.native.oci.types import NamespaceKind, encode
from agents.engines.specs import ContainerSpec
from agents.errors import CancelledError
from agents.linux import process

_POLL = 0.1
_GRACE = 10.0
_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 14
_HOST_FILES = ("hosts", "resolv.conf")


@dataclass(frozen=True, kw_only=True)
class RunJob:
    """A command to run as ``user`` of the image, with the environment as it is given."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    working_dir: str
    user: str


def make_places(folder: Path) -> None:
    """Make the mount points that a container needs, for a lowest layer that is thrown away.

    So the runtime finds them in any image, and leaves none of its own in the new layer.
    """
    for name in ("dev", "etc", "proc", "sys"):
        make_folders(folder / name, folder.parent)
    for name in (*_HOST_FILES, "hostname"):
        (folder / "etc" / name).touch()


def run_in_container(
    draft: Draft, place: RunPlace, job: RunJob, output: Output, cancelled: Cancelled
) -> int:
    """Run a job at its place; return its exit code.

    Blocks. Each line goes to ``output`` as it is written. Raises ``CancelledError`` after
    the container was killed, ``InvalidInputError`` for a user who is not in the image.
    """
    bundle = _write_bundle(draft, place, job)
    draft.runtime.mkdir(exist_ok=True)
    argv = ("run", "--bundle", str(bundle), place.name)
    program = runtime.spawn(draft.runtime, *argv, stdout=process.PIPE, stderr=process.STDOUT)
    try:
        _follow(program, output, cancelled)
        return _wait(program, cancelled)
    finally:
        _end(program, draft, place.name)


def _write_bundle(draft: Draft, place: RunPlace, job: RunJob) -> Path:
    bundle = draft.path / "bundle"
    bundle.mkdir()
    account = find_account(place.rootfs, job.user)
    environment = {"HOME": account.home, **job.environment}
    mode = "host" if place.nameservers is None else "none"
    config = make_config(
        ContainerSpec(name=place.name, image="", network_mode=mode, hostname=place.name),
        ProcessPlan(
            args=job.argv,
            env=tuple(f"{key}={value}" for key, value in environment.items()),
            cwd=job.working_dir or "/",
            user=account.user,
        ),
        Places(
            rootfs=place.rootfs,
            cgroup=runtime.build_cgroup(place.name),
            joined=place.joined,
            shared=_shared(place),
            id_base=place.base,
            files=_write_files(place),
        ),
    )
    (bundle / "config.json").write_bytes(encode(config))
    return bundle


def _shared(place: RunPlace) -> tuple[NamespaceKind, ...]:
    network: tuple[NamespaceKind, ...] = () if place.joined else ("network",)
    return network if place.base else ("user", *network)


def _write_files(place: RunPlace) -> dict[str, Path]:
    """Write the files that are bound over those in /etc: copies, so the host's stay as they are."""
    texts = {name: _host_text(name) for name in _HOST_FILES} | {"hostname": f"{place.name}\n"}
    if place.nameservers is not None:
        asked = etc_files.Resolution(nameservers=place.nameservers)
        texts["resolv.conf"] = etc_files.resolv_conf(asked, texts["resolv.conf"])
        texts["hosts"] = etc_files.hosts(place.name, (), {})
    files = {}
    for name, text in texts.items():
        path = files[f"/etc/{name}"] = place.folder / name
        path.write_text(text)
        path.chmod(0o644)
        os.chown(path, place.base, place.base)
    return files


def _host_text(name: str) -> str:
    path = Path("/etc") / name
    return path.read_text(errors="replace") if path.is_file() else ""


def _follow(program: process.Process[bytes], output: Output, cancelled: Cancelled) -> None:
    if program.stdout is None:
        raise AssertionError("the program was started without a pipe")
    fd, rest = program.stdout.fileno(), b""
    poller = select.poll()
    poller.register(fd, select.POLLIN | select.POLLHUP)
    while True:
        _check(cancelled)
        if not poller.poll(_POLL * 1000):
            continue
        data = os.read(fd, _CHUNK)
        if not data:
            break
        rest = _emit_lines(rest + data, output)
    if rest:
        output(rest.decode(errors="replace"))


def _wait(program: process.Process[bytes], cancelled: Cancelled) -> int:
    """Wait for a program that may have closed its output long before it ends."""
    pidfd = process.open_pidfd(program.pid)
    try:
        while not process.wait_pidfd(pidfd, _POLL):
            _check(cancelled)
    finally:
        os.close(pidfd)
    return program.wait()


def _check(cancelled: Cancelled) -> None:
    if cancelled():
        raise CancelledError("The build was cancelled.")


def _emit_lines(data: bytes, output: Output) -> bytes:
    *lines, rest = data.split(b"\n")
    for line in lines:
        output(line.decode(errors="replace").rstrip("\r"))
    while len(rest) > _LONGEST_LINE:
        output(rest[:_LONGEST_LINE].decode(errors="replace"))
        rest = rest[_LONGEST_LINE:]
    return rest


def _end(program: process.Process[bytes], draft: Draft, name: str) -> None:
    """Make sure that the container is gone, also one that is just being made."""
    deadline = time.monotonic() + _GRACE
    while program.poll() is None and time.monotonic() < deadline:
        runtime.run(draft.runtime, "delete", "--force", name, check=False)
        pidfd = process.open_pidfd(program.pid)
        try:
            process.wait_pidfd(pidfd, _POLL)
        finally:
            os.close(pidfd)
    if program.poll() is None:
        program.kill()
    program.wait()
    if program.stdout is not None:
        program.stdout.close()
