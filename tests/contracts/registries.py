"""Contract of the optional protocol ``Registries``, with a real registry on loopback."""

import pytest

from agents.config import Secret
from agents.engines.abilities.registries import Credentials, LayerProgress, Registries
from agents.errors import CancelledError, NotFoundError, RegistryError
from tests.contracts.bench import Bench, unique
from tests.redis_server import free_port
from tests.registries import Registry


class RegistryContract:
    @pytest.fixture
    def registries(self, bench: Bench) -> Registries:
        if not isinstance(bench.engine, Registries):
            pytest.skip(f"the {bench.engine.name} engine knows no registries")
        return bench.engine

    @pytest.fixture
    def pushed(self, bench: Bench, registries: Registries, registry: Registry) -> str:
        """The name of an image that is at the registry, and no more here."""
        name = f"{registry.name}/{unique('app')}:1"
        bench.engine.import_image(bench.archive, name)
        registries.push_image(name)
        bench.engine.remove_image(name)
        return name

    def test_a_pushed_image_is_pulled_and_runs(
        self, bench: Bench, registries: Registries, pushed: str
    ) -> None:
        heard: list[LayerProgress] = []
        pulled = registries.pull_image(pushed, progress=heard.append)
        assert pushed in pulled.references
        assert bench.engine.find_image(pushed).id == pulled.id
        assert heard[-1].state in ("done", "exists")
        assert bench.lines(bench.run_to_end("echo hi", image=pushed).id) == ["hi"]

    def test_an_image_is_pulled_by_its_digest(
        self, bench: Bench, registries: Registries, pushed: str
    ) -> None:
        pulled = registries.pull_image(pushed)
        by_digest = pulled.digests[0]
        assert registries.push_image(pushed) == by_digest.partition("@")[2]
        bench.engine.remove_image(pushed)
        assert registries.pull_image(by_digest).id == pulled.id
        assert bench.engine.find_image(by_digest).id == pulled.id

    def test_pulling_twice_changes_nothing(self, registries: Registries, pushed: str) -> None:
        assert registries.pull_image(pushed).id == registries.pull_image(pushed).id

    def test_what_the_registry_does_not_have_is_not_found(
        self, registries: Registries, registry: Registry
    ) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            registries.pull_image(f"{registry.name}/nowhere:1")

    def test_what_is_not_here_cannot_be_pushed(
        self, registries: Registries, registry: Registry
    ) -> None:
        with pytest.raises(NotFoundError):
            registries.push_image(f"{registry.name}/nowhere:1")

    def test_a_cancelled_pull_leaves_no_image(
        self, bench: Bench, registries: Registries, pushed: str
    ) -> None:
        heard: list[LayerProgress] = []
        with pytest.raises(CancelledError):
            registries.pull_image(pushed, progress=heard.append, cancelled=lambda: True)
        with pytest.raises(NotFoundError):
            bench.engine.find_image(pushed)

    def test_a_login_is_known_until_the_logout(
        self, registries: Registries, registry: Registry
    ) -> None:
        registries.login(registry.name, Credentials(username="ann", password=Secret("x")))
        assert registries.logins() == {registry.name: "ann"}
        registries.logout(registry.name)
        registries.logout(registry.name)
        assert registries.logins() == {}

    def test_a_registry_that_is_not_there_is_an_error(
        self, bench: Bench, registries: Registries
    ) -> None:
        nowhere = f"127.0.0.1:{free_port()}/app:1"
        with pytest.raises((RegistryError, NotFoundError)):
            registries.pull_image(nowhere)
