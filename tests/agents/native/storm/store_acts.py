"""Acts on networks, volumes and images in which engines are killed."""

import io

from agents.engines.abilities.registries import Registries
from agents.engines.specs import BuildSpec, NetworkSpec, VolumeSpec
from tests.agents.native.storm.acts import IMAGE, Act, Stage, nothing
from tests.agents.native.storm.tale import GONE, THERE
from tests.contracts.volumes import tar_of


def fill(stage: Stage, name: str) -> None:
    stage.engine.create_volume(VolumeSpec(name=name))
    stage.engine.import_volume(name, io.BytesIO(tar_of("sub/file", "other")))


def make_network(stage: Stage) -> None:
    stage.change("n:new", THERE, lambda: stage.engine.create_network(NetworkSpec(name="new")))


def remove_network(stage: Stage) -> None:
    stage.change("n:new", GONE, lambda: stage.engine.remove_network("new"))


def make_volume(stage: Stage) -> None:
    stage.change("v:new", THERE, lambda: fill(stage, "new"))


def remove_volume(stage: Stage) -> None:
    stage.change("v:new", GONE, lambda: stage.engine.remove_volume("new"))


def replace_volume(stage: Stage) -> None:
    archive = io.BytesIO(tar_of("other"))
    stage.engine.import_volume("new", archive)


def prune_volumes(stage: Stage) -> None:
    stage.change("v:new", GONE, lambda: stage.engine.prune_volumes(include_named=True))


def import_image(stage: Stage) -> None:
    archive = stage.folder / "small.tar"
    archive.write_bytes(tar_of("file"))
    stage.change("i:small:latest", THERE, lambda: stage.engine.import_image(archive, "small"))


def remove_image(stage: Stage) -> None:
    stage.change("i:small:latest", GONE, lambda: stage.engine.remove_image("small"))


def build(stage: Stage) -> None:
    context = stage.folder / "context"
    context.mkdir(exist_ok=True)
    (context / "file").write_text("content")
    (context / "Dockerfile").write_text(
        "FROM busybox\nRUN echo $$ > /pid\nCOPY file /file\nRUN cat /file\nCMD true\n"
    )
    spec = BuildSpec(context=context, references=("built",), use_cache=False)
    stage.change("i:built:latest", THERE, lambda: stage.engine.build_image(spec, lambda _: None))


def tag(stage: Stage) -> None:
    stage.change("i:other:latest", THERE, lambda: stage.engine.tag_image(IMAGE, "other"))


def prune_images(stage: Stage) -> None:
    stage.teller.touching("i:small:latest")
    stage.engine.prune_images()


def load_images(stage: Stage) -> None:
    import_image(stage)
    path = stage.folder / "saved.tar"
    with path.open("wb") as file:
        stage.engine.save_images(("small",), file)
    remove_image(stage)


def load(stage: Stage) -> None:
    path = stage.folder / "saved.tar"
    stage.change("i:small:latest", THERE, lambda: stage.engine.load_images(path))


def make_modern_network(stage: Stage) -> None:
    spec = NetworkSpec(name="new", ipv6=True)
    stage.change("n:new", THERE, lambda: stage.engine.create_network(spec))


def prune_networks(stage: Stage) -> None:
    stage.change("n:new", GONE, stage.engine.prune_networks)


def published(stage: Stage) -> None:
    """Have an image in the registry that is not here."""
    import_image(stage)
    name = f"{stage.registry}/small:1"
    stage.change(f"i:{name}", THERE, lambda: stage.engine.tag_image("small", name))
    assert isinstance(stage.engine, Registries)
    stage.engine.push_image(name)
    stage.change(f"i:{name}", GONE, lambda: stage.engine.remove_image(name))
    remove_image(stage)


def pull(stage: Stage) -> None:
    name = f"{stage.registry}/small:1"
    stage.change(f"i:{name}", THERE, lambda: stage.engine.pull_image(name))


STORE_ACTS = (
    Act("make a network", nothing, make_network),
    Act("make a network of both families", nothing, make_modern_network),
    Act("remove a network", make_network, remove_network),
    Act("prune networks", make_network, prune_networks),
    Act("make a volume", nothing, make_volume),
    Act("remove a volume", make_volume, remove_volume),
    Act("replace a volume", make_volume, replace_volume),
    Act("prune volumes", make_volume, prune_volumes),
    Act("import an image", nothing, import_image),
    Act("remove an image", import_image, remove_image),
    Act("tag", nothing, tag),
    Act("prune images", import_image, prune_images),
    Act("load images", load_images, load),
    Act("build", nothing, build),
    Act("pull", published, pull),
)
