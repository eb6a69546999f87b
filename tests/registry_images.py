"""Puts images into a registry of the tests by plain HTTP, in any form there is."""

import gzip
import json
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backports import zstd

from tests.agents.native.image_files import descriptor, digest, file, make_config, make_tar
from tests.registries import Registry

OCI = "application/vnd.oci.image"
DOCKER = "application/vnd.docker"
FORMS = {
    "oci": {
        "manifest": f"{OCI}.manifest.v1+json",
        "index": f"{OCI}.index.v1+json",
        "config": f"{OCI}.config.v1+json",
        "gzip": f"{OCI}.layer.v1.tar+gzip",
        "zstd": f"{OCI}.layer.v1.tar+zstd",
        "plain": f"{OCI}.layer.v1.tar",
    },
    "docker": {
        "manifest": f"{DOCKER}.distribution.manifest.v2+json",
        "index": f"{DOCKER}.distribution.manifest.list.v2+json",
        "config": f"{DOCKER}.container.image.v1+json",
        "gzip": f"{DOCKER}.image.rootfs.diff.tar.gzip",
        "zstd": f"{DOCKER}.image.rootfs.diff.tar.zstd",
        "plain": f"{DOCKER}.image.rootfs.diff.tar",
    },
}
PACKERS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zstd": lambda data: zstd.compress(data),
    "plain": lambda data: data,
}


@dataclass(frozen=True)
class Put:
    """What was put: the digests that a registry knows."""

    manifest: str
    config: str
    blobs: tuple[str, ...]
    size: int


class Publisher:
    """Writes to one registry as a client of nobody's making but the tests'."""

    def __init__(self, registry: Registry, authorization: str = "") -> None:
        scheme = "https" if registry.tls else "http"
        self._base = f"{scheme}://{registry.name}"
        self._headers = {"Authorization": authorization} if authorization else {}
        self._context = (
            ssl.create_default_context(cafile=str(registry.tls.certificate))
            if registry.tls
            else None
        )

    def image(
        self,
        repository: str,
        tag: str,
        layers: Sequence[bytes],
        *,
        form: str = "oci",
        packing: str = "gzip",
        claims: Sequence[bytes] | None = None,
        **config: object,
    ) -> Put:
        """Put an image of plain tars, whose configuration ``claims`` others if asked."""
        words, pack = FORMS[form], PACKERS[packing]
        packed = [pack(layer) for layer in layers]
        document = make_config(layers if claims is None else claims, **config)
        for blob in (*packed, document):
            self.blob(repository, blob)
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": words["manifest"],
                "config": descriptor(document, words["config"]),
                "layers": [descriptor(blob, words[packing]) for blob in packed],
            }
        ).encode()
        self.manifest(repository, tag, manifest, words["manifest"])
        blobs = tuple(digest(blob) for blob in packed)
        return Put(digest(manifest), digest(document), blobs, len(manifest))

    def index(
        self, repository: str, tag: str, images: Mapping[str, Put], *, form: str = "oci"
    ) -> str:
        """Put an index of images by platform; return its digest."""
        words = FORMS[form]
        manifests = [
            {
                "mediaType": words["manifest"],
                "digest": put.manifest,
                "size": put.size,
                "platform": dict(
                    zip(("os", "architecture", "variant"), name.split("/"), strict=False)
                ),
            }
            for name, put in images.items()
        ]
        data = json.dumps(
            {"schemaVersion": 2, "mediaType": words["index"], "manifests": manifests}
        ).encode()
        self.manifest(repository, tag, data, words["index"])
        return digest(data)

    def blob(self, repository: str, data: bytes) -> None:
        place = self._send("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
        mark = "&" if "?" in place else "?"
        self._send("PUT", f"{place}{mark}digest={digest(data)}", data, "application/octet-stream")

    def manifest(self, repository: str, tag: str, data: bytes, media_type: str) -> None:
        self._send("PUT", f"/v2/{repository}/manifests/{tag}", data, media_type)

    def _send(self, method: str, path: str, data: bytes = b"", kind: str = ""):
        url = path if "://" in path else self._base + path
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(url, data or None, headers, method=method)
        with urllib.request.urlopen(request, context=self._context) as response:
            response.read()
            return response


def platform(name: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), name.split("/"), strict=False))


def layer(name: str, content: bytes = b"content") -> bytes:
    """Return a plain tar with one file."""
    return make_tar([file(name, content)])
