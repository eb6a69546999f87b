"""Which instructions cannot be carried out yet, seen before the first step runs."""

from agents.engines.native.build.parser import Instruction
from agents.errors import NotSupportedError

_RUN_FLAGS = ("--network=default", "--network=host")
# "link" changes how a layer is made elsewhere, not what is in the image.
_COPY_FLAGS = ("chown", "chmod", "from", "link")
_REMOTE = ("http://", "https://", "git://", "git@", "ssh://")


def check_supported(instruction: Instruction) -> None:
    """Raise ``NotSupportedError`` for what this engine does not do, as far as the text tells."""
    if instruction.keyword == "run":
        _check_run(instruction)
    if instruction.keyword in ("add", "copy"):
        _check_copy(instruction)


def is_whole_script(instruction: Instruction) -> bool:
    """Return whether a RUN is one here-document and nothing else, so that the shell is given it."""
    text = " ".join(instruction.args)
    return len(instruction.heredocs) == 1 and text.startswith("<<") and " " not in text


def _check_run(instruction: Instruction) -> None:
    for flag in instruction.flags:
        if flag not in _RUN_FLAGS:
            raise NotSupportedError(f"RUN with {flag} is not supported.")
    if is_whole_script(instruction) and instruction.heredocs[0].content.startswith("#!"):
        raise NotSupportedError("RUN of a here-document with '#!' is not supported.")


def _check_copy(instruction: Instruction) -> None:
    for flag in instruction.flags:
        name = flag.removeprefix("--").partition("=")[0]
        if name not in _COPY_FLAGS:
            raise NotSupportedError(f"{instruction.keyword.upper()} --{name} is not supported.")
    if instruction.keyword == "add":
        for source in instruction.args[:-1]:
            check_source(source)


def check_source(source: str) -> None:
    """Raise ``NotSupportedError`` for a source of ADD that is not in the context."""
    if source.startswith(_REMOTE):
        raise NotSupportedError(
            "ADD of a URL is not supported.", hint="Fetch it in a RUN, or put it into the context."
        )
