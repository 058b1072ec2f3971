"""Vectorised text: numbers, codes and dates of whole columns as Arrow strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulator.table import NEVER, Column, Mask

Bytes = NDArray[np.uint8]
Strings: TypeAlias = pa.Array

ZERO = 48


def digits(values: Column, width: int) -> Bytes:
    """Return the decimal digits (0–9) of non-negative integers as a matrix of rows × width, zero-padded."""
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = np.asarray(values, dtype=np.int64)
    for place in range(width - 1, -1, -1):
        rest, out[:, place] = np.divmod(rest, 10)
    return out


def from_ascii(matrix: Bytes) -> Strings:
    """Turn a matrix of ASCII codes, one row a text, into Arrow strings without a loop."""
    rows, width = matrix.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    data = np.ascontiguousarray(matrix)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))


def padded(values: Column, width: int, prefix: str = "") -> Strings:
    """Return integers as zero-padded text of a fixed width behind a prefix."""
    head = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    matrix = np.empty((len(values), len(head) + width), dtype=np.uint8)
    matrix[:, : len(head)] = head
    matrix[:, len(head) :] = digits(values, width) + ZERO
    return from_ascii(matrix)


def dates(days: Column) -> Strings:
    """Return days since 1970 as YYYY-MM-DD; NEVER becomes null."""
    return pc.cast(date_array(days), pa.string())


def date_array(days: Column) -> pa.Array:
    """Return days since 1970 as Arrow dates; NEVER becomes null."""
    never = days == NEVER
    return pa.array(np.where(never, 0, days).astype(np.int32), mask=never).cast(pa.date32())


def pick(labels: Sequence[str] | pa.Array, indices: Column) -> Strings:
    """Return ``labels[indices]`` as text; a negative index becomes null."""
    source = labels if isinstance(labels, pa.Array) else pa.array(list(labels), pa.string())
    absent = indices < 0
    return source.take(pa.array(np.where(absent, 0, indices).astype(np.int64), mask=absent))


def where(mask: Mask, values: Strings) -> Strings:
    """Keep the values where the mask holds; null elsewhere."""
    return pc.if_else(pa.array(mask), values, pa.scalar(None, pa.string()))


def join(*parts: Strings | str, separator: str = "") -> Strings:
    """Join columns (or single texts) element by element; null if any part is null."""
    return pc.binary_join_element_wise(*parts, separator)


def amounts(cents: Column) -> Strings:
    """Return amounts in fen as yuan with two decimals."""
    yuan, fen = np.divmod(np.asarray(cents, dtype=np.int64), 100)
    return join(pc.cast(pa.array(yuan), pa.string()), padded(fen, 2), separator=".")
