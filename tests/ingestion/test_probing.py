"""Probing: every spec and every source looked at, each fault kept to its own source and written down."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import DAY, PATIENT, POSTGRES, source, table
from typer.testing import CliRunner

from huiliu import business_date
from huiliu.cli import app
from huiliu.database import connect
from huiliu.errors import ConfigError
from ingestion import demands, extract, probing
from ingestion.run import ingest_source
from ingestion.spec import SourceSpec, TableSpec

Specs = Callable[..., Path]


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield int(listening.getsockname()[1])


def by_place(probes: list[probing.Probe]) -> dict[str, probing.Probe]:
    return {f"{probe.source}.{probe.table_name}": probe for probe in probes}


def recorded() -> list[tuple[Any, ...]]:
    with connect("warehouse") as conn:
        return conn.execute(
            "select resource_id, business_date, passed, row_count, error from ops.mount_probe"
            " order by resource_id"
        ).fetchall()


@pytest.fixture
def patients(specs: Specs, clinic: psycopg.Connection[Any]) -> Specs:
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    return specs


@pytest.mark.usefixtures("patients")
def test_a_source_that_is_as_its_spec_says_passes_and_nothing_is_loaded() -> None:
    probes = probing.probe_sources()
    probing.record(probes)
    assert [probe.passed for probe in probes] == [True]
    assert probes[0].found
    assert recorded() == [("clinic.patient", DAY, True, None, None)]
    with connect("warehouse") as conn:
        assert conn.execute("select count(*) from ops.load_run where source = 'clinic'").fetchone() == (0,)
        assert conn.execute("select to_regclass('raw.clinic__patient')").fetchone() == (None,)


def test_every_fault_of_every_source_is_told_at_once(
    patients: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(source(POSTGRES, table("patient", PATIENT), table("gone", "a"), table("visit", PATIENT)))
    wrong = source(POSTGRES, table("ward", "a"), name="surgery")
    patients({**wrong, "cadence": "0 25 * * *", "levle": "city"})
    patients(source(POSTGRES, table("bed", "a"), name="asylum"))
    monkeypatch.setenv("HUILIU_DSN_SOURCE__ASYLUM", "postgresql://nobody:x@127.0.0.1:1/none")
    found = by_place(probing.probe_sources())
    assert {place: probe.passed for place, probe in found.items()} == {
        "asylum.bed": False,
        "clinic.gone": False,
        "clinic.patient": True,
        "clinic.visit": False,
        "surgery.*": False,
    }
    assert "0 25 * * *" in str(found["surgery.*"].error)
    assert "levle" in str(found["surgery.*"].error)
    assert all(probe.fix for probe in found.values() if not probe.passed)


def test_a_source_that_never_answers_does_not_hold_up_the_others(
    patients: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(source(POSTGRES, table("bed", "a"), table("ward", "a"), name="surgery"))
    with silent_server() as port:
        monkeypatch.setenv("HUILIU_DSN_SOURCE__SURGERY", f"postgresql://a:b@127.0.0.1:{port}/none")
        begun = time.monotonic()
        # One at a time: even so, and although it is waited for first, the silent one costs one wait only.
        found = by_place(probing.probe_sources(["surgery", "clinic"], seconds=1, at_once=1))
        assert time.monotonic() - begun < 5
    assert found["clinic.patient"].passed
    assert "no answer within 1 s" in str(found["surgery.bed"].error)
    assert "no answer within 1 s" in str(found["surgery.ward"].error)


def test_a_driver_that_breaks_is_told_without_its_words(
    patients: Specs, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients(source(POSTGRES, table("bed", "a"), name="surgery"))

    def probe(spec: SourceSpec, table: TableSpec) -> str:
        if spec.name == "surgery":
            raise ValueError("王小明 370602199001011234")
        return extract.probe(spec, table)

    monkeypatch.setattr(probing, "probe_table", probe)
    found = by_place(probing.probe_sources())
    assert found["clinic.patient"].passed
    assert "broke with ValueError in test_probing.py" in str(found["surgery.bed"].error)
    assert "王小明" not in str(found)


@pytest.mark.parametrize(
    ("container", "more"),
    [
        (POSTGRES, {"server": "old_machine"}),
        ({"type": "csv", "server": "old_machine", "path": "{table}.csv"}, {}),
    ],
    ids=["named in the spec", "a file server"],
)
def test_sources_of_one_server_are_never_asked_at_the_same_time(
    specs: Specs, monkeypatch: pytest.MonkeyPatch, container: dict[str, Any], more: dict[str, Any]
) -> None:
    for name in ("clinic", "surgery"):
        specs({**source(container, table("a", "a"), table("b", "a"), name=name), **more})
    inside = 0
    most = 0

    def probe(_spec: SourceSpec, _table: TableSpec) -> str:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.05)
        inside -= 1
        return "1 column"

    monkeypatch.setattr(probing, "probe_table", probe)
    assert all(found.passed for found in probing.probe_sources())
    assert most == 1


def catalogue() -> dict[str, Any]:
    with connect("warehouse") as conn:
        return dict(
            conn.execute(
                "select resource_id, retired_on from ops.resource where source in ('clinic', 'surgery')"
            ).fetchall()
        )


def test_what_leaves_the_specs_is_retired_and_is_current_again_when_it_returns(patients: Specs) -> None:
    both = source(POSTGRES, table("patient", PATIENT, key=["id"]), table("visit", PATIENT))
    patients(both)
    gone = patients(source(POSTGRES, table("bed", "a"), name="surgery"))
    probing.record(probing.probe_sources())
    assert catalogue() == {"clinic.patient": None, "clinic.visit": None, "surgery.bed": None}
    patients(source(POSTGRES, table("patient", PATIENT, key=["id"])))
    gone.unlink()
    ingest_source("clinic")
    assert catalogue() == {"clinic.patient": None, "clinic.visit": DAY, "surgery.bed": DAY}
    with connect("warehouse") as conn:
        conn.execute("delete from ops.mount_probe where resource_id = 'clinic.patient'")
        business_date.set(conn, DAY + timedelta(days=1))
    assert [row[0] for row in recorded()] == ["clinic.visit", "surgery.bed"], "history is kept"
    patients(both)
    probing.record(probing.probe_sources(["clinic"]))
    assert catalogue() == {"clinic.patient": None, "clinic.visit": None, "surgery.bed": DAY}


def test_a_wrong_spec_retires_nothing(patients: Specs) -> None:
    patients(source(POSTGRES, table("bed", "a"), name="surgery"))
    probing.record(probing.probe_sources())
    patients({**source(POSTGRES, table("bed", "a"), name="surgery"), "cadence": "daily"})
    probing.record(probing.probe_sources())
    assert catalogue() == {"clinic.patient": None, "surgery.bed": None}


@pytest.mark.usefixtures("patients")
def test_a_name_without_a_spec_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no source dentist"):
        probing.probe_sources(["dentist"])


def test_the_command_shows_records_and_fails_if_any_failed(
    patients: Specs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(demands, "LISTS", tmp_path)
    good = CliRunner().invoke(app, ["ingest", "--check", "--json"])
    assert good.exit_code == 0, good.output
    assert '"passed": true' in good.stdout
    patients(source(POSTGRES, table("patient", PATIENT), table("gone", "a")))
    bad = CliRunner().invoke(app, ["ingest", "clinic", "--check"])
    assert bad.exit_code == 1, bad.output
    assert "2 tables probed, 1 failed" in bad.stdout
    results = [(row[0], row[2]) for row in recorded()]
    assert sorted(results) == [("clinic.gone", False), ("clinic.patient", True), ("clinic.patient", True)]


@pytest.mark.usefixtures("patients")
def test_a_backfill_needs_both_its_days() -> None:
    result = CliRunner().invoke(app, ["ingest", "clinic", "--from", "2026-01-01"])
    assert result.exit_code == 2
    assert "--to" in result.output
