"""Seccomp: which system calls reach the kernel from a container; see seccomp(2).

The default lets through what ordinary programs use and answers EPERM to the rest; names that
the runtime's libseccomp does not know are left out by it, and answered ENOSYS, so that newer
programs fall back to older calls.
"""

import errno
import platform
from functools import cache

import msgspec

from agents.engines.native.images.documents import read_document
from agents.engines.native.oci import capabilities
from agents.engines.native.oci.syscall_names import ALLOWED, BY_CAPABILITY
from agents.engines.native.oci.types import Seccomp, SyscallArgument, SyscallRule
from agents.engines.specs import ContainerSpec
from agents.errors import InvalidInputError

UNCONFINED = "unconfined"
_ALLOW, _ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET of clone(2).
_NEW_NAMESPACES = 0x7E020000
# Linux, Linux with an address space of 32 bits, and a question; see personality(2).
_PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)
_AF_VSOCK = 40
_ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "armv7l": ("SCMP_ARCH_ARM",),
    "i686": ("SCMP_ARCH_X86",),
    "ppc64le": ("SCMP_ARCH_PPC64LE",),
    "s390x": ("SCMP_ARCH_S390X", "SCMP_ARCH_S390"),
    "riscv64": ("SCMP_ARCH_RISCV64",),
}


def make_seccomp(spec: ContainerSpec) -> Seccomp | None:
    """Return the filter of a container, None for the privileged and the unconfined.

    Raises:
        InvalidInputError: the profile of the spec cannot be read.
    """
    wanted = spec.security.seccomp
    if spec.privileged or wanted == UNCONFINED:
        return None
    chosen = capabilities.choose(add=spec.cap_add, drop=spec.cap_drop)
    names = frozenset(name.removeprefix("CAP_") for name in chosen)
    return read_profile(wanted, names) if wanted else default_profile(names)


@cache
def default_profile(held: frozenset[str]) -> Seccomp:
    """Return the filter for a container with these capabilities (without ``CAP_``)."""
    more = (name for held_one in sorted(held) for name in BY_CAPABILITY.get(held_one, ()))
    rules = [SyscallRule(names=tuple(dict.fromkeys((*ALLOWED, *more))), action=_ALLOW)]
    rules += (_when("personality", 0, value) for value in _PERSONALITIES)
    rules.append(_when("socket", 0, _AF_VSOCK, op="SCMP_CMP_NE"))
    if "SYS_ADMIN" not in held:
        rules += _clone()
    return Seccomp(
        default_action=_ERRNO,
        default_errno_ret=errno.EPERM,
        architectures=_ARCHITECTURES.get(platform.machine(), ()),
        syscalls=tuple(rules),
    )


def _when(name: str, index: int, value: int, *, op: str = "SCMP_CMP_EQ") -> SyscallRule:
    return SyscallRule(
        names=(name,), action=_ALLOW, args=(SyscallArgument(index=index, value=value, op=op),)
    )


def _clone() -> list[SyscallRule]:
    """Let processes and threads be made, but no namespaces.

    clone3(2) has its flags in memory, where no filter can look, and glibc falls back to
    clone(2) at ENOSYS. Only s390 has the flags in the second argument.
    """
    index = 1 if platform.machine() == "s390x" else 0
    masked = SyscallArgument(index=index, value=_NEW_NAMESPACES, op="SCMP_CMP_MASKED_EQ")
    return [
        SyscallRule(names=("clone",), action=_ALLOW, args=(masked,)),
        SyscallRule(names=("clone3",), action=_ERRNO, errno_ret=errno.ENOSYS),
    ]


class _Condition(msgspec.Struct, frozen=True):
    """When a rule of a profile holds: by architecture and by capability."""

    arches: tuple[str, ...] = ()
    caps: tuple[str, ...] = ()


class _ProfileRule(SyscallRule, frozen=True, kw_only=True):
    """A rule of a profile in the form that Docker reads, with its conditions."""

    includes: _Condition = _Condition()
    excludes: _Condition = _Condition()


class _Profile(Seccomp, frozen=True, kw_only=True):
    syscalls: tuple[_ProfileRule, ...] = ()


def read_profile(text: str, held: frozenset[str]) -> Seccomp:
    """Return the filter that a profile in Docker's form describes. Raises ``InvalidInputError``."""
    try:
        profile = read_document(text, _Profile)
    except msgspec.DecodeError as exc:
        raise InvalidInputError(
            f"the seccomp profile cannot be read: {exc}", field="security_opt"
        ) from exc
    return Seccomp(
        default_action=profile.default_action,
        default_errno_ret=profile.default_errno_ret,
        architectures=profile.architectures or _ARCHITECTURES.get(platform.machine(), ()),
        syscalls=tuple(_plain(one) for one in profile.syscalls if _holds(one, held)),
    )


def _holds(rule: _ProfileRule, held: frozenset[str]) -> bool:
    caps = {name.removeprefix("CAP_") for name in rule.includes.caps}
    without = {name.removeprefix("CAP_") for name in rule.excludes.caps}
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return (
        caps <= held
        and not without & held
        and (not rule.includes.arches or here in rule.includes.arches)
        and here not in rule.excludes.arches
    )


def _plain(rule: _ProfileRule) -> SyscallRule:
    return SyscallRule(
        names=rule.names, action=rule.action, errno_ret=rule.errno_ret, args=rule.args
    )
