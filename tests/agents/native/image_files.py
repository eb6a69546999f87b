"""Makes archives of images for the tests."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for owners and devices")

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, kind: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def file(name: str, content: bytes = b"", **fields: object) -> Member:
    return member(name, size=len(content), **fields), content


def folder(name: str, **fields: object) -> Member:
    return member(name, tarfile.DIRTYPE, **{"mode": 0o755, **fields}), b""


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Member:
    return member(name, kind, linkname=target), b""


def make_tar(members: Sequence[Member]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def make_config(layers: Sequence[bytes], **config: object) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2024-05-06T07:08:09.123456789Z",
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
    }
    return json.dumps(document).encode()


def write_docker_archive(
    path: Path, layers: Sequence[bytes], tags: Sequence[str] = ("saved:1",), **config: object
) -> Path:
    """What ``docker save`` writes; layer 1 twice, the second time by a link."""
    document = make_config(layers, **config)
    name = f"{digest(document)[7:]}.json"
    manifest = [
        {
            "Config": name,
            "RepoTags": list(tags),
            "Layers": [f"{number}/layer.tar" for number in range(len(layers))],
        }
    ]
    members = [file(f"{number}/layer.tar", layer) for number, layer in enumerate(layers)]
    members += [file(name, document), file("manifest.json", json.dumps(manifest).encode())]
    path.write_bytes(make_tar(members))
    return path


def write_oci_archive(path: Path, layers: Sequence[bytes], name: str = "oci:1") -> Path:
    """An OCI layout whose layers are gzipped."""
    packed = [gzip.compress(layer, mtime=0) for layer in layers]
    config = make_config(layers)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [
                descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip") for layer in packed
            ],
        }
    ).encode()
    top = descriptor(manifest, "application/vnd.oci.image.manifest.v1+json")
    top["annotations"] = {"io.containerd.image.name": name}
    index = json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()
    blobs = [file(f"blobs/sha256/{digest(blob)[7:]}", blob) for blob in (*packed, config, manifest)]
    layout = file("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    path.write_bytes(make_tar([layout, file("index.json", index), *blobs]))
    return path


def descriptor(blob: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest(blob), "size": len(blob)}
