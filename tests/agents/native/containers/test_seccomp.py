"""Which system calls reach the kernel from a container."""

import json

import pytest

from agents.engines.native.containers.filters import FilterCache
from agents.engines.native.engine import NativeEngine
from agents.engines.native.oci.seccomp import default_profile, read_profile
from agents.engines.specs import SecuritySpec
from agents.errors import InvalidInputError
from tests.agents.native.containers.test_container_surroundings import run

pytestmark = pytest.mark.root

MODE = "grep Seccomp: /proc/self/status | cut -f2"
UNSHARE = "unshare -U true 2>/dev/null && echo made || echo refused"


def allowed(held: frozenset[str]) -> set[str]:
    return {name for rule in default_profile(held).syscalls for name in rule.names}


def test_a_container_has_a_filter(engine: NativeEngine) -> None:
    assert run(engine, f"{MODE}; {UNSHARE}") == ["2", "refused"]


def test_a_second_one_has_the_same_filter_without_compiling_it(engine: NativeEngine) -> None:
    assert run(engine, f"{MODE}; {UNSHARE}") == run(engine, f"{MODE}; {UNSHARE}")
    kept = list((engine._parts.images._root.parent / "filters").iterdir())
    assert len(kept) == 1


def test_a_spoilt_program_is_compiled_again(engine: NativeEngine) -> None:
    run(engine, "true")
    folder = engine._parts.images._root.parent / "filters"
    for path in folder.iterdir():
        path.write_text("spoilt")
    engine._parts.lifecycle._launcher._filters = FilterCache(folder.parent)
    assert run(engine, f"{MODE}; {UNSHARE}") == ["2", "refused"]


def test_it_can_be_switched_off(engine: NativeEngine) -> None:
    off = SecuritySpec(seccomp="unconfined")
    assert run(engine, f"{MODE}; {UNSHARE}", security=off) == ["0", "made"]


def test_the_privileged_have_none(engine: NativeEngine) -> None:
    assert run(engine, MODE, privileged=True) == ["0"]


def test_a_profile_of_ones_own_is_used(engine: NativeEngine) -> None:
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
    }
    own = SecuritySpec(seccomp=json.dumps(profile))
    assert run(engine, "mkdir /x 2>/dev/null || echo refused", security=own) == ["refused"]


def test_a_profile_that_cannot_be_read_is_refused(engine: NativeEngine) -> None:
    with pytest.raises(InvalidInputError, match="seccomp profile"):
        run(engine, "true", security=SecuritySpec(seccomp="{"))


def test_what_only_root_of_the_host_needs_comes_with_its_capability() -> None:
    assert not {"mount", "setns", "bpf", "reboot", "init_module"} & allowed(frozenset())
    assert {"mount", "setns", "bpf", "clone3"} <= allowed(frozenset({"SYS_ADMIN"}))
    assert "reboot" in allowed(frozenset({"SYS_BOOT"}))


def test_keys_rings_and_page_faults_are_for_nobody() -> None:
    everything = frozenset({"SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_PTRACE"})
    assert not {"keyctl", "io_uring_setup", "userfaultfd", "kexec_load"} & allowed(everything)


def test_a_rule_for_a_capability_counts_with_it_only() -> None:
    rule = {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}
    text = json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]})
    assert read_profile(text, frozenset()).syscalls == ()
    assert read_profile(text, frozenset({"SYS_ADMIN"})).syscalls[0].names == ("mount",)


def test_new_privileges_can_be_refused(engine: NativeEngine) -> None:
    script = "grep NoNewPrivs /proc/self/status | cut -f2"
    assert run(engine, script) == ["0"]
    assert run(engine, script, security=SecuritySpec(no_new_privileges=True)) == ["1"]
