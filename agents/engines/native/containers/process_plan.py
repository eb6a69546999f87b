"""Puts together what the image says and what the spec says about the first process."""

from collections.abc import Iterable

from agents.engines.native.oci.defaults import PATH, TERM
from agents.engines.specs import ContainerSpec
from agents.errors import InvalidInputError


def choose_command(
    spec: ContainerSpec, image_entrypoint: tuple[str, ...], image_command: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the argv of a container.

    An entrypoint of the spec also sets the image's command aside, as with Docker.

    Raises:
        InvalidInputError: neither image nor spec names a program.
    """
    entrypoint = image_entrypoint if spec.entrypoint is None else spec.entrypoint
    default = image_command if spec.entrypoint is None else ()
    argv = (*entrypoint, *(default if spec.command is None else spec.command))
    if not argv:
        raise InvalidInputError(
            f"the image {spec.image} names no program to run",
            hint="Give the service a command.",
            field="command",
        )
    return argv


def merge_environment(
    image: Iterable[str], spec: ContainerSpec, *, hostname: str, home: str
) -> tuple[str, ...]:
    """Return ``NAME=value`` lines: defaults, then the image's, then the spec's."""
    merged = {"PATH": PATH, "HOSTNAME": hostname, "HOME": home}
    if spec.tty:
        merged["TERM"] = TERM
    for line in image:
        name, _, value = line.partition("=")
        merged[name] = value
    merged.update(spec.environment)
    return tuple(f"{name}={value}" for name, value in merged.items())
