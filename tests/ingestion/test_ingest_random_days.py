"""Random days of inserts, updates, deletes, late and repeated rows: raw always equals the source."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from clinic import PATIENT, POSTGRES, SNAPSHOT, WATERMARK, Raw, source, table

from ingestion.run import ingest_source

Write = Callable[..., Path]
Clinic = psycopg.Connection[Any]
DAYS = 8


def a_day(clinic: Clinic, chance: random.Random, day: int) -> None:
    now = datetime.fromisoformat("2026-01-05") + timedelta(days=day)
    ids = [row[0] for row in clinic.execute("select id from patient order by id").fetchall()]
    for changed in chance.sample(ids, 5):
        clinic.execute(
            "update patient set name = %s, updated_at = %s where id = %s",
            [chance.choice("abc"), now, changed],
        )
    for gone in chance.sample(ids, chance.randint(0, 3)):
        clinic.execute("delete from patient where id = %s", [gone])
    for n in range(chance.randint(0, 4)):
        late = now - timedelta(days=chance.choice([0, 0, 1, 5, 30]))
        clinic.execute(
            "insert into patient values (%s, %s, null, %s)", [1000 + 10 * day + n, chance.choice("ab"), late]
        )


@pytest.mark.parametrize("mode", [SNAPSHOT, WATERMARK])
@pytest.mark.parametrize("seed", [1, 2])
def test_keyed_tables_follow_the_source(
    specs: Write, clinic: Clinic, raw: Raw, mode: dict[str, Any], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    specs(source(POSTGRES, table("patient", PATIENT, key=["id"], mode=mode, max_delete_share=0.5)))
    for day in range(DAYS):
        ingest_source("clinic")
        columns = "id::text, name, born::text, updated_at::text"
        expected = clinic.execute(f"select {columns} from patient order by 1").fetchall()  # noqa: S608 - column names of this file
        assert sorted(raw.current("clinic__patient", PATIENT), key=str) == sorted(expected, key=str)
        a_day(clinic, chance, day)
    ingest_source("clinic")
    assert raw.state_agrees("clinic__patient")


@pytest.mark.parametrize("key", [[], ["name"]])
@pytest.mark.parametrize("seed", [1, 2])
def test_repeated_rows_are_neither_lost_nor_doubled(
    specs: Write, clinic: Clinic, raw: Raw, key: list[str], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    clinic.execute("create table visit (name text, kind text)")
    specs(source(POSTGRES, table("visit", "name kind", key=key, max_delete_share=1.0)))
    for _ in range(DAYS):
        clinic.execute("delete from visit where random() < 0.3")
        for _ in range(chance.randint(1, 12)):
            clinic.execute(
                "insert into visit values (%s, %s)", [chance.choice("ab"), chance.choice(["x", "", None])]
            )
        ingest_source("clinic")
        expected = clinic.execute("select name, kind from visit order by name, kind").fetchall()
        assert raw.current("clinic__visit", "name kind") == expected
    ingest_source("clinic")
    assert raw.runs()[-1] == ("visit", "landed", 0, 0, 0)
    assert raw.state_agrees("clinic__visit")
