"""Values in the files of a cgroup: written all or none, and read back."""

import errno
import logging
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from agents.errors import AgentError, InvalidInputError, NotFoundError, NotSupportedError
from agents.linux.cgroups.files import read_text
from agents.linux.cgroups.layout import Layout
from agents.linux.failures import kernel_error

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One value for one file of a controller; ``field`` is what asked for it.

    Files with a line for each device take ``key`` (``8:0``) before the value; ``part`` is
    the word in such a line (``rbps`` of io.max). One that is ``optional`` is left out where
    the host lacks the file.
    """

    field: str
    controller: str
    file: str
    value: str
    key: str = ""
    part: str = ""
    optional: bool = False

    def text(self) -> str:
        """Return what is written."""
        value = f"{self.part}={self.value}" if self.part else self.value
        return f"{self.key} {value}" if self.key else value


def apply(layout: Layout, cgroup: str, settings: Iterable[Setting]) -> None:
    """Write settings in order; if one is refused, those before it get their old values back.

    Raises:
        NotSupportedError: the host lacks the file. Names the field.
        InvalidInputError: the kernel refuses the value. Names the field.
        NotFoundError: there is no such cgroup.
        KernelError, OutOfSpaceError.
    """
    with ExitStack() as undo:
        for one in settings:
            before = in_force(layout, cgroup, one)
            if before is None and one.optional:
                continue
            _write(layout, cgroup, one)
            undo.callback(_put_back, layout, cgroup, one, before)
        undo.pop_all()


def in_force(layout: Layout, cgroup: str, setting: Setting) -> str | None:
    """Return the value that a setting's file has now; None where there is no such file.

    A device without a line has "0" with v1 and "max" with v2: no bound.
    """
    folder = layout.folder(setting.controller, cgroup)
    if folder is None or not (folder / setting.file).exists():
        return None
    text = read_text(folder, setting.file).strip()
    if not setting.key:
        return _plain(text)
    for line in text.splitlines():
        key, _, rest = line.partition(" ")
        if key == setting.key:
            return _part(rest, setting.part)
    return "max" if setting.part else "0"


def _plain(text: str) -> str:
    """Return a file's value; files of weights say ``default 100``."""
    return text.removeprefix("default ").splitlines()[0] if text else ""


def _part(rest: str, part: str) -> str:
    if not part:
        return rest
    return dict(pair.partition("=")[::2] for pair in rest.split()).get(part, "max")


def _put_back(layout: Layout, cgroup: str, setting: Setting, before: str | None) -> None:
    if before is None:
        return
    try:
        _write(layout, cgroup, replace(setting, value=before))
    except AgentError as error:
        logger.warning("the limit %s of %s is not put back: %s", setting.field, cgroup, error)


def _write(layout: Layout, cgroup: str, setting: Setting) -> None:
    folder = layout.folder(setting.controller, cgroup)
    if folder is None:
        raise _lacking(setting)
    if not folder.is_dir():
        raise NotFoundError(f"there is no cgroup {folder}")
    path = folder / setting.file
    if not path.exists():
        raise _lacking(setting)
    try:
        # An empty text would not be written at all; a line without a word is "none".
        path.write_text(setting.text() or "\n")
    except OSError as exc:
        raise _refusal(setting, path, exc) from exc


def _lacking(setting: Setting) -> NotSupportedError:
    return NotSupportedError(
        f"this host cannot limit {setting.field}: its kernel has no {setting.file}",
        field=setting.field,
    )


def _refusal(setting: Setting, path: Path, exc: OSError) -> AgentError:
    reason = exc.strerror or str(exc)
    if exc.errno == errno.EBUSY:
        return InvalidInputError(
            f"the limit {setting.field} cannot be {setting.value}: more than that is in use",
            hint="Free some of it first, or choose a higher limit.",
            field=setting.field,
        )
    if exc.errno in (errno.EINVAL, errno.ERANGE, errno.ENODEV, errno.ENXIO):
        hint = "Name a whole disk, not a part of it." if setting.key else ""
        return InvalidInputError(
            f"the kernel refuses {setting.text()!r} for {setting.field}: {reason}",
            hint=hint,
            field=setting.field,
        )
    return kernel_error(f"limit {setting.field} in", exc.errno or 0, reason, path)
