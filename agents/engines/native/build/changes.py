"""Instructions that change an image's configuration, given outside of a Dockerfile."""

from collections.abc import Sequence

import msgspec

from agents.engines.native.build.parser import parse
from agents.engines.native.build.settings import SETTINGS
from agents.engines.native.build.shell import Expander
from agents.engines.native.build.state import from_document
from agents.engines.native.images.config import ImageDocument
from agents.errors import BuildError, InvalidInputError

_ALLOWED = frozenset(SETTINGS) - {"arg", "maintainer", "shell"}


def apply_changes(document: ImageDocument, changes: Sequence[str]) -> ImageDocument:
    """Return the document with ``CMD``, ``ENV`` and the like in force.

    Raises ``InvalidInputError`` with the field ``changes``.
    """
    if not changes:
        return document
    state = from_document(document, Expander(escape="\\"), {}, {})
    try:
        for instruction in parse("\n".join(changes), "changes").instructions:
            if instruction.keyword not in _ALLOWED:
                raise InvalidInputError(f"{instruction.keyword.upper()} is no change of an image.")
            SETTINGS[instruction.keyword](state, instruction)
    except (BuildError, InvalidInputError) as exc:
        raise InvalidInputError(exc.message, hint=exc.hint, field="changes") from exc
    return msgspec.structs.replace(document, config=state.document().config)
