"""HTTP APIs that list rows. Pages move while being read: what is not sure of one reading must come twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from psycopg import sql

from huiliu import business_date
from huiliu.database import connect
from huiliu.errors import ConfigError, DataError, TransientError
from ingestion import drift
from ingestion.containers.http import Cursor, HttpApiContainer
from ingestion.http.answers import Json, number_of_rows
from ingestion.http.auth import Request
from ingestion.http.client import Client
from ingestion.http.paging import Lister, windows
from ingestion.http.rows import RowReader
from ingestion.http.signing import moment
from ingestion.manifests import ApiManifest, Manifest
from ingestion.modes import Append, Snapshot
from ingestion.records import Extracted, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import RowSink, Stage

READINGS = 3  # of a list whose pages move
MOVED = "the list changed during each reading: rows may be missing from it, and none was taken for deleted"
PROBED_ROWS = 10


def extract(
    spec: SourceSpec, container: HttpApiContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage the wanted rows; what an API cannot be asked for (its keys) is had by reading everything."""
    where = f"{spec.name}.{table.name}"
    whole = wanted.everything or wanted.keys
    asked = list(_lists(where, container, table, Wanted() if whole else wanted, stage.batch.business_date))
    with Client(where, container) as client:
        lister = Lister(client, container, table.relation)
        # Asked first: rows that come while the list is read make the batch larger, never smaller, than said.
        manifest = _manifest(client, container, table)
        reading, notice = _read_until_steady(lister, table, asked, stage, whole=whole)
    rows = reading.rows
    rows.rejects.check_share(table, rows.rows)
    return Extracted(
        rows.rows,
        complete=reading.deletes and notice != MOVED,
        rejected=tuple(rows.rejects.kept),
        notices=[notice] if notice else [],
        manifest=manifest,
    )


def probe(spec: SourceSpec, container: HttpApiContainer, table: TableSpec) -> str:
    """Read one small page and check its fields."""
    where = f"{spec.name}.{table.name}"
    with connect("warehouse:ingest") as conn:
        day = business_date.get(conn)
    *_, last = _lists(where, container, table, Wanted(), day)
    with Client(where, container) as client:
        page = Lister(client, container, table.relation).first(last, PROBED_ROWS)
        _manifest(client, container, table)
    reader = RowReader(where, table, absent_allowed=container.absent_fields == "allow")
    found = reader.fields(page.rows)
    if found:
        drift.check(where, table, dict.fromkeys(found), {})
    about = (
        ""
        if page.total is None
        else f", {page.total:,} rows" + " in the last window" * bool(container.window)
    )
    return f"{len(found)} fields{about}" if found else f"no row to see fields in{about}"


def _lists(
    where: str, container: HttpApiContainer, table: TableSpec, wanted: Wanted, day: date
) -> Iterator[Mapping[str, Json]]:
    """Yield the parameters of each list to be read: one, or one a window of days."""
    window, since = container.window, container.since
    if window is not None:
        first, last = _days(where, window.first_day, wanted, day)
        yield from windows(window, first, last)
    elif wanted.days is not None:
        raise ConfigError(
            f"{where}: this API cannot be asked for a range of days",
            fix="if it can, write window: {start, to, first_day} in the container; else load it whole",
        )
    elif wanted.since is not None:
        as_is = since.format == "as_is"
        asked = wanted.since if as_is else moment(since.format, _moment(where, wanted.since))
        yield {since.parameter: asked}
    elif table.cursor is not None and since.beginning is not None:
        yield {since.parameter: since.beginning}
    else:
        yield {}


def _days(where: str, first_day: date, wanted: Wanted, day: date) -> tuple[date, date]:
    if wanted.days is not None:
        return wanted.days.first, wanted.days.last
    return (_moment(where, wanted.since).date() if wanted.since else first_day), max(day, first_day)


def _moment(where: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{where}: the watermark is no moment, as this API's way of asking needs",
            fix="use since: {format: as_is} without a window in the spec, or mode snapshot",
        ) from error


def _manifest(client: Client, container: HttpApiContainer, table: TableSpec) -> Manifest | None:
    if not isinstance(table.manifest, ApiManifest):
        return None
    path = table.manifest.path
    request = Request(container.method, path, dict(container.parameters), container.place)
    rows = number_of_rows(client.told(path, client.ask(request).content, table.manifest.rows_field))
    if rows is None:
        raise DataError(
            f"{client.where}: the manifest {path} has no number {table.manifest.rows_field!r}",
            fix="correct manifest in the spec, or ask the department for the number",
        )
    return Manifest(what=path, rows=rows, of_batch=False)


