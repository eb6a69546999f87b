"""The agent's command line: ``python -m agents`` or ``webpanel-agent``.

Exit codes: 0 done, 1 failed with one sentence on stderr, 2 wrong usage, 3 ``status`` of a
host that has not joined or whose agent does not run.
"""

import argparse
import gc
import getpass
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from agents import __version__, config
from agents.errors import AgentError, ConflictError, NotFoundError, NotSupportedError

if TYPE_CHECKING:
    from agents.engines.abilities.registries import Registries

DEFAULT_ROOT = Path("/var/lib/webpanel-agent")
DEFAULT_RUN = Path("/run/webpanel-agent")
FAILED = 1
NOT_RUNNING = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.act(arguments))
    except (AgentError, OSError) as error:
        hint = getattr(error, "hint", "")
        sys.stderr.write(f"webpanel-agent: {error}{f'. {hint}' if hint else ''}\n")
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="webpanel-agent", description="A host of a web panel.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_join(commands)
    _add(commands, "run", "work for the panel until stopped", _run)
    start = _add(commands, "start", "start the agent as a service of this host", _start)
    start.add_argument("--no-systemd", action="store_true", help="run by itself")
    _add(commands, "stop", "stop that service; containers go on", _stop)
    _add(commands, "status", "say whether this host has joined and its agent runs", _status)
    _add(commands, "leave", "forget the panel; containers are left alone", _leave)
    _add(commands, "purge", "remove all that the agent made on this host", _purge)
    _add_image(commands)
    _add_registry(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add(commands: Commands, name: str, text: str, act: object) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_ROOT / config.CONFIG_NAME,
        help="the agent's configuration (default: %(default)s)",
    )
    parser.set_defaults(act=act)
    return parser


def _add_join(commands: Commands) -> None:
    text = "join a panel; safe to run again"
    parser = commands.add_parser("join", help=text, description=text)
    parser.add_argument("--panel", required=True, metavar="URL")
    parser.add_argument("--token", required=True, help="the one-time join token")
    parser.add_argument("--ca-sha256", default="", metavar="HEX", help="pins the panel's CA")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="keeps what lasts")
    parser.add_argument("--run", type=Path, default=DEFAULT_RUN, help="keeps what need not last")
    parser.add_argument("--name", default="", help="the host's name (default: its own)")
    parser.add_argument("--engine", default="native", help="what runs containers")
    parser.set_defaults(act=_join)


def _add_image(commands: Commands) -> None:
    image = commands.add_parser("image", help="put images on this host")
    acts = image.add_subparsers(required=True, metavar="ACT")
    _add(acts, "seed", "make a small base image, busybox, of the host's own", _seed)
    parser = _add(acts, "import", "take in an image from an archive", _import)
    parser.add_argument("file", type=Path, help="an OCI or docker archive, or a root file system")
    parser.add_argument("--name", default="", metavar="REF", help="what to call the image")
    pull = _add(acts, "pull", "fetch an image from its registry", _pull)
    pull.add_argument("--platform", default="", metavar="OS/ARCHITECTURE")
    push = _add(acts, "push", "send an image to the registry in its name", _push)
    for parser in (pull, push):
        parser.add_argument("name", metavar="REF", help="registry/name:tag")


def _add_registry(commands: Commands) -> None:
    registry = commands.add_parser("registry", help="logins at registries")
    acts = registry.add_subparsers(required=True, metavar="ACT")
    login = _add(acts, "login", "try a login and keep it; the password is read", _login)
    login.add_argument("--username", required=True)
    logout = _add(acts, "logout", "forget a login", _logout)
    for parser in (login, logout):
        parser.add_argument("registry", help="host or host:port")


