"""What happens here when an agent reports something of its engines."""

from agents.protocol import events
from apps.core.events import handles
from apps.core.live import nudge
from apps.hosts.models import Host
from apps.services import observation
from apps.services.access import container_topic


@handles(events.ContainerChanged)
def container_changed(host: Host, event: events.ContainerChanged) -> None:
    """Take in one container."""
    if observation.observe_container(host, event.container, event.at):
        nudge(f"host:{host.uid}", container_topic(host.uid, event.container.id))


@handles(events.ContainerRemoved)
def container_removed(host: Host, event: events.ContainerRemoved) -> None:
    """Mark one container as gone."""
    if observation.observe_removal(host, event):
        nudge(f"host:{host.uid}", container_topic(host.uid, event.container_id))


@handles(events.Inventory)
def inventory_taken(host: Host, event: events.Inventory) -> None:
    """Replace all that was observed of the host."""
    observation.observe_inventory(host, event)
    nudge(f"host:{host.uid}")


@handles(events.ImagesChanged)
def images_changed(host: Host, event: events.ImagesChanged) -> None:
    """Replace what was observed of the host's images."""
    observation.observe_images(host, event.images)
    nudge(f"host:{host.uid}")


@handles(events.NetworksChanged)
def networks_changed(host: Host, event: events.NetworksChanged) -> None:
    """Replace what was observed of the host's networks."""
    observation.observe_networks(host, event.networks)
    nudge(f"host:{host.uid}")


@handles(events.VolumesChanged)
def volumes_changed(host: Host, event: events.VolumesChanged) -> None:
    """Replace what was observed of the host's volumes."""
    observation.observe_volumes(host, event.volumes)
    nudge(f"host:{host.uid}")
