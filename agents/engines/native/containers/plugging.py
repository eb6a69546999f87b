"""Puts containers on networks and takes them off, whether they run or not."""

from contextlib import ExitStack
from dataclasses import replace

import msgspec

from agents.engines.native.containers import bundle
from agents.engines.native.containers.container import Container
from agents.engines.native.containers.records import Status
from agents.engines.native.network import Attachment, Networks
from agents.engines.specs import EndpointSpec
from agents.errors import ConflictError, NotFoundError

Endpoints = tuple[EndpointSpec, ...]


def plug_in(container: Container, endpoint: EndpointSpec, networks: Networks) -> None:
    """Put a container on a network. See ``ConnectsNetworks.connect_network``."""
    with container.lock:
        _check(container)
        name = networks.find(endpoint.network).name
        endpoint = replace(endpoint, network=name)
        before = networks.attachment(container.id)
        known = [one for one in container.manifest.spec.endpoints if one.network == name]
        if endpoint in known and _is_on(before, name):
            return
        if known and endpoint not in known:
            raise ConflictError(
                f"{container.manifest.name} is on the network {name} already, in another way",
                hint="Disconnect it first.",
                field="networks",
            )
        networks.check_endpoint(endpoint)
        others = (one for one in container.manifest.spec.endpoints if one.network != name)
        endpoints = (*others, endpoint)
        if before is None:
            _keep(container, endpoints, container.status)
            return
        with ExitStack() as undo:
            undo.callback(networks.leave, container.id, name)
            _settle(container, before, networks.join(container.id, endpoint), endpoints)
            undo.pop_all()


def unplug(container: Container, network: str, networks: Networks) -> None:
    """Take a container off a network. See ``ConnectsNetworks.disconnect_network``."""
    with container.lock:
        _check(container)
        name = networks.find(network).name
        endpoints = container.manifest.spec.endpoints
        kept = tuple(one for one in endpoints if one.network != name)
        before = networks.attachment(container.id)
        if kept == endpoints and (before is None or not _is_on(before, name)):
            return
        if before is None:
            _keep(container, kept, container.status)
        else:
            _settle(container, before, networks.leave(container.id, name), kept)


def reconcile(container: Container, networks: Networks) -> None:
    """Put a running container where its manifest says, after a change that was cut off.

    The manifest is written when such a change is whole. Idempotent.
    """
    before = networks.attachment(container.id)
    if before is None:
        return
    wanted = {networks.find(one.network).name: one for one in container.manifest.spec.endpoints}
    after = before
    for name in {one.network for one in before.endpoints} - wanted.keys():
        after = networks.leave(container.id, name)
    for name in wanted.keys() - {one.network for one in before.endpoints}:
        after = networks.join(container.id, wanted[name])
    status = msgspec.structs.replace(container.status, endpoints=after.endpoints, ports=after.ports)
    if status != container.status:
        bundle.refresh_etc(container.manifest, container.paths, before, after)
        container.update(status)


def _check(container: Container) -> None:
    name, mode = container.manifest.name, container.manifest.spec.network_mode
    if container.removed:
        raise NotFoundError(f"the container {name} was removed")
    if mode != "bridge":
        raise ConflictError(
            f"the container {name} has the network mode {mode}, so it can be on no network",
            field="network_mode",
        )


def _is_on(attachment: Attachment | None, network: str) -> bool:
    """Return whether a container is where its record says; one that does not run is."""
    return attachment is None or any(one.network == network for one in attachment.endpoints)


def _settle(
    container: Container, before: Attachment, after: Attachment, endpoints: Endpoints
) -> None:
    bundle.refresh_etc(container.manifest, container.paths, before, after)
    status = msgspec.structs.replace(container.status, endpoints=after.endpoints, ports=after.ports)
    _keep(container, endpoints, status)


def _keep(container: Container, endpoints: Endpoints, status: Status) -> None:
    """Write down on which networks the container is, now and from its next start on."""
    manifest = container.manifest
    container.save_manifest(
        msgspec.structs.replace(
            manifest,
            asked=replace(manifest.asked, endpoints=endpoints),
            spec=replace(manifest.spec, endpoints=endpoints),
        )
    )
    container.update(status)
