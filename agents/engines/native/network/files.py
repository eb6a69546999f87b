"""Small files of the network half that others read."""

from pathlib import Path

from agents.linux.failures import kernel_errors


def replace_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole or not at all, also when we are killed meanwhile.

    Needs one writer at a time. Not for what must outlive a power cut.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    with kernel_errors("write", path):
        temporary.write_text(text)
        temporary.chmod(mode)
        temporary.replace(path)
