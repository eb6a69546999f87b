"""Where a container's network is not what the engine recorded."""

from collections.abc import Iterator

from agents.engines.native.holdings.records import Recorded
from agents.engines.native.network.endpoints import gateways
from agents.engines.native.network.records import AttachmentFile, EndpointFile, PortFile
from agents.protocol.kernel import Difference, InterfaceHeld, KernelView, PortHeld

_DEFAULT = "default"


def compare_network(recorded: Recorded, view: KernelView) -> Iterator[Difference]:
    """Yield the differences of interfaces, addresses, routes and published ports."""
    attachment = recorded.attachment
    if attachment is None:
        return
    found = {one.name: one for one in view.interfaces}
    for endpoint in attachment.endpoints:
        subject = f"interfaces.{endpoint.interface}"
        held = found.get(endpoint.interface)
        if held is None:
            yield Difference(subject=subject, recorded=endpoint.network, found="")
        else:
            yield from _interface(recorded, endpoint, held, subject)
    yield from _routes(recorded, attachment, view)
    yield from _ports(attachment, view)


def _interface(
    recorded: Recorded, endpoint: EndpointFile, held: InterfaceHeld, subject: str
) -> Iterator[Difference]:
    network = recorded.networks[endpoint.network]
    present = {address.partition("/")[0] for address in held.addresses}
    for address in endpoint.addresses:
        if str(address) not in present:
            here = ", ".join(held.addresses)
            yield Difference(subject=f"{subject}.address", recorded=str(address), found=here)
    pairs = {"bridge": (network.bridge, held.bridge), "state": ("up", _state(held))}
    if network.bridge:
        pairs["host_name"] = (endpoint.link, held.host_name)
    if endpoint.mac_address:
        pairs["mac_address"] = (endpoint.mac_address, held.mac_address)
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            yield Difference(subject=f"{subject}.{name}", recorded=wanted, found=found)


def _state(held: InterfaceHeld) -> str:
    return "up" if held.is_up else "down"


def _routes(
    recorded: Recorded, attachment: AttachmentFile, view: KernelView
) -> Iterator[Difference]:
    wanted = {str(one) for one in gateways(attachment.endpoints, recorded.networks)}
    found = {one.gateway for one in view.routes if one.destination == _DEFAULT}
    if wanted != found:
        yield Difference(
            subject="routes.default",
            recorded=", ".join(sorted(wanted)),
            found=", ".join(sorted(found)),
        )


def _ports(attachment: AttachmentFile, view: KernelView) -> Iterator[Difference]:
    held = {_named(one) for one in view.ports}
    wanted = {_named(_asked(one)) for one in attachment.ports}
    for one in sorted(wanted - held):
        yield Difference(subject="ports", recorded=one, found="")
    for one in sorted(held - wanted):
        yield Difference(subject="ports", recorded="", found=one)


def _asked(port: PortFile) -> PortHeld:
    return PortHeld(
        protocol=port.protocol,
        host_port=port.host_port,
        host_ip=port.host_ip,
        address=port.address,
        port=port.container_port,
    )


def _named(port: PortHeld) -> str:
    where = f"{port.host_ip} " if port.host_ip else ""
    return f"{where}{port.host_port}/{port.protocol} to {port.address} {port.port}"
