"""Files of the sources, each written beside its place and put there in one go; the same rows, the same bytes.

Column titles are given as ``(title in the file, column of the rows)``; null is an empty field, JSON's null,
or left out.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import xlsxwriter

Header = Sequence[tuple[str, str]]
_CREATED = datetime(2020, 1, 1)  # noqa: DTZ001 - Excel's times have no zone
_AT_ONCE = 20_000  # rows that are Python objects at a time
_quoted = json.JSONEncoder(ensure_ascii=False).encode


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = path.with_name(f".{path.name}.new")
    yield target
    target.replace(path)


def write_csv(rows: pa.Table, header: Header, path: Path, encoding: str = "utf-8") -> None:
    """Write a CSV with a line of titles and Windows line ends."""
    with replacing(path) as target, target.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([title for title, _ in header])
        writer.writerows(_records(rows, header))


def write_manifest(rows: pa.Table, path: Path) -> None:
    """Write beside a data file how many rows it has, and its checksum: last, as it says the file is whole."""
    said = {"rows": rows.num_rows, "sha256": sha256(path.read_bytes()).hexdigest()}
    with replacing(path.with_name(f"{path.name}.json")) as target:
        target.write_text(json.dumps(said), encoding="utf-8")


def write_json(rows: pa.Table, header: Header, path: Path, at: str = "data") -> None:
    """Write ``{at: [{title: value}, …]}`` in UTF-8, every title in every record: none may seem gone."""
    titles = [_quoted(title) for title, _ in header]
    with replacing(path) as target, target.open("w", encoding="utf-8") as file:
        file.write(f"{{\n{_quoted(at)}: [")
        for number, values in enumerate(_records(rows, header)):
            pairs = zip(titles, values, strict=True)
            fields = ",\n".join(
                f"{title}: {'null' if value is None else _quoted(value)}" for title, value in pairs
            )
            file.write(f"{',' if number else ''}\n{{\n{fields}\n}}")
        file.write(("\n" if rows.num_rows else "") + "]\n}")


def write_xml(rows: pa.Table, header: Header, path: Path, root: str, record: str) -> None:
    """Write one element a row with one element a column; titles must be element names; null is left out."""
    titles = [title for title, _ in header]
    with replacing(path) as target, target.open("w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>\n')
        for values in _records(rows, header):
            cells = (
                f"<{title}>{escape(value)}</{title}>"
                for title, value in zip(titles, values, strict=True)
                if value is not None
            )
            file.write(f"<{record}>{''.join(cells)}</{record}>\n")
        file.write(f"</{root}>\n")


def write_fixed_width(
    rows: pa.Table, widths: Sequence[tuple[str, int]], path: Path, encoding: str = "gb18030"
) -> None:
    """Write one line a row, each column padded to its width in bytes; ValueError if a value is longer."""
    header = [(name, name) for name, _ in widths]
    with replacing(path) as target, target.open("wb") as file:
        for values in _records(rows, header):
            cells = (
                _cell(value or "", name, width, encoding)
                for value, (name, width) in zip(values, widths, strict=True)
            )
            file.write(b"".join(cells) + b"\r\n")


def _cell(value: str, name: str, width: int, encoding: str) -> bytes:
    cell = value.encode(encoding)
    if len(cell) > width:
        raise ValueError(f"column {name}: a value is longer than {width} bytes")
    return cell.ljust(width)


def write_excel(sheets: Mapping[str, tuple[pa.Table, Header]], path: Path, title: str | None = None) -> None:
    """Write a workbook: sheet name -> rows and titles; ``title`` stands in a merged row above the titles."""
    with replacing(path) as target:
        book = xlsxwriter.Workbook(target, {"strings_to_numbers": False})
        book.set_properties({"created": _CREATED})
        for name, (rows, header) in sheets.items():
            sheet = book.add_worksheet(name[:31])
            first = 0
            if title is not None:
                sheet.merge_range(0, 0, 0, max(len(header) - 1, 1), title)
                first = 1
            sheet.write_row(first, 0, [label for label, _ in header])
            for line, values in enumerate(_records(rows, header), start=first + 1):
                sheet.write_row(line, 0, values)
        book.close()


def _records(rows: pa.Table, header: Header) -> Iterator[tuple[str | None, ...]]:
    """Yield rows as tuples, some at a time: those of a whole city would be a gigabyte."""
    for start in range(0, rows.num_rows, _AT_ONCE):
        part = rows.slice(start, _AT_ONCE)
        yield from zip(*(part.column(name).to_pylist() for _, name in header), strict=True)
