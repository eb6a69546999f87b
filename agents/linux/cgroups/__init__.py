"""Control groups on all three layouts: v2, v1, and both side by side ("hybrid").

A cgroup is named by its path below the root of a hierarchy, such as ``/webpanel-1/abc``;
with v1 that path is in the hierarchy of every controller. See cgroups(7) and the kernel's
``admin-guide/cgroup-v2`` and ``admin-guide/cgroup-v1``.
"""

from agents.linux.cgroups.counters import Counters, read_counters, read_oom_kills
from agents.linux.cgroups.freezer import freeze, is_frozen, thaw
from agents.linux.cgroups.layout import Layout, Mode, detect, host_layout
from agents.linux.cgroups.settings import Setting, apply, in_force
from agents.linux.cgroups.tree import end, enter_unified, list_processes, remove

__all__ = [
    "Counters",
    "Layout",
    "Mode",
    "Setting",
    "apply",
    "detect",
    "end",
    "enter_unified",
    "freeze",
    "host_layout",
    "in_force",
    "is_frozen",
    "list_processes",
    "read_counters",
    "read_oom_kills",
    "remove",
    "thaw",
]
