"""Whose files a thread makes, while it stays able to do all that root may."""

from agents.errors import KernelError
from agents.linux import syscalls
from agents.linux.failures import kernel_errors


def own_new_files(uid: int, gid: int) -> None:
    """Have the calling thread's new files belong to these; it must end, and never be reused.

    Capabilities stay as they are, which a change of the user would take otherwise; see
    capabilities(7), "Effect of user ID changes". Raises KernelError.
    """
    with kernel_errors("keep the capabilities of a thread"):
        syscalls.prctl(syscalls.PR_SET_SECUREBITS, syscalls.SECBIT_NO_SETUID_FIXUP)
    syscalls.setfsgid(gid)
    syscalls.setfsuid(uid)
    if (syscalls.setfsuid(-1), syscalls.setfsgid(-1)) != (uid, gid):
        raise KernelError(f"cannot make files of the user {uid}", errno=0)
