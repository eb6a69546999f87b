"""Which images there are, and what they are called: the content of ``index.json``."""

from collections.abc import Collection, Iterable

import msgspec

from agents.engines.native.images.references import normalise, parse_reference
from agents.errors import InvalidInputError, NotFoundError

_SHORTEST_ID = 4
_ID_DIGITS = frozenset("0123456789abcdef")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One image: its layers lowest first, their bytes, and when it was made."""

    layers: tuple[str, ...]
    size: int
    created_at: float


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """All images by id, and all names in full with the ids that they lead to.

    ``digests`` are what registries call them, as ``<repository>@<digest of the manifest>``;
    they find an image, but do not keep it.
    """

    images: dict[str, Entry] = {}
    references: dict[str, str] = {}
    digests: dict[str, str] = {}

    def names(self, image_id: str) -> tuple[str, ...]:
        """Return the names of an image as people write them."""
        found = (name for name, target in self.references.items() if target == image_id)
        return tuple(sorted(parse_reference(name).familiar() for name in found))

    def repository_digests(self, image_id: str) -> tuple[str, ...]:
        """Return what registries call an image, as people write it."""
        found = (name for name, target in self.digests.items() if target == image_id)
        return tuple(parse_reference(name).familiar() for name in found)

    def resolve(self, text: str) -> str:
        """Return the id that a name, an id or its unique beginning means.

        Raises ``NotFoundError``, ``InvalidInputError``.
        """
        if text in self.images:
            return text
        named = self._named(text)
        if named is not None:
            return named
        found = self._by_beginning(text)
        if len(found) > 1:
            raise InvalidInputError(f"More than one image's id begins with {text!r}.")
        if not found:
            raise NotFoundError(
                f"There is no image {text!r} on this host.",
                hint="Build it here, or import an archive of it.",
                field="image",
            )
        return found[0]

    def named(self, text: str, image_id: str) -> Collection[str]:
        """Return the names of an image that are meant by ``text``: one, or all for an id."""
        name = None if _looks_like_id(text) else str(normalise(text))
        if name in self.references or name in self.digests:
            return (name,)
        return tuple(one for one, target in self.references.items() if target == image_id)

    def with_image(
        self, image_id: str, entry: Entry, names: Iterable[str], digests: Iterable[str] = ()
    ) -> "Index":
        """Return an index with one more image; names and digests are taken from others."""
        return Index(
            images={**self.images, image_id: entry},
            references={**self.references, **dict.fromkeys(names, image_id)},
            digests={**self.digests, **dict.fromkeys(digests, image_id)},
        )

    def without_names(self, names: Collection[str]) -> "Index":
        """Return an index without some names."""
        return Index(
            images=self.images,
            references={name: one for name, one in self.references.items() if name not in names},
            digests={name: one for name, one in self.digests.items() if name not in names},
        )

    def without_images(self, ids: Collection[str]) -> "Index":
        """Return an index without some images and their names."""
        return Index(
            images={one: entry for one, entry in self.images.items() if one not in ids},
            references={name: one for name, one in self.references.items() if one not in ids},
            digests={name: one for name, one in self.digests.items() if one not in ids},
        )

    def layers(self) -> set[str]:
        """Return all layers that images need."""
        return {layer for entry in self.images.values() for layer in entry.layers}

    def _named(self, text: str) -> str | None:
        try:
            name = str(normalise(text))
            return self.references.get(name) or self.digests.get(name)
        except InvalidInputError:
            if _looks_like_id(text):
                return None
            raise

    def _by_beginning(self, text: str) -> list[str]:
        digits = text.removeprefix("sha256:")
        if not _looks_like_id(text):
            return []
        return [one for one in self.images if one.startswith(f"sha256:{digits}")]


def _looks_like_id(text: str) -> bool:
    digits = text.removeprefix("sha256:")
    return _SHORTEST_ID <= len(digits) <= 64 and not set(digits) - _ID_DIGITS
