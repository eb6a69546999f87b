"""Who one is to a registry: nobody, by basic authentication, by token, over TLS."""

import base64
import os
from collections.abc import Iterator

import pytest

from agents.config import Secret
from agents.engines.abilities.registries import Credentials
from agents.errors import AccessDeniedError, InvalidInputError, RegistryError
from tests.agents.native.image_files import needs_root
from tests.agents.native.registry.conftest import Shop
from tests.certificates import Authority
from tests.contracts.bench import unique
from tests.cutting_proxy import cutting_proxy
from tests.redis_server import free_port
from tests.registries import Registry, htpasswd, running_registry
from tests.registry_images import Publisher, layer
from tests.token_server import TokenServer, running_token_server

pytestmark = [needs_root, pytest.mark.root]

ANN = Credentials(username="ann", password=Secret("sesame"))
WRONG = Credentials(username="ann", password=Secret("simsalabim"))
SHOWN = f"Basic {base64.b64encode(b'ann:sesame').decode()}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with TLS by a CA of its own, and with users; with the image ``app:1``."""
    folder = tmp_path_factory.mktemp("guarded")
    auth = htpasswd(folder, "ann", "sesame")
    with running_registry(folder, tls=Authority(folder / "pki"), auth=auth) as registry:
        Publisher(registry, SHOWN).image("app", "1", [layer("a")])
        yield registry


@pytest.fixture
def trusting(shop: Shop, guarded: Registry) -> Shop:
    assert guarded.tls is not None
    ca = guarded.tls.certificate
    shop.settings(f'[registry."{guarded.name}"]\nca_file = "{ca}"\n')
    return shop


def test_a_login_is_tried_and_kept_for_root_alone(trusting: Shop, guarded: Registry) -> None:
    trusting.service.login(f"https://{guarded.name}/v2/", ANN)
    assert trusting.pull(f"{guarded.name}/app:1").references == (f"{guarded.name}/app:1",)
    assert trusting.service.logins() == {guarded.name: "ann"}
    assert (trusting.root / "logins.json").stat().st_mode & 0o777 == 0o600


def test_a_wrong_password_is_refused_and_not_kept(trusting: Shop, guarded: Registry) -> None:
    with pytest.raises(AccessDeniedError, match="refuses the login") as caught:
        trusting.service.login(guarded.name, WRONG)
    assert "simsalabim" not in f"{caught.value} {caught.value.hint} {WRONG!r}"
    assert trusting.service.logins() == {}


def test_without_a_login_one_is_asked_for(trusting: Shop, guarded: Registry) -> None:
    with pytest.raises(AccessDeniedError, match="wants a login"):
        trusting.pull(f"{guarded.name}/app:1")
    assert trusting.left() == []


def test_credentials_of_one_call_are_not_kept(trusting: Shop, guarded: Registry) -> None:
    trusting.pull(f"{guarded.name}/app:1", credentials=ANN)
    assert trusting.service.logins() == {}


def test_after_a_logout_nothing_is_shown(trusting: Shop, guarded: Registry) -> None:
    trusting.service.login(guarded.name, ANN)
    trusting.service.logout(guarded.name)
    trusting.service.logout(guarded.name)
    with pytest.raises(AccessDeniedError):
        trusting.pull(f"{guarded.name}/app:1")
    assert b"sesame" not in (trusting.root / "logins.json").read_bytes()


def test_a_certificate_of_an_unknown_ca_is_refused(shop: Shop, guarded: Registry) -> None:
    shop.settings(f'[registry."{guarded.name}"]\ninsecure = true\n')
    with pytest.raises(RegistryError, match="certificate .* is refused") as caught:
        shop.pull(f"{guarded.name}/app:1", credentials=ANN)
    assert "ca_file" in caught.value.hint


