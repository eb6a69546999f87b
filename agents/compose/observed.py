"""What runs, as a plan needs to know it. Engines' records are turned into these."""

from typing import Literal

import msgspec

ContainerState = Literal[
    "created", "starting", "running", "paused", "restarting", "stopping", "exited", "dead"
]


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what is observed."""


class ObservedContainer(Observation, frozen=True, kw_only=True):
    """One container of the project.

    ``spec_json`` is the canonical form that its ``up`` kept ("" when there is none), and
    ``depends_on`` the services that it needed then, from its label.
    """

    id: str
    name: str
    service: str
    number: int
    state: ContainerState
    image_id: str = ""
    config_hash: str = ""
    spec_json: str = ""
    depends_on: tuple[str, ...] = ()
    one_off: bool = False


class ObservedNetwork(Observation, frozen=True, kw_only=True):
    """A network of the host. ``config_hash`` "" means that nobody knows how it was made."""

    name: str
    project: str = ""
    key: str = ""
    config_hash: str = ""


class ObservedVolume(Observation, frozen=True, kw_only=True):
    """A named volume of the host."""

    name: str
    project: str = ""
    key: str = ""


class Observed(Observation, frozen=True, kw_only=True):
    """All containers of the project, and all networks and volumes of the host."""

    containers: tuple[ObservedContainer, ...] = ()
    networks: tuple[ObservedNetwork, ...] = ()
    volumes: tuple[ObservedVolume, ...] = ()
