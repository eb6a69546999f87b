"""Files of containers: looked at, copied out and in."""

from collections.abc import Callable

from agents.engines.abilities.files import Owner
from agents.engines.abilities.volumes import Readable
from agents.engines.base import Engine
from agents.engines.native.files import reading
from agents.engines.native.files.view import View
from agents.engines.native.files.writing import Rules, find_owner, read_archive
from agents.engines.native.parts import Parts
from agents.protocol.records import PathRecord


class FileActs(Engine):
    """The engine's part for files of containers."""

    _parts: Parts

    def stat_path(self, container_id: str, path: str, *, follow: bool = False) -> PathRecord:
        """See :meth:`agents.engines.abilities.files.CopiesFiles.stat_path`."""
        return self._parts.views.read(
            self._parts.containers.find(container_id),
            lambda view: reading.describe(view, path, follow=follow),
        )

    def copy_from(
        self,
        container_id: str,
        path: str,
        write: Callable[[bytes], object],
        *,
        follow: bool = False,
    ) -> PathRecord:
        """See :meth:`agents.engines.abilities.files.CopiesFiles.copy_from`."""
        return self._parts.views.read(
            self._parts.containers.find(container_id),
            lambda view: reading.write_archive(view, path, write, follow=follow),
        )

    def copy_to(
        self,
        container_id: str,
        path: str,
        source: Readable,
        *,
        replace: bool = True,
        owner: Owner = "archive",
    ) -> None:
        """See :meth:`agents.engines.abilities.files.CopiesFiles.copy_to`."""
        container = self._parts.containers.find(container_id)
        image = self._parts.images.find(container.manifest.image_id)
        wanted = container.manifest.spec.user or image.config.user

        def act(view: View) -> None:
            user = find_owner(view, wanted) if owner == "user" else None
            read_archive(view, path, source, Rules(replace=replace, owner=user))

        self._parts.views.change(container, act)
