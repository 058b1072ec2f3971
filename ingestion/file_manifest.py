"""The manifest beside a data file: how many rows it should have, and its checksum."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath

from huiliu.errors import ConfigError, DataError, TransientError
from ingestion.file_servers import FileServer, FoundFile
from ingestion.manifests import FileManifest, Manifest

LARGEST = 1 << 20  # bytes; a manifest is a few lines
_LINE = re.compile(r"\\?([0-9a-fA-F]{32,128})\s+[ *]?(.+)")


def path_of(spec: FileManifest, data: str) -> str:
    """Return where the manifest of a data file lies."""
    place = PurePosixPath(data)
    values = {
        "path": data,
        "stem": str(place.with_suffix("")),
        "folder": str(place.parent),
        "name": place.name,
    }
    try:
        return spec.path.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigError(
            f"the manifest path {spec.path!r} names something unknown",
            fix=f"use one of {{{'}, {'.join(values)}}}",
        ) from error


def read(server: FileServer, spec: FileManifest, data: FoundFile) -> Manifest:
    """Read what a data file's manifest says; TransientError if it has not come yet: it is sent last."""
    path = path_of(spec, data.path)
    found = server.look(path)
    if found is None:
        raise TransientError(
            f"{server.where}: the manifest {PurePosixPath(path).name} of {data.name} is not there yet",
            fix="load when it is; if none ever comes, ask the department, or leave manifest out of the spec",
        )
    where = f"{server.where}: manifest {found.name}"
    with server.open(found) as file, server.explained(f"read {path}"):
        content = file.read(LARGEST + 1) or b""
    if len(content) > LARGEST:
        raise DataError(f"{where} has more than {LARGEST} bytes", fix="correct the manifest's path")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    if spec.format == "checksum":
        return Manifest(found.name, checksum=_of_lines(text, data.name, where))
    return _of_object(spec, text, found.name, where)


def _of_lines(text: str, name: str, where: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and re.fullmatch(r"[0-9a-fA-F]{32,128}", lines[0]):
        return lines[0].lower()
    for line in lines:
        match = _LINE.fullmatch(line)
        if match and re.split(r"[/\\]", match[2])[-1] == name:
            return match[1].lower()
    raise DataError(f"{where} has no line for {name}", fix="ask the department for the manifest of this file")


def _of_object(spec: FileManifest, text: str, name: str, where: str) -> Manifest:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DataError(f"{where} is not JSON", fix="correct its format in the spec") from error
    named = [field for field in (spec.rows_field, spec.checksum_field) if field]
    missing = [field for field in named if not isinstance(content, dict) or content.get(field) is None]
    if missing:
        raise DataError(
            f"{where} says no {', '.join(missing)}", fix="correct the names of its fields in the spec"
        )
    rows = content[spec.rows_field] if spec.rows_field else None
    if rows is not None and not (isinstance(rows, int | str) and re.fullmatch(r"\d+", str(rows))):
        raise DataError(
            f"{where}: {spec.rows_field} is no number of rows", fix="correct rows_field in the spec"
        )
    checksum = str(content[spec.checksum_field]).strip().lower() if spec.checksum_field else None
    return Manifest(name, rows=None if rows is None else int(rows), checksum=checksum)


def wanted_hash(spec: FileManifest | None) -> str | None:
    """Return the algorithm of the checksum a manifest gives; None if it gives none."""
    gives = spec is not None and (spec.format == "checksum" or spec.checksum_field)
    return spec.algorithm if spec and gives else None


def together(manifests: list[Manifest]) -> Manifest | None:
    """Make one manifest of those of a batch's files, each with the rows `counted` in its file: the first that
    disagrees, or their sum."""
    for one in manifests:
        if one.rows not in (None, one.counted) or (one.checksum and one.checksum != one.computed):
            return one
    if len(manifests) < 2:
        return manifests[0] if manifests else None
    rows = [one.rows for one in manifests if one.rows is not None]
    return Manifest(", ".join(one.what for one in manifests), rows=sum(rows) if rows else None)
