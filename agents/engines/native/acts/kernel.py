"""What the kernel holds of containers."""

from agents.engines.base import Engine
from agents.engines.native.holdings.records import Recorded
from agents.engines.native.holdings.view import look
from agents.engines.native.limits.settings import all_settings
from agents.engines.native.parts import Parts
from agents.protocol.kernel import KernelView


class KernelActs(Engine):
    """The engine's part for what the kernel holds."""

    _parts: Parts

    def view_kernel(self, container_id: str) -> KernelView:
        """See :meth:`agents.engines.abilities.kernel.ShowsKernel.view_kernel`."""
        parts = self._parts
        container = parts.containers.find(container_id)
        manifest, place = container.manifest, parts.cgroups.place(container.id)
        attachment, networks = parts.networks.records(container.id)
        layers = parts.images.find(manifest.image_id).layers
        recorded = Recorded(
            manifest=manifest,
            status=container.status,
            layers=tuple(one.parent.name for one in layers),
            place=place,
            settings=all_settings(manifest.spec.limits, place),
            attachment=attachment,
            networks=networks,
        )
        return look(recorded, parts.networks.table)
