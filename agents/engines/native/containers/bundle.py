"""Everything that the runtime needs on disk to create a container."""

from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.containers import etc_files
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.process_plan import merge_environment
from agents.engines.native.containers.records import Manifest
from agents.engines.native.containers.users import find_account
from agents.engines.native.images import scope
from agents.engines.native.images.config import ImageConfig
from agents.engines.native.images.trees import make_folders
from agents.engines.native.network.records import Attachment
from agents.engines.native.oci.config import make_config
from agents.engines.native.oci.places import Places
from agents.engines.native.oci.process import ProcessPlan
from agents.engines.native.oci.types import Config, User, encode
from agents.errors import InvalidInputError
from agents.linux.failures import kernel_errors
from agents.linux.userns import RANGE

HOST_RESOLV_CONF = Path("/etc/resolv.conf")
_ETC = ("hosts", "hostname", "resolv.conf")
# Others than root read these, whatever umask the agent has.
_READABLE = 0o644


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a container meets at this start: its image, and places on the host."""

    image: ImageConfig
    places: Places


def etc_places(paths: ContainerPaths) -> dict[str, Path]:
    """Return which files of a container's /etc are the engine's, and where."""
    return {f"/etc/{name}": paths.etc / name for name in _ETC}


def plan_bundle(manifest: Manifest, paths: ContainerPaths, around: Surroundings) -> Config:
    """Return what the runtime is to be told; the root file system is mounted already.

    Raises:
        InvalidInputError: the user is not in the image, or a limit is wrong.
        NotSupportedError: this host cannot give what the spec asks for.
    """
    return make_config(manifest.spec, _process_plan(manifest, paths, around.image), around.places)


def write_bundle(config: Config, paths: ContainerPaths) -> None:
    """Write ``config.json``. Raises KernelError, OutOfSpaceError."""
    with kernel_errors("make the bundle", paths.bundle):
        for folder in (paths.bundle, paths.exits):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths.config.write_bytes(encode(config))


def _process_plan(manifest: Manifest, paths: ContainerPaths, image: ImageConfig) -> ProcessPlan:
    spec = manifest.spec
    account = find_account(paths.rootfs, spec.user or image.user, spec.groups)
    if manifest.id_base:
        _check_range(account.user)
    cwd = spec.working_dir or image.working_dir or "/"
    _make_working_dir(paths.rootfs, cwd, manifest.id_base)
    return ProcessPlan(
        args=manifest.command,
        env=merge_environment(image.env, spec, hostname=spec.hostname, home=account.home),
        cwd=cwd,
        user=account.user,
    )


def _check_range(user: User) -> None:
    """Refuse ids by name that a user namespace lacks; those by number were seen at creation."""
    beyond = [one for one in (user.uid, user.gid, *user.additional_gids) if one >= RANGE]
    if beyond:
        raise InvalidInputError(
            f"the user or group {beyond[0]} is more than the ids of a user namespace",
            hint="Give the container the user namespace of the host (userns_mode: host).",
            field="user",
        )


def _make_working_dir(rootfs: Path, cwd: str, id_base: int) -> None:
    with kernel_errors("make the working directory", cwd):
        make_folders(scope.resolve(rootfs, cwd), rootfs, (id_base, id_base))


def write_etc(manifest: Manifest, paths: ContainerPaths, attachment: Attachment) -> None:
    """Write the files that are bound over those in a container's /etc. Raises KernelError."""
    with kernel_errors("make", paths.etc):
        paths.etc.mkdir(exist_ok=True, mode=0o700)
    for name, text in _etc_texts(manifest, attachment).items():
        write_atomic(paths.etc / name, text.encode(), sync=False, mode=_READABLE)


def refresh_etc(
    manifest: Manifest, paths: ContainerPaths, before: Attachment, after: Attachment
) -> None:
    """Change those files while the container runs, but for one that it has changed itself.

    Written in place, as what is bound into the container is this very file.
    """
    former = _etc_texts(manifest, before)
    for name, text in _etc_texts(manifest, after).items():
        path = paths.etc / name
        with kernel_errors("write", path):
            if text != former[name] and path.read_text() == former[name]:
                path.write_text(text)


def _etc_texts(manifest: Manifest, attachment: Attachment) -> dict[str, str]:
    """Return the text of each file; a resolver of ours asks the spec's name servers itself."""
    spec = manifest.spec
    addresses = [
        address
        for one in attachment.endpoints
        for address in (one.ipv4_address, one.ipv6_address)
        if address
    ]
    asked = etc_files.Resolution(
        nameservers=attachment.nameservers or spec.dns,
        search=spec.dns_search,
        options=spec.dns_options,
    )
    host_text = HOST_RESOLV_CONF.read_text() if HOST_RESOLV_CONF.exists() else ""
    return {
        "hosts": etc_files.hosts(spec.hostname, addresses, spec.extra_hosts),
        "hostname": f"{spec.hostname}\n",
        "resolv.conf": etc_files.resolv_conf(asked, host_text),
    }
