"""Runs the command of a RUN in a container of its own.

It has mount, PID, IPC, UTS and cgroup namespaces of its own, and the host's network.
"""

import os
import secrets
import select
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from agents.engines.base import Cancelled, Output
from agents.engines.native import runtime
from agents.engines.native.containers.users import find_account
from agents.engines.native.images.layers import Draft
from agents.engines.native.images.trees import make_folders
from agents.engines.native.oci.config import make_config
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.process import ProcessPlan
from agents.engines.native.oci.types import encode
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


def run_in_container(draft: Draft, job: RunJob, output: Output, cancelled: Cancelled) -> int:
    """Run a job in the root file system mounted at ``draft.merged``; return its exit code.

    Blocks. Each line goes to ``output`` as it is written. Raises ``CancelledError`` after
    the container was killed, ``InvalidInputError`` for a user who is not in the image.
    """
    name = f"build-{secrets.token_hex(6)}"
    bundle = _write_bundle(draft, job, name)
    draft.runtime.mkdir(exist_ok=True)
    argv = ("run", "--bundle", str(bundle), name)
    program = runtime.spawn(
        draft.runtime, *argv, stdout=process.PIPE, stderr=process.STDOUT
    )
    try:
        _follow(program, output, cancelled)
        return _wait(program, cancelled)
    finally:
        _end(program, draft, name)


def _write_bundle(draft: Draft, job: RunJob, name: str) -> Path:
    bundle = draft.path / "bundle"
    bundle.mkdir()
    files = {f"/etc/{one}": _copy_host_file(bundle, one) for one in _HOST_FILES}
    (bundle / "hostname").write_text(f"{name}\n")
    (bundle / "hostname").chmod(0o644)
    files["/etc/hostname"] = bundle / "hostname"
    account = find_account(draft.merged, job.user)
    environment = {"HOME": account.home, **job.environment}
    config = make_config(
        ContainerSpec(name=name, image="", network_mode="host", hostname=name),
        ProcessPlan(
            args=job.argv,
            env=tuple(f"{key}={value}" for key, value in environment.items()),
            cwd=job.working_dir or "/",
            user=account.user,
        ),
        Places(
            rootfs=draft.merged,
            cgroup=f"/webpanel-{name}",
            shared=("user", "network"),
            files=files,
        ),
    )
    (bundle / "config.json").write_bytes(encode(config))
    return bundle


def _copy_host_file(bundle: Path, name: str) -> Path:
    """Give the container a copy, so that it cannot change the host's own."""
    copy, original = bundle / name, Path("/etc") / name
    if original.is_file():
        shutil.copyfile(original, copy)
    else:
        copy.touch()
    copy.chmod(0o644)
    return copy


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