def _join(arguments: argparse.Namespace) -> int:
    from agents.enrolment import JoinRequest, join

    made = join(
        JoinRequest(
            panel=arguments.panel,
            token=arguments.token,
            root=arguments.root.absolute(),
            run=arguments.run.absolute(),
            ca_sha256=arguments.ca_sha256,
            name=arguments.name,
            engines=(arguments.engine,),
        )
    )
    _say(f"This host is {made.name} ({made.uid}) of {made.panel}.")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from agents.worker import lean

    found = config.load(arguments.config)
    again = ("run", "--config", str(arguments.config))
    lean.begin(again, found.root)
    from agents.worker import logs
    from agents.worker.engine import open_engine
    from agents.worker.process import Agent

    engine = open_engine(found)
    # What Celery loads by itself when it starts.
    importlib.import_module("celery.apps.worker")
    importlib.import_module("celery.concurrency.solo")
    lean.begin_again(again)
    logs.set_up()
    gc.collect()
    gc.freeze()
    Agent(found, engine).run()
    return 0


def _start(arguments: argparse.Namespace) -> int:
    from agents.worker import service

    path = arguments.config.absolute()
    by_systemd = service.has_systemd() and not arguments.no_systemd
    _say(service.start(config.load(path), path, by_systemd=by_systemd))
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    from agents.worker import service

    path = arguments.config.absolute()
    service.stop(config.load(path), path)
    _say("The agent is stopped; containers go on.")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from agents.state.database import is_locked

    try:
        found = config.load(arguments.config)
    except NotFoundError:
        _say("This host has not joined a panel.")
        return NOT_RUNNING
    running = is_locked(found.root)
    _say(f"Host {found.name} ({found.uid}) of {found.panel}: {'runs' if running else 'stopped'}.")
    return 0 if running else NOT_RUNNING


def _leave(arguments: argparse.Namespace) -> int:
    from agents.enrolment.join import leave
    from agents.state.database import is_locked
    from agents.worker import service

    if arguments.config.exists() and is_locked(config.load(arguments.config).root):
        raise ConflictError("the agent still runs", hint="Stop it first: webpanel-agent stop")
    service.forget(arguments.config.absolute())
    leave(arguments.config)
    _say("This host has left; its containers go on. Remove it in the panel, too.")
    return 0


def _purge(arguments: argparse.Namespace) -> int:
    from agents.worker import service
    from agents.worker.purge import find_configuration, purge

    try:
        found, path = find_configuration(arguments.config.absolute())
    except NotFoundError:
        _say("There is nothing to remove: this host has not joined a panel.")
        return 0
    service.stop(found, path)
    service.forget(path)
    purge(found, path)
    _say("Containers, networks, volumes, images and the agent's data are removed.")
    return 0


def _seed(arguments: argparse.Namespace) -> int:
    from agents.engines.native.images import busybox
    from agents.engines.native.images.store import ImageStore

    root = config.load(arguments.config).root
    image = busybox.seed(ImageStore(root / "native"), root)
    _say(f"{', '.join(image.references)} is {image.id}.")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from agents.worker.engine import open_engine

    engine = open_engine(config.load(arguments.config))
    image = engine.import_image(arguments.file, arguments.name)
    _say(f"{', '.join(image.references) or 'The image'} is {image.id}.")
    return 0


def _registries(arguments: argparse.Namespace) -> "Registries":
    from agents.engines.abilities.registries import Registries
    from agents.worker.engine import open_engine

    engine = open_engine(config.load(arguments.config))
    if not isinstance(engine, Registries):
        raise NotSupportedError(f"the {engine.name} engine knows no registries")
    return engine


def _pull(arguments: argparse.Namespace) -> int:
    image = _registries(arguments).pull_image(arguments.name, platform=arguments.platform)
    _say(f"{arguments.name} is {image.id}.")
    return 0


def _push(arguments: argparse.Namespace) -> int:
    _say(f"{arguments.name} is {_registries(arguments).push_image(arguments.name)} there.")
    return 0


def _login(arguments: argparse.Namespace) -> int:
    from agents.engines.abilities.registries import Credentials

    typed = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    credentials = Credentials(username=arguments.username, password=config.Secret(typed))
    _registries(arguments).login(arguments.registry, credentials)
    _say(f"{arguments.registry} takes the login; it is kept.")
    return 0


def _logout(arguments: argparse.Namespace) -> int:
    _registries(arguments).logout(arguments.registry)
    _say(f"There is no login for {arguments.registry} any more.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
