"""Images into archives, and root file systems and changed ones into images."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from agents.engines.abilities.images import ArchiveForm
from agents.engines.native.images.config import HistoryEntry, ImageDocument, format_time
from agents.engines.native.images.importer import Importer
from agents.engines.native.images.layers import Draft
from agents.engines.native.images.references import normalise
from agents.engines.native.images.saving import Saved, Saver
from agents.engines.native.images.store import ImageStore, StoredImage, host_architecture
from agents.errors import InvalidInputError, NotFoundError
from agents.linux.failures import kernel_errors

Adapt = Callable[[ImageDocument], ImageDocument]
# Fills a draft's folder with a layer and its recipe; returns the layer's digest and bytes.
MakeLayer = Callable[[Draft], tuple[str, int]]


def save(store: ImageStore, references: Sequence[str], out: BinaryIO, form: ArchiveForm) -> None:
    """Write images into one archive; see ``ArchivesImages.save_images``."""
    with store.building(), kernel_errors("save images"):
        saved = [_choose(store, one) for one in dict.fromkeys(references)]
        if not saved:
            raise InvalidInputError("No image was named.", field="references")
        Saver(store.layers, out).write(_merged(saved), form)


def _choose(store: ImageStore, reference: str) -> Saved:
    image = store.find(reference)
    name = "" if _is_id(image, reference) else normalise(reference).familiar()
    return Saved(image=image, names=(name,) if name else (), config=store.document_bytes(image.id))


def _is_id(image: StoredImage, reference: str) -> bool:
    try:
        return normalise(reference).familiar() not in (*image.references, *image.digests)
    except InvalidInputError:
        return True


def _merged(saved: Sequence[Saved]) -> list[Saved]:
    """Put the names of the same image together."""
    merged: dict[str, Saved] = {}
    for one in saved:
        before = merged.get(one.image.id)
        names = (*(before.names if before else ()), *one.names)
        merged[one.image.id] = Saved(image=one.image, names=names, config=one.config)
    return list(merged.values())


def import_rootfs(
    store: ImageStore, path: Path, reference: str, adapt: Adapt, message: str = ""
) -> StoredImage:
    """Make an image of a tar of a root file system, as ``adapt`` wants it described."""
    normalise(reference)
    if not path.is_file():
        raise NotFoundError(f"There is no archive {path}.", file=str(path))
    with kernel_errors("import", path), store.taking_in():
        importer = Importer(store.layers, store.keep_layer, host_architecture())
        document = adapt(importer.read_rootfs(path, time.time(), message))
        return store.commit(document, document.rootfs.diff_ids or (), (reference,))


def add_layer(
    store: ImageStore,
    image: StoredImage,
    make: MakeLayer,
    step: HistoryEntry,
    references: Sequence[str] = (),
    adapt: Adapt = lambda document: document,
) -> StoredImage:
    """Make an image of another one, with one more layer. Raises what ``make`` raises."""
    with kernel_errors("make a layer"), store.taking_in():
        with store.layers.draft() as draft:
            diff_id, size = make(draft)
            store.keep_layer(draft, diff_id, size)
        now = format_time(time.time())
        document = msgspec.structs.replace(
            image.document,
            created=now,
            author=step.author or image.document.author,
            history=(
                *(image.document.history or ()),
                msgspec.structs.replace(step, created=now),
            ),
        )
        return store.commit(adapt(document), (*image.diff_ids, diff_id), references)
