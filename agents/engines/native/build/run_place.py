"""Where the command of a RUN runs: a root file system, namespaces and a network of its own."""

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.build.network import BuildNetwork
from agents.engines.native.containers import isolation
from agents.engines.native.containers.paths import passages
from agents.engines.native.containers.root_file_system import make_passage
from agents.engines.native.images.layers import PASSAGE, Draft
from agents.engines.native.images.trees import remove_empty
from agents.engines.native.oci.types import NamespaceKind
from agents.linux import mounts
from agents.linux.failures import kernel_errors
from agents.linux.userns import new_namespaces, user_namespace


@dataclass(frozen=True, kw_only=True)
class RunPlace:
    """``folder`` is for files that the container is to see, ``base`` where its ids begin.

    ``nameservers`` None means the host's network, with its files.
    """

    name: str
    folder: Path
    rootfs: Path
    base: int
    joined: dict[NamespaceKind, Path]
    nameservers: tuple[str, ...] | None


@contextmanager
def run_place(
    root: Path, draft: Draft, lower: Sequence[Path], network: BuildNetwork | None
) -> Iterator[RunPlace]:
    """Mount ``lower`` (topmost first) with the draft's layer on top, for one command.

    As for any container, root inside is nobody on the host where that can be; ``network``
    None gives the host's, and with it the host's user namespace (see :mod:`isolation`).
    Raises KernelError, OutOfSpaceError, ConflictError (no subnet is free).
    """
    name = f"build-{secrets.token_hex(6)}"
    has_users = network is not None and not isolation.obstacle(root)
    base = isolation.choose_base(secrets.token_hex(4), ()) if has_users else 0
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(root, draft, name, base))
        rootfs = folder / "rootfs"
        stack.enter_context(_mounted(draft, lower, rootfs, base))
        joined: dict[NamespaceKind, Path] = {}
        nameservers = None
        if network is not None:
            joined.update(stack.enter_context(new_namespaces(base)).items())
            attachment = stack.enter_context(network.attached(name, joined["network"]))
            nameservers = attachment.nameservers
        yield RunPlace(
            name=name,
            folder=folder,
            rootfs=rootfs,
            base=base,
            joined=joined,
            nameservers=nameservers,
        )


@contextmanager
def _folder(root: Path, draft: Draft, name: str, base: int) -> Iterator[Path]:
    """Make a folder that the container's root may pass; the draft knows of it."""
    folder = passages(root) / name
    with kernel_errors("make", folder):
        (draft.path / PASSAGE).symlink_to(folder)
        make_passage(folder, base)
    try:
        yield folder
    finally:
        with kernel_errors("remove", folder):
            shutil.rmtree(folder)
            (draft.path / PASSAGE).unlink()
        remove_empty(folder.parent, folder.parent.parent)


@contextmanager
def _mounted(draft: Draft, lower: Sequence[Path], rootfs: Path, base: int) -> Iterator[None]:
    with kernel_errors("make", rootfs):
        rootfs.mkdir()
    try:
        if base:
            with user_namespace(base) as users:
                mounts.mount_idmapped_overlay(
                    lower,
                    rootfs,
                    state=draft.path,
                    names=draft.path / "names",
                    userns=users,
                    upper=draft.diff.name,
                )
        else:
            mounts.mount_overlay(lower, rootfs, upper=draft.diff, work=draft.work)
        yield
    finally:
        mounts.unmount(rootfs)
        with kernel_errors("remove", rootfs):
            # Never a whole tree: were it still mounted, these would be the image's files.
            os.rmdir(rootfs)