def _read_until_steady(
    lister: Lister, table: TableSpec, asked: list[Mapping[str, Json]], stage: Stage, *, whole: bool
) -> tuple[_Reading, str | None]:
    """Read the lists until nothing about them is in doubt, or the same doubt came twice in a row.

    That a row is gone is never said by one reading of several pages: where a row is deleted in mid-read,
    another one moves out of sight.
    """
    before: object = None
    for number in range(READINGS):
        if number:
            stage.clear()
        reading = _Reading(lister, table, stage, deletes=whole and not isinstance(table.mode, Append))
        reading.run(asked)
        if whole:
            reading.rows.check_seen(stage)
        doubt = reading.doubt()
        if doubt is None:
            return reading, None
        if doubt == before:
            return reading, reading.steady_but_odd()
        before = doubt
    if reading.is_sound:
        return reading, MOVED
    raise TransientError(
        f"{lister.client.where}: the list changed during each of {READINGS} readings",
        fix="load it again later",
    )


class _Reading:
    """One reading of all lists. `deletes`: rows that landed before and are not in it would be deleted."""

    def __init__(self, lister: Lister, table: TableSpec, stage: Stage, *, deletes: bool) -> None:
        self.lister = lister
        self.table = table
        self.stage = stage
        self.deletes = deletes
        self.where = lister.client.where
        self.rows = RowReader(self.where, table, absent_allowed=lister.container.absent_fields == "allow")
        self.counts_agree = True
        self.answers = 0
        self.content = 0
        self.distinct = 0

    def run(self, asked: list[Mapping[str, Json]]) -> None:
        with self.stage.rows() as sink:
            for parameters in asked:
                window = " to ".join(str(value) for value in parameters.values()) if len(asked) > 1 else ""
                self._read(parameters, window, sink)
        self.distinct = self.stage.distinct_keys()

    def _read(self, parameters: Mapping[str, Json], window: str, sink: RowSink) -> None:
        read, total, last = 0, None, None
        for number, page in enumerate(self.lister.pages(parameters), start=1):
            # A list may grow at its end meanwhile; where it shrinks, later rows have moved forward.
            self.counts_agree &= (page.total or 0) >= (total or 0)
            total = page.total
            read += len(page.rows)
            content = self.rows.take(page.rows, f"{window} page {number}".strip(), self.stage, sink)
            self._check_moves_on(number, content, last, len(page.rows))
            last = content
            self.content += content
            self.answers += 1
        self.counts_agree &= total is None or read == total

    def _check_moves_on(self, number: int, content: int, last: int | None, rows: int) -> None:
        if rows and content == last:
            raise DataError(
                f"{self.where}: page {number} holds the same rows as the page before",
                fix="correct paging in the spec: the API seems to take no notice of its parameters",
            )

    @property
    def is_sound(self) -> bool:
        return self.counts_agree and (not self.table.key or self.distinct == self.rows.rows)

    def doubt(self) -> object:
        """Return what another reading has to show again before this one is believed; None: nothing."""
        if not self.is_sound:
            return "odd", self.content
        if self.answers == 1:
            return None  # one answer shows one moment
        if self.distinct != self.rows.rows or self._unvouched:
            return "moved", self.content
        return self._gone() if self.deletes and not self.stage.direct else None

    @property
    def _unvouched(self) -> bool:
        """Nobody says how many rows there are, and what was missed is not read again by the next load."""
        container = self.lister.container
        moves = container.total_field is None and not isinstance(container.paging, Cursor)
        return moves and not isinstance(self.table.mode, Snapshot)

    def _gone(self) -> object:
        """Return which rows that landed before were not met: their number and a checksum; None for none."""
        row = self.stage.conn.execute(
            sql.SQL(
                "select count(*), sum(hashtextextended(c._row_key::text, 0)) from {} c"
                " where not exists (select from {} s where s._row_key = c._row_key)"
            ).format(self.stage.place.current, self.stage.target)
        ).fetchone()
        return row if row and row[0] else None

    def steady_but_odd(self) -> str | None:
        """Say what is odd about a list that was the same twice; DataError if it is not whole."""
        if not self.counts_agree:
            raise DataError(
                f"{self.where}: the API lists another number of rows than its total, twice the same",
                fix="ask the department; if its total means something else, write total_field: null",
            )
        if self.is_sound:
            return None
        return f"the list repeats some keys: {self.rows.rows} rows hold {self.distinct} keys"
