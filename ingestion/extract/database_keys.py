"""Whether two different keys of a database can have one text."""

from __future__ import annotations

from collections.abc import Iterable

from ingestion.drift import family

_PLAIN = ("number", "date", "timestamp", "boolean")


def have_own_texts(types: Iterable[str]) -> bool:
    """Whether keys of columns of these types are told apart by their joined texts. With two columns that may
    hold anything, even the mark between columns, they may not be.
    """
    return sum(family(name) not in _PLAIN for name in types) <= 1
