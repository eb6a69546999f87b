"""Everything that the runtime needs on disk to create a container."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.engines.native.containers import etc_files
from agents.engines.native.containers.disk import write_atomic
from agents.engines.native.containers.init import init_program
from agents.engines.native.containers.paths import ContainerPaths
from agents.engines.native.containers.process_plan import merge_environment
from agents.engines.native.containers.records import Manifest
from agents.engines.native.containers.users import find_account
from agents.engines.native.images import scope
from agents.engines.native.images.config import ImageConfig
from agents.engines.native.network.records import Attachment
from agents.engines.native.oci.config import make_config
from agents.engines.native.oci.mounts import Places
from agents.engines.native.oci.process import ProcessPlan
from agents.engines.native.oci.types import encode
from agents.linux.failures import kernel_errors

HOST_RESOLV_CONF = Path("/etc/resolv.conf")
_ETC = ("hosts", "hostname", "resolv.conf")
# Others than root read these, whatever umask the agent has.
_READABLE = 0o644


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a container meets at this start: its image, network, volumes and cgroup."""

    image: ImageConfig
    attachment: Attachment
    volumes: Mapping[str, Path]
    cgroup: str


def write_bundle(manifest: Manifest, paths: ContainerPaths, around: Surroundings) -> None:
    """Write ``config.json`` and the files in /etc; the root file system is mounted already.

    Raises:
        InvalidInputError: the user is not in the image, or a limit is wrong.
        NotSupportedError: this host cannot give what the spec asks for.
    """
    spec = manifest.spec
    config = make_config(
        spec,
        _process_plan(manifest, paths, around.image),
        Places(
            rootfs=paths.rootfs,
            cgroup=around.cgroup,
            network=None if spec.network_mode == "host" else paths.network,
            files={f"/etc/{name}": paths.etc / name for name in _ETC},
            volumes=around.volumes,
            init=init_program() if spec.init else None,
        ),
    )
    with kernel_errors("make the bundle", paths.bundle):
        for folder in (paths.bundle, paths.exits, paths.etc):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_etc(manifest, paths, around.attachment)
        paths.config.write_bytes(encode(config))


def _process_plan(manifest: Manifest, paths: ContainerPaths, image: ImageConfig) -> ProcessPlan:
    spec = manifest.spec
    account = find_account(paths.rootfs, spec.user or image.user)
    cwd = spec.working_dir or image.working_dir or "/"
    _make_working_dir(paths.rootfs, cwd)
    return ProcessPlan(
        args=manifest.command,
        env=merge_environment(image.env, spec, hostname=spec.hostname, home=account.home),
        cwd=cwd,
        user=account.user,
    )


def _make_working_dir(rootfs: Path, cwd: str) -> None:
    with kernel_errors("make the working directory", cwd):
        scope.resolve(rootfs, cwd).mkdir(parents=True, exist_ok=True)


def _write_etc(manifest: Manifest, paths: ContainerPaths, attachment: Attachment) -> None:
    spec = manifest.spec
    addresses = [one.ipv4_address for one in attachment.endpoints]
    host_text = HOST_RESOLV_CONF.read_text() if HOST_RESOLV_CONF.exists() else ""
    texts = {
        "hosts": etc_files.hosts(spec.hostname, addresses, spec.extra_hosts),
        "hostname": f"{spec.hostname}\n",
        "resolv.conf": etc_files.resolv_conf(spec.dns or attachment.nameservers, host_text),
    }
    for name, text in texts.items():
        write_atomic(paths.etc / name, text.encode(), sync=False, mode=_READABLE)
