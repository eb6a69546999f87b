"""A layer of 200 MB unpacked and verified, beside GNU tar reading the same file."""

import gzip
import io
import os
import random
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.engines.native.images.layers import Draft
from agents.engines.native.images.unpacking import unpack_layer
from agents.linux import process
from benchmarks.figures import Figure, compared

RUNS = 7
FILES = 10_000
IN_A_FOLDER = 20
SMALL, SPREAD, LARGEST = 8.0, 1.4, 400_000
BIG = 8 << 20
WHOLE = 200 << 20
NAME = "unpack a layer of 200 MB, verified"


def measure() -> list[Figure]:
    """Unpack alternately; what is unpacked stays to the end, as deleting slows what follows."""
    with _folder() as folder:
        plain, packed = folder / "layer.tar", folder / "layer.tar.gz"
        _write_layer(plain)
        with plain.open("rb") as source, gzip.open(packed, "wb", 6) as out:
            shutil.copyfileobj(source, out, 1 << 20)
        return [
            _compare(folder, plain, NAME, "-xf"),
            _compare(folder, packed, f"{NAME}, gzip", "-xzf"),
        ]


def _compare(folder: Path, layer: Path, name: str, option: str) -> Figure:
    ours, theirs = [], []
    for number in range(RUNS):
        place = folder / f"{layer.name}.{number}"
        ours.append(_time(place / "ours", lambda target: _unpack(layer, target)))
        theirs.append(
            _time(
                place / "tar",
                lambda target: process.run(["tar", option, str(layer), "-C", str(target)]),
            )
        )
    return compared(name, "ms", ours, theirs, "GNU tar", least_ratio=1.0)


def _time(target: Path, act: Callable[[Path], object]) -> float:
    target.mkdir(parents=True)
    os.sync()
    began = time.monotonic()
    act(target)
    return (time.monotonic() - began) * 1000


def _unpack(layer: Path, target: Path) -> None:
    draft = Draft(path=target)
    draft.diff.mkdir()
    with layer.open("rb") as source:
        unpack_layer(source, draft)


def _write_layer(path: Path) -> None:
    """Write what a distribution's layer is like: many small texts, some large programs."""
    chance = random.Random(1)
    words = [chance.randbytes(chance.randint(3, 10)).hex().encode() for _ in range(4000)]
    text = b" ".join(chance.choice(words) for _ in range(BIG // 10))
    total = 0
    with tarfile.open(path, "w") as tar:
        for number in range(FILES):
            if number % IN_A_FOLDER == 0:
                _add(tar, f"usr/share/d{number // IN_A_FOLDER}", None)
            size = min(int(chance.lognormvariate(SMALL, SPREAD)), LARGEST)
            start = chance.randrange(len(text) - LARGEST)
            _add(tar, f"usr/share/d{number // IN_A_FOLDER}/{number}", text[start : start + size])
            total += size
        while total < WHOLE:
            _add(tar, f"usr/lib/{total}.so", chance.randbytes(BIG // 2) + text[: BIG // 2])
            total += BIG


def _add(tar: tarfile.TarFile, name: str, content: bytes | None) -> None:
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = 1_700_000_000, 0o755
    if content is None:
        info.type = tarfile.DIRTYPE
    else:
        info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content or b""))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="webpanel-bench-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