def test_a_ca_in_the_folder_of_its_registry_is_trusted(shop: Shop, guarded: Registry) -> None:
    assert guarded.tls is not None
    folder = shop.root / "certs.d" / guarded.name
    folder.mkdir(parents=True)
    (folder / "own.crt").write_bytes(guarded.tls.certificate.read_bytes())
    assert shop.pull(f"{guarded.name}/app:1", credentials=ANN)


def test_a_connection_with_tls_that_breaks_is_resumed(shop: Shop, guarded: Registry) -> None:
    assert guarded.tls is not None
    name = unique("cut")
    Publisher(guarded, SHOWN).image(name, "1", [layer("big", os.urandom(3 << 20))])
    with cutting_proxy(guarded.name) as proxy:
        shop.settings(f'[registry."{proxy.name}"]\nca_file = "{guarded.tls.certificate}"\n')
        proxy.cuts = [1_000_000, 1_000_000]
        image = shop.pull(f"{proxy.name}/{name}:1", credentials=ANN)
        assert (image.layers[0] / "big").stat().st_size == 3 << 20
        assert proxy.cuts == []
        assert proxy.passed < 4 << 20


@pytest.mark.parametrize("name", ["", "a b", "x:y", "ann@host", "host:1:2"])
def test_a_name_that_is_no_registry_is_refused(shop: Shop, name: str) -> None:
    with pytest.raises(InvalidInputError):
        shop.service.login(name, ANN)


def test_a_registry_that_is_not_there_is_told(shop: Shop) -> None:
    with pytest.raises(RegistryError, match="cannot be reached: Connection refused"):
        shop.service.login(f"127.0.0.1:{free_port()}", ANN)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenServer]:
    with running_token_server(tmp_path_factory.mktemp("tokens")) as tokens:
        yield tokens


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory, tokens: TokenServer) -> Iterator[Registry]:
    folder = tmp_path_factory.mktemp("by_token")
    with running_registry(folder, auth=tokens.settings()) as registry:
        yield registry


@pytest.fixture
def stocked(shop: Shop, registry: Registry, by_token: Registry) -> Shop:
    """A shop that has pushed ``public/app:1`` and ``private/app:1`` with Ann's login."""
    Publisher(registry).image("app", "1", [layer("a"), layer("b")])
    image = shop.pull(f"{registry.name}/app:1")
    for name in ("public/app", "private/app"):
        shop.images.tag(image.id, f"{by_token.name}/{name}:1")
        shop.push(f"{by_token.name}/{name}:1", ANN)
        shop.images.remove(f"{by_token.name}/{name}:1")
    return shop


def test_a_token_is_fetched_with_the_login_and_for_the_repository(
    stocked: Shop, by_token: Registry, tokens: TokenServer
) -> None:
    tokens.asked.clear()
    stocked.pull(f"{by_token.name}/private/app:1", credentials=ANN)
    assert [one["scope"] for one in tokens.asked] == [["repository:private/app:pull"]]


def test_without_a_login_a_token_lets_one_pull_what_is_public(
    stocked: Shop, by_token: Registry
) -> None:
    assert stocked.pull(f"{by_token.name}/public/app:1")
    with pytest.raises(AccessDeniedError, match="wants a login"):
        stocked.pull(f"{by_token.name}/private/app:1")


def test_a_login_is_tried_at_the_token_server(shop: Shop, by_token: Registry) -> None:
    shop.service.login(by_token.name, ANN)
    with pytest.raises(AccessDeniedError, match="refuses the login"):
        shop.service.login(by_token.name, WRONG)
    assert shop.service.logins() == {by_token.name: "ann"}


def test_pushing_needs_more_than_pulling(stocked: Shop, by_token: Registry) -> None:
    image = stocked.pull(f"{by_token.name}/public/app:1")
    stocked.images.tag(image.id, f"{by_token.name}/public/app:2")
    with pytest.raises(AccessDeniedError, match="wants a login to push"):
        stocked.push(f"{by_token.name}/public/app:2")
