"""CSV read the simple way: one record after another over the whole file, by Python's reader."""

from __future__ import annotations

import csv
from collections.abc import Iterator


def read(content: bytes, encoding: str, delimiter: str, width: int) -> tuple[list[list[str]], list[int]]:
    """Return the sound records below the header, and the numbers of the lines that are rejected."""
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    records: list[list[str]] = []
    rejected: list[int] = []
    at = 0
    while at < len(lines):
        taken: list[bool] = []  # whether each line taken is sound
        reader = csv.reader(_decoded(lines[at:], encoding, taken), delimiter=delimiter, strict=True)
        try:
            record = next(reader)
        except csv.Error:
            rejected.append(at + 2)
            at += 1
            continue
        sound = len(record) == width and all(taken)
        if sound:
            records.append(record)
        elif record:
            rejected.append(at + 2)
        at += len(taken) if sound or not record else 1
    return records, rejected


def _decoded(lines: list[bytes], encoding: str, taken: list[bool]) -> Iterator[str]:
    for line in lines:
        text = line.decode(encoding, errors="replace")
        taken.append("\0" not in text and text.encode(encoding, errors="replace") == line)
        yield text + "\n"
