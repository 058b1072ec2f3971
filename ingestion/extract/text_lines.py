"""Records of texts into the stage many at a time: what Python does here, it does to a block at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import itemgetter

from psycopg import Copy

from ingestion import row_hash
from ingestion.extract.repeated_keys import RepeatedKeys
from ingestion.spec import TableSpec
from ingestion.stage import Stage, as_extra

SEPARATOR = row_hash.SEPARATOR.encode()
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}  # of COPY's text form
_ESCAPED = str.maketrans(_ESCAPES)

Pick = Callable[[Sequence[bytes]], tuple[bytes, ...]]


@dataclass(frozen=True)
class Layout:
    """Where the spec's columns, and those it doesn't know (by name), stand in a file's records."""

    header: tuple[str, ...]
    places: tuple[int, ...]
    extras: Mapping[str, int]

    @classmethod
    def of(cls, table: TableSpec, header: Sequence[str], unknown: Iterable[str]) -> Layout:
        """Return the layout of a header that has every column of the spec."""
        places = tuple(header.index(column.at_source) for column in table.columns)
        return cls(tuple(header), places, {name: header.index(name) for name in sorted(unknown)})

    @property
    def width(self) -> int:
        return len(self.header)

    @property
    def as_spec(self) -> bool:
        """Whether a record of the file is, as it stands, a record of the spec."""
        return self.places == tuple(range(self.width))


class TextLines:
    """Takes the records of one file, in UTF-8; `rows` counts them.

    A row's key and hash are made of the bytes that `row_hash.of_texts` would make of its fields.
    """

    def __init__(self, stage: Stage, copy: Copy, layout: Layout, keys: RepeatedKeys) -> None:
        self.layout = layout
        self.rows = 0
        self._write = copy.write
        self._keys = keys
        self._hashed = not stage.direct
        self._pick = _picking(layout.places)
        names = stage.place.table.column_names
        self._key_places = [names.index(name) for name in stage.place.table.key]
        self._pick_key = _picking(self._key_places)

    def take(
        self, records: list[bytes], parts: bytes, ends: bytes = b"\n", block: bytes | None = None
    ) -> None:
        """Stage records whose fields are parted by `parts`; `block` is the same, each but the last followed
        by `ends`. Neither occurs within a field.
        """
        block = ends.join(records) if block is None else block
        if parts == b"\\" or (SEPARATOR in block and parts != SEPARATOR):
            for record in records:  # its fields could not be told apart below
                self.take_one([field.decode() for field in record.split(parts)])
            return
        extras: list[bytes | None] = []
        if not self.layout.as_spec:
            records, extras = self._arranged(records, parts)
            block, parts = ends.join(records), SEPARATOR
        wholes = records
        if parts != SEPARATOR and (self._hashed or len(self._key_places) != 1):
            wholes = block.replace(parts, SEPARATOR).split(ends)
        keys = _digests(self._keys_of(records, wholes, parts))
        hashes = _digests(_with_extras(wholes, extras)) if self._hashed else []
        self._stage(_copy_lines(block, parts, ends), extras, keys, hashes)

    def take_one(self, fields: Sequence[str]) -> None:
        """Stage one record, whatever its fields hold."""
        layout = self.layout
        values = [fields[place] for place in layout.places]
        extra = as_extra({name: fields[place] or None for name, place in layout.extras.items()})
        whole = row_hash.of_texts(values)
        key = row_hash.of_texts([values[place] for place in self._key_places]) if self._key_places else whole
        line = "\t".join(value.translate(_ESCAPED) for value in values).encode()
        extras = [None if extra is None else extra.encode()] if layout.extras else []
        hashes = [bytes.fromhex(row_hash.of_texts(values, extra))] if self._hashed else []
        self._stage([line], extras, [bytes.fromhex(key)], hashes)

    def _arranged(self, records: list[bytes], parts: bytes) -> tuple[list[bytes], list[bytes | None]]:
        """Bring fields into the order of the spec, and the rest of them into JSON; an empty one is none."""
        pick, rows = self._pick, [record.split(parts) for record in records]
        arranged = [SEPARATOR.join(pick(row)) for row in rows]
        return arranged, list(self._extras_of(rows)) if self.layout.extras else []

    def _extras_of(self, rows: list[list[bytes]]) -> Iterator[bytes | None]:
        """Return the texts that `as_extra` would, at a quarter of its cost."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        names = [f"{encode(name)}: " for name in self.layout.extras]
        pick = _picking(tuple(self.layout.extras.values()))
        for row in rows:
            held = [name + encode(text.decode()) for name, text in zip(names, pick(row), strict=True) if text]
            yield f"{{{', '.join(held)}}}".encode() if held else None

    def _keys_of(self, records: list[bytes], wholes: list[bytes], parts: bytes) -> list[bytes]:
        places = self._key_places
        if not places:
            return wholes
        if len(places) == 1:
            place = places[0]
            return [record.split(parts, place + 1)[place] for record in records]
        pick, cuts = self._pick_key, max(places) + 1
        return [SEPARATOR.join(pick(whole.split(SEPARATOR, cuts))) for whole in wholes]

    def _stage(
        self,
        lines: list[bytes],
        extras: list[bytes | None],
        keys: list[bytes],
        hashes: list[bytes],
    ) -> None:
        joined = b"".join(keys)
        self._keys.add(joined)
        columns: list[Iterable[bytes]] = [lines]
        if self.layout.extras:
            columns += [repeat(b"\t"), map(_json_field, extras)]
        columns += [repeat(b"\t"), _hexadecimal(joined)]
        if hashes:
            columns += [repeat(b"\t"), _hexadecimal(b"".join(hashes))]
        columns.append(repeat(b"\n"))
        self._write(b"".join(chain.from_iterable(zip(*columns, strict=False))))
        self.rows += len(lines)


def _picking(places: Sequence[int]) -> Pick:
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places) if places else tuple


def _digests(texts: list[bytes]) -> list[bytes]:
    md5 = hashlib.md5
    return [md5(text, usedforsecurity=False).digest() for text in texts]


def _hexadecimal(digests: bytes) -> list[bytes]:
    return digests.hex("\n", 16).encode().split(b"\n")


def _with_extras(wholes: list[bytes], extras: list[bytes | None]) -> list[bytes]:
    if not extras:
        return wholes
    return [
        whole if extra is None else whole + SEPARATOR + extra
        for whole, extra in zip(wholes, extras, strict=True)
    ]


def _copy_lines(block: bytes, parts: bytes, ends: bytes) -> list[bytes]:
    """Return the records of a block in COPY's text form."""
    for character, escaped in _ESCAPES.items():
        plain = character.encode()
        if plain not in (parts, ends) and plain in block:
            block = block.replace(plain, escaped.encode())
    return block.replace(parts, b"\t").split(ends)


def _json_field(extra: bytes | None) -> bytes:
    # JSON escapes control characters itself, so only its backslashes are COPY's too.
    return rb"\N" if extra is None else extra.replace(b"\\", b"\\\\")
