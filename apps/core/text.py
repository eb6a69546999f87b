"""Text of others on its way into the database."""


def fit(text: str, length: int | None = None) -> str:
    """Return what a column takes of ``text``, cut to ``length`` characters if there is one.

    PostgreSQL takes no NUL and, unlike SQLite, refuses what is too long.
    """
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:length]
