"""Text files that an operator names on the command line."""

from pathlib import Path

from kernel.errors import Malformed


class UnreadableFile(Malformed):
    """A file that was named can't be read as text. The text is one line."""


def read_text(path: Path) -> str:
    """Return what is in the file, which is UTF-8. Raises UnreadableFile."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path}: not a text in UTF-8") from None
