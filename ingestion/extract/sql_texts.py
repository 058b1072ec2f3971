"""The text of a value that a database driver hands over: one stable form for each Python type.

date, time, timestamp   ISO 8601 with a blank between day and time, an offset if the value has one
interval (MySQL's TIME) HH:MM:SS[.ffffff], the hours beyond a day counted on, a sign before
decimal                 all its digits, never an exponent
float                   the shortest text that gives the same number
boolean                 true, false
bytes                   hexadecimal digits
lists and objects       JSON
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


class NoTextError(ValueError):
    """A value that PostgreSQL cannot hold as text; the message says why, not what it is."""


def text_of(value: object) -> str | None:
    """Return the text of a value, None for null; NoTextError if it has none."""
    if value is None:
        return None
    if isinstance(value, str):
        if _NOT_TEXT.search(value):
            raise NoTextError("a NUL character or bytes that are no text in the encoding of the source")
        return value
    for kind in type(value).__mro__:
        form = _FORMS.get(kind)
        if form is not None:
            return form(value)
    raise NoTextError(f"a value of type {type(value).__name__}, which has no text form")


def _interval(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    minutes, seconds = divmod(value.days * 86400 + value.seconds, 60)
    fraction = f".{value.microseconds:06}" if value.microseconds else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return value.hex().upper()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


_FORMS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    Decimal: lambda value: format(value, "f"),
    datetime: lambda value: value.isoformat(sep=" "),
    date: date.isoformat,
    time: time.isoformat,
    timedelta: _interval,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    UUID: str,
    dict: _json,
    list: _json,
}
