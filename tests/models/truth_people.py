"""Who is who: the truth's people and the keys of the warehouse."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from huiliu.database import connect


def ids_of_keys(home: Path) -> dict[str, int]:
    """The truth's person id of each person key of a number."""
    people = pd.read_parquet(home / "truth" / "person.parquet", columns=["person_id", "pid"])
    with connect("warehouse") as connection:
        keys = connection.execute(
            "select vault.identifier_key(pid)::text"
            " from unnest(%s::text[]) with ordinality as it (pid, place) order by place",
            [people.pid.to_list()],
        ).fetchall()
    return dict(zip((key for (key,) in keys), people.person_id, strict=True))
