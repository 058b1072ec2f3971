"""Bodies of answers: read within bounds, numbers kept as they were written, fields found by dotted paths."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping

import httpx

Json = object
_DIGITS = 19  # one more than what fits into a bigint


class Number(str):
    """A number of JSON as it was written: 1.10 must not become 1.1."""

    __slots__ = ()


class Ambiguous(dict[str, Json]):
    """An object with a key written twice: nobody can say which one is meant. `pairs` holds it as it came."""

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class BodyTooLargeError(Exception):
    """More than was allowed came, or would come out of a compressed answer."""


class BrokenBodyError(Exception):
    """The body ended early or is not the JSON it should be."""


def read_body(answer: httpx.Response, most: int, check: Callable[[], None]) -> bytes:
    """Return the decompressed body of at most `most` bytes; `check` is called with each piece."""
    # Not httpx's own decoding, which decompresses a piece without a bound.
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "deflate", ""):
        raise BrokenBodyError(f"it is compressed with {encoding[:20]}, which was not asked for")
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding in ("gzip", "deflate") else None
    body = bytearray()
    for piece in answer.iter_raw():
        check()
        try:
            body += inflating.decompress(piece, most - len(body) + 1) if inflating else piece
        except zlib.error as error:
            raise BrokenBodyError(f"its {encoding} is damaged") from error
        if len(body) > most:
            raise BodyTooLargeError
    if inflating and not inflating.eof:
        raise BrokenBodyError(f"its {encoding} ended early")
    return bytes(body)


def parse(body: bytes, charset: str | None) -> Json:
    """Return the content of a JSON body; BrokenBodyError if it is none."""
    try:
        text = body if charset is None else body.decode(_CHARSETS.get(charset.lower(), charset))
        return json.loads(
            text,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except (ValueError, LookupError, RecursionError) as error:
        raise BrokenBodyError("it is not JSON") from error


_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "utf-8": "utf-8-sig", "utf8": "utf-8-sig"}


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no number of JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Ambiguous(pairs)


def at(content: Json, path: str, absent: Json = None) -> Json:
    """Return what stands at a dotted path; `absent` if nothing does."""
    for name in path.split("."):
        if not isinstance(content, Mapping) or name not in content:
            return absent
        content = content[name]
    return content


def told(content: Json, path: str) -> str | None:
    """Return the text of what an answer says at a path; BrokenBodyError if it is none that can be stored."""
    try:
        text = as_text(at(content, path))
    except (ValueError, RecursionError) as error:
        raise BrokenBodyError(f"what {path} says is not clear") from error
    if text is not None and not storable(text):
        raise BrokenBodyError(f"what {path} says is no text")
    return text


def number_of_rows(text: str | None) -> int | None:
    """Return the number a text says, None if it says none that can be one of rows."""
    return int(text) if text is not None and text.isdecimal() and len(text) < _DIGITS else None


def storable(text: str) -> bool:
    """Say whether the warehouse can hold a text: no NUL, and no half of a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def as_text(value: Json) -> str | None:
    """Return a value as the text that lands, objects and lists as JSON; ValueError: a key stands twice."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Number):
        return str(value)
    return json_text(value)


def json_text(value: Json, *, anything: bool = False) -> str:
    """Write JSON again, numbers as they were; ValueError for a key written twice, unless `anything`."""
    if isinstance(value, Ambiguous) and not anything:
        raise ValueError("a key is written twice")
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        pairs = value.pairs if isinstance(value, Ambiguous) else value.items()
        members = [f"{_quoted(name)}: {json_text(each, anything=anything)}" for name, each in pairs]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(each, anything=anything) for each in value) + "]"
    return _quoted(value)


def _quoted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def original(value: Json) -> str:
    """Return a refused record as text that can be stored."""
    try:
        text = json_text(value, anything=True)
    except RecursionError:
        text = "(nested too deeply to be written down)"
    return text.encode("utf-8", "backslashreplace").decode()
