"""JSON as files hold it: numbers keep their digits, and a document is read piece by piece.

Nothing in a document can take more than its share: a record is at most LARGEST characters, and what nests too
deeply ends in an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence

BLOCK = 1 << 16  # characters read at once
LARGEST = 16 << 20  # characters of one record
_BLANKS = re.compile(r"[ \t\n\r]*")
_WHOLE = re.compile(
    r"[ \t\n\r]*[],:}]"
)  # behind a value: a number at the end of a block may go on in the next


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Repeating(dict[str, object]):
    """An object with a key written twice: nobody can say which is meant. `pairs` holds it as it came."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class NoListError(ValueError):
    """The document is sound, but has no list where the records should be."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeating(pairs)


def _no_number(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(
    parse_float=Number, parse_int=Number, parse_constant=_no_number, object_pairs_hook=_object
)


def parsed(text: str) -> object:
    """Return the content of one JSON text. Raises ValueError, or RecursionError if it nests too deeply."""
    return _DECODER.decode(text)


def as_text(value: object) -> str | None:
    """Return a value as text: what is neither text, number nor truth stays JSON.

    Raises ValueError for a key written twice.
    """
    if value is None or type(value) is str:
        return value
    return written(value)


def written(value: object, *, anything: bool = False) -> str:
    """Return a value as JSON; ValueError for a key written twice, unless `anything`."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        if isinstance(value, Repeating) and not anything:
            raise ValueError("a key is written twice")
        pairs = value.pairs if isinstance(value, Repeating) else value.items()
        inner = (f"{_quoted(key)}: {written(one, anything=anything)}" for key, one in pairs)
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return f"[{', '.join([written(one, anything=anything) for one in value])}]"
    return _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def original(value: object) -> str:
    """Return a refused record as text that can be stored."""
    try:
        text = written(value, anything=True)
    except RecursionError:
        return "(nested too deeply to be written down)"
    return text.encode("utf-8", "backslashreplace").decode()


class Document:
    """A JSON document that comes in pieces: `read` returns about so many characters, none at the end."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read
        self._text = ""
        self._at = 0

    def records(self, path: Sequence[str]) -> Iterator[object]:
        """Yield the records of the list at `path`.

        Raises NoListError if there is none, ValueError if the document is broken, and RecursionError if it
        nests too deeply.
        """
        found = yield from self._within(path)
        if self._sign():
            raise ValueError("more follows the document")
        if not found:
            raise NoListError("no list")

    def _within(self, path: Sequence[str]) -> Generator[object, None, bool]:
        sign = self._sign()
        if not path and sign == "[":
            yield from self._items()
            return True
        if not path or sign != "{":
            self._skip()
            return False
        met = found = False
        for name in self._names():
            if name != path[0]:
                self._skip()
                continue
            if met:
                raise ValueError("the list's key is written twice")
            met = True
            found = yield from self._within(path[1:])
        return found

    def _items(self) -> Iterator[object]:
        self._take("[")
        if self._sign() == "]":
            self._take("]")
            return
        while True:
            yield self._value()
            if self._take(",]") == "]":
                return

    def _names(self) -> Iterator[str]:
        """Yield the name of each member of an object, standing before its value."""
        self._take("{")
        if self._sign() == "}":
            self._take("}")
            return
        while True:
            name = self._value()
            if type(name) is not str:
                raise ValueError("a name must be a text")
            self._take(":")
            yield name
            if self._take(",}") == "}":
                return

    def _skip(self) -> None:
        """Pass over a value, however large it is."""
        sign = self._sign()
        if sign == "{":
            for _ in self._names():
                self._skip()
        elif sign == "[":
            for _ in self._items():
                pass
        else:
            self._value()

    def _value(self) -> object:
        self._sign()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise
                continue
            if _WHOLE.match(self._text, end) or not self._more():
                self._at = end
                return value

    def _take(self, signs: str) -> str:
        sign = self._sign()
        if not sign or sign not in signs:
            raise ValueError("another sign is due")
        self._at += 1
        return sign

    def _sign(self) -> str:
        """Go to the next sign that is no blank; return it, or nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on, as much again as is held; False at the end."""
        held = self._text[self._at :]
        if len(held) > LARGEST:
            raise ValueError(f"a record is longer than {LARGEST} characters")
        piece = self._read(max(BLOCK, len(held)))
        # What was read until the end stays at its place, which a value may have been found at.
        if piece:
            self._text, self._at = held + piece, 0
        return bool(piece)
