"""The only place where the agent calls the kernel through ctypes.

One function for each call, named after its man page, that raises ``OSError(errno,
strerror, path)`` when the call fails. Constants come from the kernel's headers. None of
them logs, retries or remembers anything; meaning is added by the modules around.

The calls of unshare(2) and setns(2) change the calling *thread* only: a thread that used
them must end and never go back to a pool.
"""

import ctypes
import mmap
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import NoReturn

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_MOVE = 0x2000
MS_REC = 0x4000
MS_UNBINDABLE = 1 << 17
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20

MNT_FORCE = 0x1
MNT_DETACH = 0x2
MNT_EXPIRE = 0x4
UMOUNT_NOFOLLOW = 0x8

CLONE_VM = 0x00000100
CLONE_FS = 0x00000200
CLONE_FILES = 0x00000400
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

RENAME_EXCHANGE = 0x2

RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

OPEN_TREE_CLONE = 0x1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
MOVE_MOUNT_F_EMPTY_PATH = 0x4
MOUNT_ATTR_RDONLY = 0x00000001
MOUNT_ATTR_IDMAP = 0x00100000

# The newest calls have no wrapper in glibc 2.36; since Linux 5.1 a new call has the same
# number on every architecture that has a table of its own (asm-generic/unistd.h).
_NR_OPEN_TREE = 428
_NR_MOVE_MOUNT = 429
_NR_OPENAT2 = 437
_NR_MOUNT_SETATTR = 442

IN_ACCESS = 0x001
IN_MODIFY = 0x002
IN_ATTRIB = 0x004
IN_CLOSE_WRITE = 0x008
IN_CLOSE_NOWRITE = 0x010
IN_OPEN = 0x020
IN_MOVED_FROM = 0x040
IN_MOVED_TO = 0x080
IN_CREATE = 0x100
IN_DELETE = 0x200
IN_DELETE_SELF = 0x400
IN_MOVE_SELF = 0x800
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000
IN_ONLYDIR = 0x01000000
IN_DONT_FOLLOW = 0x02000000
IN_ISDIR = 0x40000000
IN_NONBLOCK = os.O_NONBLOCK
IN_CLOEXEC = os.O_CLOEXEC

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_ulong,
    ctypes.c_char_p,
)
_libc.umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)
_libc.unshare.argtypes = (ctypes.c_int,)
_libc.setns.argtypes = (ctypes.c_int, ctypes.c_int)
_libc.inotify_init1.argtypes = (ctypes.c_int,)
_libc.inotify_add_watch.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
_libc.inotify_rm_watch.argtypes = (ctypes.c_int, ctypes.c_int)
_libc.syncfs.argtypes = (ctypes.c_int,)
_libc.renameat2.argtypes = (
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_uint,
)
_libc.clone.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
_ALL_BITS = 0xFFFFFFFF
_STACK = 64 * 1024
_IDLE_SECONDS = 5
_ALIGNMENT = 64

_OPEN_HOW = Struct("QQQ")
_EVENT_HEADER = Struct("iIII")
_EVENT_BUFFER = 64 * 1024

StrPath = str | os.PathLike[str]

_stacks: dict[int, mmap.mmap] = {}


@dataclass(frozen=True, kw_only=True)
class InotifyEvent:
    """One event of inotify(7). ``name`` is empty when the watched thing itself is meant."""

    watch: int
    mask: int
    cookie: int
    name: str


def mount(source: StrPath, target: StrPath, fstype: str, flags: int = 0, data: str = "") -> None:
    """Attach a file system, or change or bind one, as the flags say; see mount(2).

    ``data`` must be shorter than a page. Raises OSError. Needs CAP_SYS_ADMIN.
    """
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        fstype.encode() or None,
        flags,
        os.fsencode(data) or None,
    )
    if result < 0:
        _fail(target)


def umount2(target: StrPath, flags: int = 0) -> None:
    """Detach the topmost file system of a path; see umount2(2). Raises OSError."""
    if _libc.umount2(os.fsencode(target), flags) < 0:
        _fail(target)


def unshare(flags: int) -> None:
    """Move the calling thread into new namespaces; see unshare(2). Raises OSError."""
    if _libc.unshare(flags) < 0:
        _fail("")


def setns(fd: int, nstype: int = 0) -> None:
    """Move the calling thread into a namespace; see setns(2). Raises OSError."""
    if _libc.setns(fd, nstype) < 0:
        _fail(f"/proc/self/fd/{fd}")


class _MountAttr(ctypes.Structure):
    """``struct mount_attr``; see mount_setattr(2)."""

    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def open_tree(path: StrPath, flags: int = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) -> int:
    """Return a descriptor of a copy of the mount at ``path``, attached nowhere.

    ``path`` becomes its root. See open_tree(2). Raises OSError; ENOSYS before Linux 5.2.
    """
    number = ctypes.c_long(_NR_OPEN_TREE)
    name = ctypes.c_char_p(os.fsencode(path))
    fd: int = _libc.syscall(number, ctypes.c_int(AT_FDCWD), name, ctypes.c_uint(flags))
    if fd < 0:
        _fail(path)
    return fd


def move_mount(fd: int, target: StrPath) -> None:
    """Attach the mount of an ``open_tree`` descriptor at ``target``; see move_mount(2).

    Raises OSError.
    """
    result = _libc.syscall(
        ctypes.c_long(_NR_MOVE_MOUNT),
        ctypes.c_int(fd),
        ctypes.c_char_p(b""),
        ctypes.c_int(AT_FDCWD),
        ctypes.c_char_p(os.fsencode(target)),
        ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH),
    )
    if result < 0:
        _fail(target)


