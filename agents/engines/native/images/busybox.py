"""Makes a small base image of the host's static busybox, so that there is one without a registry.

On Debian the program comes with the package ``busybox-static``.
"""

import io
import tarfile
from pathlib import Path

from agents.engines.native.images.store import ImageStore, StoredImage
from agents.errors import NotSupportedError
from agents.linux import process

REFERENCE = "busybox:latest"
PROGRAM = Path("/bin/busybox")
_FOLDERS = {
    "bin": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "home": 0o755,
    "proc": 0o755,
    "root": 0o700,
    "sbin": 0o755,
    "sys": 0o755,
    "tmp": 0o1777,
    "usr": 0o755,
    "usr/bin": 0o755,
    "usr/sbin": 0o755,
    "var": 0o755,
    "var/www": 0o755,
}
_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/bin/false\n"
        "www-data:x:33:33:www-data:/var/www:/bin/false\n"
        "nobody:x:65534:65534:nobody:/home:/bin/false\n"
    ),
    "etc/group": "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def seed(store: ImageStore, folder: Path, program: Path = PROGRAM) -> StoredImage:
    """Make the image ``busybox:latest``, using ``folder`` for a passing file. Idempotent.

    The same program, with the same time of change, gives the same image id.

    Raises:
        NotSupportedError: the host has no busybox, or it is not a static program.
    """
    archive = folder / f"busybox-{id(store):x}.tar"
    try:
        archive.write_bytes(make_rootfs(program))
        return store.import_archive(archive, REFERENCE, created=program.stat().st_mtime)
    finally:
        archive.unlink(missing_ok=True)


def make_rootfs(program: Path = PROGRAM) -> bytes:
    """Return a tar of a root file system: busybox, a link for each applet, users, folders."""
    if not program.is_file():
        raise NotSupportedError(
            f"There is no {program} to make an image of.", hint="Install busybox-static."
        )
    content = program.read_bytes()
    if b"/ld-linux" in content or b"/ld-musl" in content:
        raise NotSupportedError(
            f"{program} is not a static program.", hint="Install busybox-static."
        )
    members = [(_member(name, mode, tarfile.DIRTYPE), b"") for name, mode in _FOLDERS.items()]
    members.append(_file("bin/busybox", content, 0o755))
    members += [(_link(applet), b"") for applet in _applets(program)]
    members += [_file(name, text.encode(), 0o644) for name, text in _FILES.items()]
    out, moment = io.BytesIO(), int(program.stat().st_mtime)
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in members:
            member.mtime = moment
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _applets(program: Path) -> list[str]:
    listed = process.run([str(program), "--list-full"]).text().split()
    return sorted(set(listed) - {"bin/busybox"})


def _file(name: str, content: bytes, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    member = _member(name, mode, tarfile.REGTYPE)
    member.size = len(content)
    return member, content


def _link(name: str) -> tarfile.TarInfo:
    member = _member(name, 0o755, tarfile.LNKTYPE)
    member.linkname = "bin/busybox"
    return member


def _member(name: str, mode: int, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode, member.type = mode, kind
    return member
