"""The panel in containers (compose.yml): the same parts, one program a container."""

from __future__ import annotations

import os
import shlex

from setup import installation as installations
from setup import panel, redis, supervise, tools, wheels
from setup.places import CHECKOUT, Places
from setup.problem import Problem
from setup.run import say


def build(places: Places) -> None:
    """Fill the image: environment, front end and the wheels that hosts will fetch."""
    tools.install_tools(places)
    tools.sync_environment(places, ("panel", "agent"))
    tools.build_front_end()
    wheels.make_wheels(places)


def prepare(places: Places) -> None:
    """Make secrets, keys, settings and tables in the volume; safe to run at every start."""
    if not os.environ.get("WEBPANEL_ADDRESS"):
        raise Problem(
            "WEBPANEL_ADDRESS is not set.",
            "Give the name or address by which browsers and hosts reach this machine.",
        )
    chosen = installations.load_installation(places)
    installations.save_installation(places, chosen)
    panel.write_settings(places, chosen)
    panel.prepare(places, chosen)
    redis.configure_redis(places, chosen)
    base = installations.link_base(chosen)
    say(panel.manage(places, "setup_link", "--base-url", base).strip())


def serve(places: Places, name: str = "") -> None:
    """Become one of the programs: redis, web, worker or beat."""
    commands = {listed: words for listed, words, _ in supervise.programs(places)}
    if name not in commands:
        raise Problem(f"There is no program {name!r}.", f"Give one of: {', '.join(commands)}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webpanel.settings.production")
    os.chdir(CHECKOUT)
    words = shlex.split(commands[name])
    os.execv(words[0], words)  # noqa: S606  the container's first process becomes the program
