"""The limit of moving rows: COPY from one PostgreSQL into another, with nothing in between."""

from __future__ import annotations

import codecs
import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from huiliu.errors import HuiliuError

Command = tuple[list[str], dict[str, str]]  # what is run, and its environment

_BLOCK = 1 << 20


def has_psql() -> bool:
    """Whether the pipe is made of psql's processes; else of two connections passing COPY blocks."""
    return shutil.which("psql") is not None


def has_iconv() -> bool:
    """Whether files are decoded by iconv into psql; else by Python's incremental decoder."""
    return has_psql() and shutil.which("iconv") is not None


def row_pipe_name() -> str:
    """Return what `copy_rows` runs."""
    return "`psql copy binary | psql copy binary`" if has_psql() else "two connections passing COPY blocks"


def file_pipe_name() -> str:
    """Return what `copy_file` runs."""
    return "`iconv | psql copy`" if has_iconv() else "Python's incremental decoder into COPY"


def copy_rows(source: str, query: sql.Composable, target: str, table: sql.Composable) -> None:
    """Copy the rows of a query at one connection string into a table at another, in binary form."""
    out = sql.SQL("copy ({}) to stdout (format binary)").format(query)
    into = sql.SQL("copy {} from stdin (format binary)").format(table)
    if has_psql():
        run([psql(out, source), psql(into, target)])
        return
    with (
        psycopg.connect(source) as reading,
        psycopg.connect(target) as writing,
        reading.cursor().copy(out) as blocks,
        writing.cursor().copy(into) as sink,
    ):
        for block in blocks:
            sink.write(block)


def copy_file(path: Path, encoding: str, target: str, table: sql.Composable) -> None:
    """Copy a CSV file with a header into a table, its text decoded on the way."""
    into = sql.SQL("copy {} from stdin (format csv, header)").format(table)
    if has_iconv():
        decode = [str(shutil.which("iconv")), "-f", encoding, "-t", "UTF-8", str(path)]
        run([(decode, dict(os.environ)), psql(into, target)])
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file, psycopg.connect(target) as conn, conn.cursor().copy(into) as sink:
        while block := file.read(_BLOCK):
            sink.write(decoder.decode(block))
        sink.write(decoder.decode(b"", final=True))


def psql(statement: sql.Composed, conninfo: str) -> Command:
    """Return the command that runs a statement (a COPY reads or writes its rows) at a connection string."""
    place = str(shutil.which("psql"))
    command = [place, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement.as_string()]
    return command, _environment(conninfo)


def _environment(conninfo: str) -> dict[str, str]:
    # Not as an argument: every user of the machine could read the password there.
    parts = conninfo_to_dict(conninfo)
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
    }
    return {**os.environ, **{names[key]: str(value) for key, value in parts.items() if key in names}}


def run(commands: list[Command]) -> None:
    """Run commands, each reading what the one before it writes; HuiliuError if any fails."""
    running: list[subprocess.Popen[bytes]] = []
    for place, (command, environment) in enumerate(commands):
        last = place == len(commands) - 1
        process = subprocess.Popen(  # noqa: S603 - psql and the like, no shell
            command,
            env=environment,
            stdin=running[-1].stdout if running else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if last else subprocess.PIPE,
        )
        if running and running[-1].stdout is not None:
            running[-1].stdout.close()
        running.append(process)
    codes = [process.wait() for process in running]
    if any(codes):
        raise HuiliuError(f"the COPY pipe ended with {codes}", fix="see what psql said above")
