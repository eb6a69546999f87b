"""Where what the kernel holds is not what the engine recorded."""

from collections.abc import Iterator
from resource import RLIM_INFINITY

from agents.engines.native.holdings.comparing_networks import compare_network
from agents.engines.native.holdings.records import Recorded
from agents.engines.native.limits.settings import is_same
from agents.engines.native.oci import capabilities
from agents.engines.native.oci.seccomp import make_seccomp
from agents.linux.userns import RANGE
from agents.protocol.kernel import Difference, IdRange, KernelView, LimitHeld

_SHARED = {
    "net": "network_mode",
    "pid": "pid_mode",
    "ipc": "ipc_mode",
    "uts": "uts_mode",
}
_NOBODY = ""


def compare(recorded: Recorded, view: KernelView) -> tuple[Difference, ...]:
    """Return all differences; none for a container that nobody laid hands on."""
    return (
        *_users(recorded, view),
        *_namespaces(recorded, view),
        *_cgroups(recorded, view),
        *_values(recorded, view),
        *_mounts(recorded, view),
        *_process(recorded, view),
        *compare_network(recorded, view),
    )


def _users(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    base = recorded.manifest.id_base
    if not base:
        return
    wanted = (IdRange(inside=0, outside=base, size=RANGE),)
    for subject, found in (("users", view.users), ("groups", view.groups)):
        if found != wanted:
            yield _difference(subject, _ranges(wanted), _ranges(found))


def _ranges(ranges: tuple[IdRange, ...]) -> str:
    return ", ".join(f"{one.inside} {one.outside} {one.size}" for one in ranges)


def _namespaces(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    for namespace in view.namespaces:
        field = _SHARED.get(namespace.kind)
        mode = getattr(recorded.spec, field) if field else _NOBODY
        if field is None or mode.startswith("container:"):
            continue
        if namespace.of_host != (mode == "host"):
            words = ("its own", "the host's")
            subject = f"namespaces.{namespace.kind}"
            yield _difference(subject, words[mode == "host"], words[namespace.of_host])


def _cgroups(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    for cgroup in view.cgroups:
        if cgroup.path != recorded.place.cgroup:
            yield _difference(f"cgroups.{cgroup.hierarchy}", recorded.place.cgroup, cgroup.path)
    is_paused = recorded.status.state == "paused"
    if view.frozen != is_paused:
        words = ("running", "paused")
        yield _difference("state", words[is_paused], words[view.frozen])


def _values(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    found = {(one.field, one.file): one.value for one in view.values}
    for setting in recorded.settings:
        value = found.get((setting.field, _file(setting.file, setting.key)))
        if value is not None and not is_same(setting, value):
            yield _difference(f"limits.{setting.field}", setting.value, value)


def _file(name: str, key: str) -> str:
    return f"{name} {key}" if key else name


def _mounts(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    if view.root is None or view.root.kind != "overlay":
        yield _difference("root", "overlay", view.root.kind if view.root else _NOBODY)
    elif not _are_layers(recorded.layers, view.layers):
        yield _difference("layers", ", ".join(recorded.layers), ", ".join(view.layers))
    options = {one.target: one.options for one in view.mounts}
    for mount in recorded.spec.mounts:
        target = mount.target.rstrip("/")
        if target not in options:
            yield _difference(f"mounts.{target}", mount.kind, _NOBODY)
        elif mount.read_only and "ro" not in options[target]:
            yield _difference(f"mounts.{target}", "read-only", "writable")


def _are_layers(digests: tuple[str, ...], folders: tuple[str, ...]) -> bool:
    """Return whether an overlay's folders are those of the image's layers.

    A folder is named by the beginning of its layer's digest, or lies in one that is.
    """
    if len(digests) != len(folders):
        return False
    pairs = zip(digests, folders, strict=True)
    return all(_is_layer(digest, folder) for digest, folder in pairs)


def _is_layer(digest: str, folder: str) -> bool:
    parts = folder.rstrip("/").split("/")[-2:]
    return any(part and digest.startswith(part) for part in parts)


def _process(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    spec, process = recorded.spec, view.process
    mode = "disabled" if make_seccomp(spec) is None else "filter"
    if process.seccomp != mode:
        yield _difference("process.seccomp", mode, process.seccomp)
    if spec.security.no_new_privileges and not process.no_new_privileges:
        yield _difference("process.no_new_privileges", "yes", "no")
    chosen = capabilities.choose(add=spec.cap_add, drop=spec.cap_drop, privileged=spec.privileged)
    wanted = {name.removeprefix("CAP_") for name in chosen}
    if set(process.capabilities["bounding"]) != wanted:
        found = ", ".join(sorted(process.capabilities["bounding"]))
        yield _difference("process.capabilities", ", ".join(sorted(wanted)), found)
    if spec.oom_score_adj not in (None, process.oom_score_adj):
        found = str(process.oom_score_adj)
        yield _difference("process.oom_score_adj", str(spec.oom_score_adj), found)
    yield from _ulimits(recorded, {one.name: one for one in process.limits})


def _ulimits(recorded: Recorded, found: dict[str, LimitHeld]) -> Iterator[Difference]:
    for asked in recorded.spec.ulimits:
        held = found.get(asked.name.lower())
        soft, hard = (None if one == RLIM_INFINITY else one for one in (asked.soft, asked.hard))
        if held is not None and (held.soft, held.hard) != (soft, hard):
            wanted = f"{_bound(soft)} to {_bound(hard)}"
            subject = f"process.limits.{asked.name}"
            yield _difference(subject, wanted, f"{_bound(held.soft)} to {_bound(held.hard)}")


def _bound(value: int | None) -> str:
    return "no bound" if value is None else str(value)


def _difference(subject: str, recorded: str, found: str) -> Difference:
    return Difference(subject=subject, recorded=recorded, found=found)
