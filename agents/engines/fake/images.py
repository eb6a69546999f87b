"""Images of the fake engine: names that lead to a command."""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from agents.engines.base import Cancelled, Output
from agents.engines.specs import BuildSpec
from agents.errors import BuildError, CancelledError, NotFoundError
from agents.protocol.records import ImageRecord

DEFAULT_COMMAND = ("sleep", "1000")
_INSTRUCTIONS = frozenset(
    [
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    ]
)


@dataclass(frozen=True, kw_only=True)
class FakeImage:
    """An image and the command that its containers run by default."""

    record: ImageRecord
    command: tuple[str, ...] = DEFAULT_COMMAND


class Images:
    """The images of one fake engine. The engine holds the lock."""

    def __init__(self) -> None:
        self._images: dict[str, FakeImage] = {}

    def list(self) -> tuple[ImageRecord, ...]:
        """Return all, newest first."""
        records = (image.record for image in self._images.values())
        return tuple(sorted(records, key=lambda one: -one.created_at))

    def find(self, reference: str) -> FakeImage:
        """Return one by name or id. Raises ``NotFoundError``."""
        name = with_tag(reference)
        for image in self._images.values():
            if name in image.record.references or reference == image.record.id:
                return image
        raise NotFoundError(f"there is no image {reference}", field="image")

    def add(
        self, content: bytes, references: tuple[str, ...], command: tuple[str, ...] = ()
    ) -> ImageRecord:
        """Take in an image; its names are taken from others."""
        image_id = f"sha256:{hashlib.sha256(content).hexdigest()}"
        names = tuple(with_tag(one) for one in references)
        self._take_names(names)
        before = self._images.get(image_id)
        old_names = before.record.references if before else ()
        record = ImageRecord(
            id=image_id,
            references=tuple(dict.fromkeys((*old_names, *names))),
            size=len(content),
            created_at=time.time(),
        )
        self._images[image_id] = FakeImage(record=record, command=command or DEFAULT_COMMAND)
        return record

    def put(self, image: FakeImage) -> None:
        """Take in an image with no name; one that is here already stays."""
        self._images.setdefault(image.record.id, image)

    def tag(self, image_id: str, name: str) -> ImageRecord:
        """Give an image one more name, taken from the others."""
        self._take_names((with_tag(name),))
        image = self._images[image_id]
        names = (*image.record.references, with_tag(name))
        record = msgspec.structs.replace(image.record, references=names)
        self._images[image_id] = replace(image, record=record)
        return record

    def remove_name(self, reference: str) -> None:
        """Remove one name, and the image with its last; an id removes all."""
        record = self.find(reference).record
        left = tuple(name for name in record.references if name != with_tag(reference))
        if reference == record.id or not left:
            del self._images[record.id]
        else:
            self._take_names((with_tag(reference),))

    def _take_names(self, names: tuple[str, ...]) -> None:
        for image_id, image in self._images.items():
            left = tuple(one for one in image.record.references if one not in names)
            record = msgspec.structs.replace(image.record, references=left)
            self._images[image_id] = FakeImage(record=record, command=image.command)


def with_tag(reference: str) -> str:
    """Return a name with its tag, ``latest`` by default."""
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


def follow(spec: BuildSpec, output: Output, cancelled: Cancelled) -> tuple[str, ...]:
    """Pretend to build: say each step, fail at ``RUN exit N``, and return the CMD.

    Raises:
        BuildError, CancelledError, NotFoundError: as a real build does.
    """
    path = spec.context / spec.dockerfile
    if not path.is_file():
        raise NotFoundError(f"there is no Dockerfile {path}", file=str(path))
    command: tuple[str, ...] = ()
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if cancelled():
            raise CancelledError("the build was cancelled")
        _check(word, rest, path, number)
        output(f"Step {number} : {line}")
        if word == "CMD":
            command = tuple(json.loads(rest)) if rest.startswith("[") else ("sh", "-c", rest)
    return command


def _check(word: str, rest: str, path: Path, number: int) -> None:
    if word.upper() not in _INSTRUCTIONS:
        raise BuildError(f"unknown instruction {word}", file=str(path), line=number)
    if word == "RUN" and rest.startswith(("exit ", "false")):
        raise BuildError(f"RUN {rest} failed", file=str(path), line=number)
