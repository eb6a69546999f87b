"""Contract of the optional protocol ``ShowsKernel``."""

import pytest

from agents.engines.abilities.kernel import ShowsKernel
from agents.engines.specs import EndpointSpec, Limits, NetworkSpec
from agents.errors import ConflictError
from tests.contracts.bench import Bench, unique

KINDS = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"}


class KernelContract:
    def test_the_kernel_holds_what_was_asked_for(self, bench: Bench) -> None:
        engine, network = viewer_of(bench), unique("n")
        bench.engine.create_network(NetworkSpec(name=network))
        place = (EndpointSpec(network=network),)
        container = bench.run(endpoints=place, limits=Limits(pids=33))
        found = engine.view_kernel(container.id)
        assert found.container_id == container.id
        assert {one.kind for one in found.namespaces} >= KINDS
        assert "33" in {one.value for one in found.values if one.field == "pids"}
        assert found.root is not None
        addresses = {one.partition("/")[0] for link in found.interfaces for one in link.addresses}
        assert container.endpoints[0].ipv4_address in addresses
        assert found.differences == ()

    def test_the_kernel_holds_nothing_of_what_does_not_run(self, bench: Bench) -> None:
        engine, container = viewer_of(bench), bench.create()
        with pytest.raises(ConflictError):
            engine.view_kernel(container.id)


def viewer_of(bench: Bench) -> ShowsKernel:
    if not isinstance(bench.engine, ShowsKernel):
        pytest.skip(f"the {bench.engine.name} engine has nothing in the kernel")
    return bench.engine
