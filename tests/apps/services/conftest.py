"""A container on a host that answers."""

from collections.abc import Iterator

import pytest

from apps.services.observation import observe_container
from tests.apps.services.figure_host import FigureHost
from tests.observed import make_record


@pytest.fixture
def host(transactional_db, cast, panel_redis_server, panel_pki) -> Iterator[FigureHost]:
    with FigureHost(panel_redis_server, cast.host) as running:
        yield running


@pytest.fixture
def running(cast, host: FigureHost) -> str:
    """The id of a container that runs."""
    record = make_record("shop", "web")
    observe_container(cast.host, record, 1.0)
    return record.id
