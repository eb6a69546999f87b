"""Images that we build from recorded contexts against those that Docker built of them."""

import hashlib
import json
import re
import tarfile
from pathlib import Path

import pytest

from agents.engines.native.build.builder import Builder
from agents.engines.native.images import busybox
from agents.engines.native.images.pack import write_tar
from agents.engines.native.images.store import ImageStore, StoredImage
from agents.engines.specs import BuildSpec
from agents.errors import AgentError
from tests.agents.native.building import adopted_networks
from tests.agents.native.image_files import needs_root
from tests.conformance.oracles import ROOT, Record, Score, check_score

pytestmark = [pytest.mark.root, pytest.mark.slow, needs_root]

CASES = ROOT / "docker_build"
# The records hold no setuid, setgid and sticky bits, and no digests of empty files.
PERMISSIONS = 0o777
FOLDER, LINK = ord("5"), ord("2")
OF_THE_BASE = re.compile(r"/(bin|dev|etc|home|proc|root|sys|tmp|usr|var(/tmp)?)?(/|$)")
Tree = dict[str, tuple[object, ...]]


def flatten(node: Record, path: str = "") -> Tree:
    found: Tree = {}
    for name, child in node.get("(dir)", {}).items():
        below = path if name == "." else f"{path}/{name}"
        kind = child["typeflag"]
        mode = child.get("mode", 0) & PERMISSIONS if kind != LINK else 0
        shown = (kind, mode, child["uid"], child["gid"], child.get("digest"), child.get("linkname"))
        found[below or "/"] = shown
        found |= flatten(child, below)
    return found


def show_layer(folder: Path, scratch: Path) -> Tree:
    archive = scratch / "layer.tar"
    with archive.open("wb") as out:
        write_tar(folder, out.write)
    found: Tree = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            found[f"/{member.name}"] = show_member(tar, member)
    return found


def show_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[object, ...]:
    content = tar.extractfile(member) if member.isreg() else None
    data = b"" if content is None else content.read()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}" if data else None
    mode = 0 if member.issym() else member.mode & PERMISSIONS
    link = member.linkname if member.issym() else None
    return (member.type[0], mode, member.uid, member.gid, digest, link)


def show_image(image: StoredImage, base: set[str], scratch: Path) -> Tree:
    """The files above the base; a whiteout takes what is below it."""
    found: Tree = {}
    for diff_id, folder in zip(image.diff_ids, image.layers, strict=True):
        if diff_id in base:
            continue
        for path, shown in show_layer(folder, scratch).items():
            name = path.rpartition("/")[2]
            if name.startswith(".wh."):
                gone = path.replace("/.wh.", "/")
                found = {one: it for one, it in found.items() if not one.startswith(gone)}
            else:
                if shown[0] != FOLDER:
                    found = {o: it for o, it in found.items() if not o.startswith(f"{path}/")}
                found[path] = shown
    return found


def compare_files(case: Path, image: StoredImage, base: set[str], scratch: Path) -> list[str]:
    skipped = [
        "/" + "/".join(part for part in skip.split(":") if part not in ("(dir)",))
        for skip in json.loads((case / "case.json").read_text())["fsSkip"] or ()
        if not skip.endswith(":mtime")
    ]
    wanted = flatten(json.loads((case / "expected_fs.json").read_text()))
    ours = show_image(image, base, scratch)
    problems = [
        f"{path}: ours {shown} theirs {wanted.get(path)}"
        for path, shown in ours.items()
        if wanted.get(path) != shown and path not in skipped
    ]
    missing = {path for path in wanted if path not in ours and not OF_THE_BASE.match(path)}
    return problems + [f"{path} is missing" for path in sorted(missing)]


def compare_config(case: Path, image: StoredImage) -> list[str]:
    wanted = json.loads((case / "expected_config.json").read_text())["config"]
    config = image.document.config
    assert config is not None
    ours = {
        "Env": list(config.env or ()),
        "User": config.user,
        "WorkingDir": config.working_dir,
        "Labels": config.labels or {},
        "ExposedPorts": config.exposed_ports or {},
        "Volumes": config.volumes or {},
        "Entrypoint": list(config.entrypoint or ()),
    }
    return [
        f"{key}: ours {value} theirs {wanted.get(key)}"
        for key, value in ours.items()
        if (wanted.get(key) or type(value)()) != value
    ]


def check_case(case: Path, builder: Builder, base: set[str], scratch: Path) -> list[str]:
    facts = json.loads((case / "case.json").read_text())
    context = scratch / "context"
    context.mkdir()
    with tarfile.open(case / "context.tar") as tar:
        tar.extractall(context, numeric_owner=True)
    spec = BuildSpec(
        context=context,
        references=(),
        dockerfile=facts["dockerfile"] or "Dockerfile",
        arguments=facts["buildArgs"] or {},
    )
    try:
        image = builder.build(spec, lambda _: None)
    except AgentError as exc:
        return [] if facts["expect"] == "build-error" else [f"{exc.message} at {exc.line}"]
    if facts["expect"] == "build-error":
        return ["it was built, and Docker refuses it"]
    return compare_files(case, image, base, scratch) + compare_config(case, image)


# Three differ on purpose: changes below a VOLUME are kept (as BuildKit does), an escaped '?'
# of COPY is no wildcard, and "COPY . ../" goes to the folder above.
def test_images_are_as_docker_builds_them(tmp_path: Path) -> None:
    if not CASES.is_dir():
        pytest.skip(f"the recorded builds are not on this machine: {CASES}")
    store = ImageStore(tmp_path)
    base = busybox.seed(store, tmp_path)
    index = json.loads((CASES / "INDEX.json").read_text())
    for name in {name for case in index for name in case["bases"]} - {"scratch"}:
        if "$" not in name and "/" in name:
            store.tag(base.id, name)
    score = Score("docker_build")
    with adopted_networks(tmp_path) as networks:
        builder = Builder(tmp_path, store, networks)
        for case in index:
            scratch = tmp_path / "cases" / case["id"]
            scratch.mkdir(parents=True)
            problems = check_case(CASES / case["id"], builder, set(base.diff_ids), scratch)
            if problems:
                score.failures.append(f"{case['id']}: {problems}")
            else:
                score.passed += 1
    check_score(score)