def mount_setattr(fd: int, attributes: int, *, userns_fd: int = 0, recursive: bool = False) -> None:
    """Set attributes of the mount of an ``open_tree`` descriptor; see mount_setattr(2).

    Raises OSError: EINVAL where the file system cannot map ids, ENOSYS before Linux 5.12.
    """
    wanted = _MountAttr(attr_set=attributes, userns_fd=userns_fd)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    result = _libc.syscall(
        ctypes.c_long(_NR_MOUNT_SETATTR),
        ctypes.c_int(fd),
        ctypes.c_char_p(b""),
        ctypes.c_uint(flags),
        ctypes.byref(wanted),
        ctypes.c_size_t(ctypes.sizeof(wanted)),
    )
    if result < 0:
        _fail(f"/proc/self/fd/{fd}")


def clone_idle(flags: int) -> int:
    """Start a child that does nothing in new namespaces, and return its process number.

    It shares our memory and open files instead of copying them (a copy would keep every lock
    of flock(2) that we think we gave up), runs only sleep(3) of the C library on a stack of
    its own, and gets no signal but SIGKILL, by :func:`end_idle`. Should we be killed before
    that, it ends by itself after some seconds. See clone(2), CLONE_VM and CLONE_FILES.

    Raises OSError.
    """
    stack = mmap.mmap(-1, _STACK)
    top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + _STACK - _ALIGNMENT
    sleep = ctypes.cast(_libc.sleep, ctypes.c_void_p)
    shared = CLONE_VM | CLONE_FILES
    before = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid: int = _libc.clone(sleep, top, flags | shared | signal.SIGCHLD, _IDLE_SECONDS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if pid < 0:
        _fail("")
    _stacks[pid] = stack
    return pid


def end_idle(pid: int) -> None:
    """End and reap a child of :func:`clone_idle`, and free its stack."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    del _stacks[pid]


def syncfs(fd: int) -> None:
    """Write the file system of an open file through to the disk; see syncfs(2). Blocks."""
    if _libc.syncfs(fd) < 0:
        _fail(f"/proc/self/fd/{fd}")


def renameat2(old: StrPath, new: StrPath, flags: int) -> None:
    """Rename as the flags say, such as exchanging two paths; see renameat2(2). Raises OSError."""
    result = _libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)
    if result < 0:
        _fail(new)


def openat2(folder: int, path: StrPath, flags: int, resolve: int) -> int:
    """Open a path below a folder's descriptor, followed as ``resolve`` says; see openat2(2).

    Close-on-exec. Raises OSError: EXDEV or ELOOP where the path would leave what is allowed,
    EAGAIN where it was changed meanwhile, ENOSYS before Linux 5.6.
    """
    how = ctypes.create_string_buffer(_OPEN_HOW.pack(flags | os.O_CLOEXEC, 0, resolve))
    fd: int = _libc.syscall(
        ctypes.c_long(_NR_OPENAT2),
        ctypes.c_int(folder),
        ctypes.c_char_p(os.fsencode(path)),
        how,
        ctypes.c_size_t(_OPEN_HOW.size),
    )
    if fd < 0:
        _fail(path)
    return fd


def prctl(option: int, argument: int) -> None:
    """Change something of the calling thread; see prctl(2). Raises OSError."""
    if _libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) < 0:
        _fail("")


def setfsuid(uid: int) -> int:
    """Set whose files the calling thread makes, and return whose before; see setfsuid(2).

    It fails in silence: only the next call tells. -1 changes nothing.
    """
    before: int = _libc.setfsuid(ctypes.c_uint32(uid & _ALL_BITS))
    return before


def setfsgid(gid: int) -> int:
    """Set the group of the files that the calling thread makes; see :func:`setfsuid`."""
    before: int = _libc.setfsgid(ctypes.c_uint32(gid & _ALL_BITS))
    return before


def inotify_init1(flags: int = IN_CLOEXEC | IN_NONBLOCK) -> int:
    """Return the file descriptor of a new inotify instance; see inotify_init1(2)."""
    fd: int = _libc.inotify_init1(flags)
    if fd < 0:
        _fail("")
    return fd


def inotify_add_watch(fd: int, path: StrPath, mask: int) -> int:
    """Watch a path, or change what is watched of it, and return the watch's number.

    See inotify_add_watch(2). Raises OSError; ENOSPC means that the user's limit of watches
    (fs.inotify.max_user_watches) is reached.
    """
    watch: int = _libc.inotify_add_watch(fd, os.fsencode(path), mask)
    if watch < 0:
        _fail(path)
    return watch


def inotify_rm_watch(fd: int, watch: int) -> None:
    """Stop a watch; see inotify_rm_watch(2). Raises OSError."""
    if _libc.inotify_rm_watch(fd, watch) < 0:
        _fail("")


def read_inotify(fd: int) -> list[InotifyEvent]:
    """Return the events that wait on an inotify descriptor.

    A non-blocking descriptor with none gives an empty list; a blocking one waits.
    """
    try:
        data = os.read(fd, _EVENT_BUFFER)
    except BlockingIOError:
        return []
    return list(parse_inotify(data))


def parse_inotify(data: bytes) -> Iterator[InotifyEvent]:
    """Split what read(2) gave of an inotify descriptor into events; see inotify(7)."""
    offset = 0
    while offset < len(data):
        watch, mask, cookie, length = _EVENT_HEADER.unpack_from(data, offset)
        offset += _EVENT_HEADER.size
        name = data[offset : offset + length].rstrip(b"\0")
        offset += length
        yield InotifyEvent(watch=watch, mask=mask, cookie=cookie, name=os.fsdecode(name))


def _fail(path: StrPath) -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), os.fspath(path) or None)
