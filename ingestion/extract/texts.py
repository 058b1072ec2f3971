"""What JSON and XML records share: which texts can be stored, and paths into a record."""

from __future__ import annotations

from collections.abc import Iterable


def fault(texts: Iterable[str | None]) -> str | None:
    """Say why a record's texts cannot be stored; None if they can."""
    joined = "".join(text for text in texts if text is not None)
    if "\0" in joined:
        return "holds a NUL character"
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            return "holds half of a character (a lone surrogate)"
    return None


def branches(names: Iterable[str], separator: str) -> frozenset[str]:
    """Return the groups on the way to dotted names: `a` and `a.b` of `a.b.c`."""
    parts = [name.split(separator) for name in names]
    return frozenset(separator.join(one[:depth]) for one in parts for depth in range(1, len(one)))
