"""Sources that hold whatever the model says, whatever their container: databases and an HTTP service."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from api_server import ApiServer, Asked
from cut_line import Line
from mariadb_server import MariadbServer
from psycopg import sql
from source_model import Kind, Row

TABLE = "visit"


@dataclass(frozen=True)
class Picture:
    """What the source's table looks like today."""

    columns: Sequence[str]
    rows: Sequence[Row]
    kind: Kind = "time"
    keyed: bool = False  # no id stands twice, and the database guarantees it
    broken: int = 0  # records that cannot be read, among the others
    name: str = "rows"  # of the file

    def without(self, column: str, renamed: bool) -> Picture:
        """The same with a column that has vanished, or has another name."""
        new = [f"{column}_1"] if renamed else []
        columns = [name for name in self.columns if name != column] + new
        rows = [{**row, **{name: row[column] for name in new}} for row in self.rows]
        return replace(self, columns=columns, rows=[{name: row[name] for name in columns} for row in rows])


class Source(ABC):
    """A source of one container."""

    empty_is_none = False  # of a column that the spec does not know
    drifts = True  # it has names of columns, so that they can be missing or new
    breaks = True  # it can hold records that cannot be read
    by_days = False  # it is a folder of files, each read once
    reads_whole_to_reconcile = False
    at_source: str | None = None
    widths: ClassVar[dict[str, int]] = {}
    line: Line | None = None
    folder: Path | None = None  # of its files

    def forget(self) -> None:
        """Take away the files that a story left."""
        for path in self.folder.iterdir() if self.folder else ():
            path.unlink()

    def rejected(self, number: int, columns: Sequence[str], listed: Sequence[str]) -> str:
        """Return what tells a broken record from others, by the columns of the source and of the spec."""
        del number, columns, listed
        return "the same"

    @property
    @abstractmethod
    def container(self) -> dict[str, Any]:
        """The container of the spec."""

    @abstractmethod
    def put(self, picture: Picture) -> None:
        """Make the source look so."""

    def held(self, text: str | None) -> str | None:
        """Return what the container holds of a text."""
        return text


def _type(column: str, picture: Picture) -> str:
    if column == "id":
        return f"bigint{' primary key' * picture.keyed}"
    if column == "moved":
        return "bigint" if picture.kind == "number" else "timestamp"
    return "text"


def _values(picture: Picture) -> list[tuple[str | None, ...]]:
    return [tuple(row[name] for name in picture.columns) for row in picture.rows]


def _broken_rows(picture: Picture) -> list[tuple[str | None, ...]]:
    """Rows with a NUL character, which some databases hold and the warehouse cannot."""
    broken = [{"id": str(900_000 + n), "name": f"broken {n}", "note": "a\0b"} for n in range(picture.broken)]
    return [tuple(row.get(name) for name in picture.columns) for row in broken]


class PostgresSource(Source):
    breaks = False

    def __init__(self, conn: psycopg.Connection[Any], request: pytest.FixtureRequest, line: Line) -> None:
        self.conn = conn
        self.line = line
        line.target = conn.info.port
        monkeypatch = request.getfixturevalue("monkeypatch")
        info = conn.info
        where = f"{info.user}:{info.password}@127.0.0.1:{line.port}/{info.dbname}"
        monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", f"postgresql://{where}")

    @property
    def container(self) -> dict[str, Any]:
        return {"type": "postgres"}

    def put(self, picture: Picture) -> None:
        table = sql.Identifier(TABLE)
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_type(name, picture)))
            for name in picture.columns
        ]
        with self.conn.transaction(), self.conn.cursor() as cursor:
            cursor.execute(sql.SQL("drop table if exists {}").format(table))
            cursor.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
            with cursor.copy(sql.SQL("copy {} from stdin").format(table)) as copy:
                for row in _values(picture):
                    copy.write_row(row)


class MysqlSource(Source):
    def rejected(self, number: int, columns: Sequence[str], listed: Sequence[str]) -> str:
        return f"{number} {listed}"

    def __init__(self, server: MariadbServer, request: pytest.FixtureRequest, line: Line) -> None:
        self.line = line
        line.target = server.port
        server.create_database("clinic")
        self.conn = server.admin("clinic")
        request.addfinalizer(self.conn.close)
        monkeypatch = request.getfixturevalue("monkeypatch")
        dsn = server.url("clinic").replace(f":{server.port}/", f":{line.port}/")
        monkeypatch.setenv("HUILIU_DSN_SOURCE__CLINIC", dsn)

    @property
    def container(self) -> dict[str, Any]:
        return {"type": "mysql", "timeout_seconds": 20}

    def put(self, picture: Picture) -> None:
        columns = ", ".join(
            f"{name} {_type(name, picture).replace('timestamp', 'datetime')}" for name in picture.columns
        )
        places = ", ".join(["%s"] * len(picture.columns))
        with self.conn.cursor() as cursor:
            cursor.execute(f"create or replace table {TABLE} ({columns})")
            cursor.executemany(
                f"insert into {TABLE} values ({places})",  # noqa: S608 - names of this file
                _values(picture) + _broken_rows(picture),
            )


class SqliteSource(Source):
    def rejected(self, number: int, columns: Sequence[str], listed: Sequence[str]) -> str:
        return f"{number} {columns}"

    def __init__(self, folder: Path, request: pytest.FixtureRequest) -> None:
        self.path = folder / "clinic.db"
        self.path.touch()
        request.getfixturevalue("monkeypatch").setenv("HUILIU_DSN_SOURCE__CLINIC", f"sqlite:///{self.path}")

    @property
    def container(self) -> dict[str, Any]:
        return {"type": "sql"}

    def put(self, picture: Picture) -> None:
        columns = ", ".join(f"{name} {_type(name, picture)}" for name in picture.columns)
        places = ", ".join(["?"] * len(picture.columns))
        with sqlite3.connect(self.path) as conn:
            conn.execute(f"drop table if exists {TABLE}")
            conn.execute(f"create table {TABLE} ({columns})")
            conn.executemany(
                f"insert into {TABLE} values ({places})",  # noqa: S608 - names of this file
                _values(picture) + _broken_rows(picture),
            )
        conn.close()


@dataclass
class ApiSource(Source):
    """Small pages, by the time or number of each row's last change."""

    server: ApiServer
    line: Line
    picture: Picture = field(default_factory=lambda: Picture((), ()))

    at_source = "/visits"
    reads_whole_to_reconcile = True

    def __post_init__(self) -> None:
        self.server.routes["/visits"] = self._answer

    @property
    def container(self) -> dict[str, Any]:
        paging = {"type": "pages", "page_size": 3}
        return {
            "type": "http_api",
            "url": "clinic_api",
            "paging": paging,
            "attempts": 1,
            "timeout_seconds": 5,
        }

    def put(self, picture: Picture) -> None:
        self.picture = picture

    def _answer(self, asked: Asked) -> object:
        since = asked.values.get("since", "").replace("T", " ")
        found: list[Any] = [row for row in self.picture.rows if self._is_later(row.get("moved"), since)]
        found += ["no row"] * self.picture.broken
        page, size = int(asked.values["page"]), int(asked.values["page_size"])
        return {"total": len(found), "rows": found[(page - 1) * size : page * size]}

    def _is_later(self, moved: str | None, since: str) -> bool:
        if moved is None or not since:
            return True
        return int(moved) >= int(since) if self.picture.kind == "number" else moved >= since
