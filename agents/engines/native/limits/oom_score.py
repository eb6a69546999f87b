"""How readily the kernel picks a container's processes when memory is short."""

from pathlib import Path

from agents.engines.native.oci import capabilities
from agents.engines.specs import ContainerSpec
from agents.errors import InvalidInputError, NotSupportedError
from agents.linux.failures import kernel_errors

FIELD = "oom_score_adj"
_LEAST, _MOST = -1000, 1000


def check_oom_score(score: int | None) -> None:
    """Raise for a score that is out of range, or lower than this agent may give.

    Raises:
        InvalidInputError: it is not from -1000 to 1000.
        NotSupportedError: only CAP_SYS_RESOURCE lowers it under the agent's own (proc(5)).
    """
    if score is None:
        return
    if not _LEAST <= score <= _MOST:
        raise InvalidInputError(f"{FIELD} must be from {_LEAST} to {_MOST}", field=FIELD)
    own = int(Path("/proc/self/oom_score_adj").read_text())
    if score < own and "SYS_RESOURCE" not in capabilities.available():
        raise NotSupportedError(
            f"{FIELD} cannot be {score} on this host: it is {own} for the agent, which may only"
            " raise it",
            hint="Run the agent with CAP_SYS_RESOURCE.",
            field=FIELD,
        )


def confine_process(spec: ContainerSpec, pid: int) -> None:
    """Give a container's first process its score; those it starts inherit it.

    Raises as :func:`check_oom_score` does, and KernelError.
    """
    if spec.oom_score_adj is None:
        return
    check_oom_score(spec.oom_score_adj)
    path = Path(f"/proc/{pid}/oom_score_adj")
    with kernel_errors(f"set {FIELD} in", path):
        path.write_text(str(spec.oom_score_adj))
