"""`huiliu ingest --check`: every spec validated, every source reached, nothing loaded.

Different sources are asked at the same time, the tables of one source (and sources that share a server) one
after another. A source that is wrong, fails or never answers costs the others only its place in the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from traceback import extract_tb

from huiliu import business_date
from huiliu.database import Connection, connect
from huiliu.errors import ConfigError, DataError, HuiliuError, TransientError
from ingestion import catalogue, ledger
from ingestion.extract import probe as probe_table
from ingestion.spec import SourceSpec, TableSpec, read_specs

AT_ONCE = 4
SECONDS = 60.0  # for one table; a container's own time-outs are for loads and may be far longer


@dataclass(frozen=True)
class Probe:
    """What asking about one table gave: what was `found`, or the `error` and its `fix`.

    `table_name` is * where a whole spec is wrong; `title` and `department` are empty there.
    """

    source: str
    table_name: str
    title: str
    department: str
    passed: bool
    found: str | None = None
    error: str | None = None
    fix: str | None = None


def probe_sources(
    sources: Sequence[str] | None = None, *, seconds: float = SECONDS, at_once: int = AT_ONCE
) -> list[Probe]:
    """Probe the sources (default: all), in the order of names; no failure is raised, each is in its Probe.

    ConfigError for a source that has no spec file.
    """
    specs, broken = read_specs()
    chosen = sorted({*specs, *broken}) if sources is None else list(dict.fromkeys(sources))
    unknown = [name for name in chosen if name not in specs and name not in broken]
    if unknown:
        raise ConfigError(
            f"There is no source {', '.join(unknown)}",
            fix=f"use one of: {', '.join(sorted({*specs, *broken}))}",
        )
    found = [_failed(name, None, broken[name]) for name in chosen if name in broken]
    groups = _by_server([specs[name] for name in chosen if name in specs])
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="probe") as pool:
        asked = [pool.submit(_probe_group, group, seconds) for group in groups]
        for future in as_completed(asked):
            found += future.result()
    return sorted(found, key=lambda probe: (probe.source, probe.table_name))


def _by_server(specs: Sequence[SourceSpec]) -> list[list[SourceSpec]]:
    groups: dict[str, list[SourceSpec]] = {}
    for spec in specs:
        server = spec.shared_server
        groups.setdefault(f"server {server}" if server else spec.name, []).append(spec)
    return list(groups.values())


def _probe_group(group: Sequence[SourceSpec], seconds: float) -> list[Probe]:
    return list(chain.from_iterable(_probe_source(spec, seconds) for spec in group))


def _probe_source(spec: SourceSpec, seconds: float) -> Iterator[Probe]:
    silent: TransientError | None = None
    for table in spec.tables:
        if silent is not None:
            yield _failed(spec.name, (spec, table), silent)
            continue
        try:
            found = _within(seconds, lambda table=table: probe_table(spec, table))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        except _NoAnswerError as error:
            silent = TransientError(f"{spec.name}.{table.name}: {error.message}", fix=error.fix)
            yield _failed(spec.name, (spec, table), silent)
        except HuiliuError as error:
            yield _failed(spec.name, (spec, table), error)
        else:
            yield Probe(spec.name, table.name, table.title, spec.department, True, found=found)


class _NoAnswerError(TransientError):
    """The source was asked and said nothing in time."""


def _within(seconds: float, ask: Callable[[], str]) -> str:
    """Ask, but wait no longer: a thread that never ends is left behind and ends with the process."""
    answers: SimpleQueue[str | HuiliuError] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put(ask())
        except HuiliuError as error:
            answers.put(error)
        except Exception as error:  # noqa: BLE001 - a driver's fault must not stop the other sources; its text may hold values
            last = extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            answers.put(
                DataError(
                    f"the probe broke with {type(error).__name__} in {place}",
                    fix="see that the source answers as its spec says; if it does, report this line",
                )
            )

    Thread(target=answer, name="probe-table", daemon=True).start()
    try:
        answered = answers.get(timeout=seconds)
    except Empty:
        raise _NoAnswerError(
            f"no answer within {seconds:g} s", fix="see that the source and the way to it work"
        ) from None
    if isinstance(answered, HuiliuError):
        raise answered
    return answered


def _failed(source: str, place: tuple[SourceSpec, TableSpec] | None, error: HuiliuError) -> Probe:
    if place is None:
        return Probe(source, "*", "", "", False, error=error.message, fix=error.fix)
    spec, table = place
    return Probe(source, table.name, table.title, spec.department, False, error=error.message, fix=error.fix)


def record(probes: Sequence[Probe]) -> None:
    """Write probes to ops.mount_probe, for the hook-up rate, and their sources to the catalogue."""
    specs, broken = read_specs()
    known = {name for name in specs if any(probe.source == name for probe in probes)}
    with connect("warehouse:ingest") as conn:
        day = business_date.get(conn)
        catalogue.retire(conn, specs, broken)
        for name in sorted(known):
            ledger.register(conn, specs[name])
        _insert(conn, [probe for probe in probes if probe.source in known], day)


def _insert(conn: Connection, probes: Sequence[Probe], day: date) -> None:
    conn.execute(
        "insert into ops.mount_probe (resource_id, business_date, passed, error)"
        " select resource_id, %s, error is null, error"
        " from unnest(%s::text[], %s::text[]) as probed (resource_id, error)",
        [
            day,
            [ledger.resource_id(probe.source, probe.table_name) for probe in probes],
            [None if probe.passed else f"{probe.error}. Fix: {probe.fix}" for probe in probes],
        ],
    )
