"""Images that deploying a project again and again would leave behind without a name."""

import time
from collections.abc import Collection

import structlog

from agents.engines.abilities.images import KeepsImages
from agents.engines.base import Engine
from agents.engines.specs import PruneSpec
from agents.errors import AgentError

log = structlog.get_logger(__name__)

# Going back to an earlier version within this time builds it from the cache.
STEPS_KEPT = 7 * 86400.0
# ... as long as the steps that no image needs any more take no more room than this.
CACHE_KEPT = 5 << 30


def remove_outdated(engine: Engine, image_ids: Collection[str]) -> None:
    """Remove those of the images that have lost their names and that no container uses.

    What building them took stays in the build cache for a week. Raises nothing: a deployment
    that succeeded does not fail for the sake of some room on the disk.
    """
    if not image_ids or not isinstance(engine, KeepsImages):
        return
    began = time.monotonic()
    try:
        pruned = engine.prune_images(PruneSpec(ids=tuple(image_ids), keep_steps=True))
        engine.prune_build_cache(unused_for=STEPS_KEPT)
        engine.prune_build_cache(keep=CACHE_KEPT)
    except AgentError as error:
        log.warning("outdated_images_stay", error=error.message)
        return
    log.info("outdated_images", count=len(pruned.removed), seconds=time.monotonic() - began)
