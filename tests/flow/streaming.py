"""Changes between two days, brought by micro-batches: what the five-day test does to its city at noon."""

from __future__ import annotations

from dataclasses import dataclass

from huiliu.database import connect
from huiliu.stream import Stream
from ingestion.freshness import MicroBatch

RENAMED = "测文祥"


@dataclass
class Noon:
    """A city's stream, and whom it knows by name."""

    stream: Stream
    pids: list[str]

    def micro_batch(self) -> MicroBatch | None:
        """Look at once, whatever the pace."""
        self.stream.rest.due_at = 0
        for source in self.stream.sources:
            source.retry.due_at = 0
        return self.stream.micro_batch()


def begin(but_not: set[str]) -> Noon:
    """Begin a stream, and choose people of the roster with one row at the police."""
    with connect("warehouse") as conn:
        rows = conn.execute(
            "select person.pid from return.return_resident_roster"
            " inner join base.base_population__person as person using (person_key)"
            " where person.pid <> all(%s) order by person.pid limit 20",
            [list(but_not)],
        ).fetchall()
    with connect("source_owner:police") as source:
        once = source.execute(
            "select pid from resident where pid = any(%s)"
            " group by pid having count(*) = 1 order by pid limit 2",
            [[row[0] for row in rows]],
        ).fetchall()
    return Noon(Stream(lambda _: None), [str(row[0]) for row in once])


def rename(pid: str, name: str) -> None:
    """Change a name at the police, as of a minute after the last change."""
    with connect("source_owner:police") as source:
        source.execute(
            "update resident set name = %s, updated_at = (select max(updated_at) + interval '1 minute'"
            " from resident) where pid = %s",
            [name, pid],
        )


def name_on_roster(pid: str) -> str | None:
    """What the roster calls a person."""
    with connect("warehouse") as conn:
        row = conn.execute(
            "select roster.name from return.return_resident_roster as roster"
            " inner join base.base_population__person as person using (person_key) where person.pid = %s",
            [pid],
        ).fetchone()
    return None if row is None else str(row[0])


def models_of_last_build() -> dict[str, str]:
    """What each model of the last build came to."""
    with connect("warehouse") as conn:
        rows = conn.execute(
            "select model, status from ops.model_run where build_id = (select max(build_id) from ops.build)"
        ).fetchall()
    return dict(rows)


def waiting() -> int:
    """Changes that the stream loaded and nobody received yet."""
    with connect("warehouse") as conn:
        return len(conn.execute("select from ops.freshness where usable_at is null").fetchall())


def two_people_are_renamed_at_noon(but_not: set[str]) -> None:
    """Micro-batches build only what leads to the streamed packages; a model that fails there catches up."""
    noon = begin(but_not)
    first, second = noon.pids
    noon.micro_batch()
    assert noon.micro_batch() is None, "nothing changed"
    rename(first, RENAMED)
    done = noon.micro_batch()
    assert done is not None
    assert (done.rows_changed, done.faults, done.tables) == (1, [], ["police.resident"])
    assert name_on_roster(first) == RENAMED
    assert 5 < len(models_of_last_build()) < 20

    with connect("warehouse") as warehouse:
        warehouse.execute(
            "alter table base.base_population__person"
            " add constraint broken check (name <> '测文祥') not valid"
        )
    rename(second, RENAMED)
    done = noon.micro_batch()
    assert done is not None
    assert [fault for fault in done.faults if "base_population__person" in fault]
    assert waiting() == 1
    with connect("warehouse") as warehouse:
        warehouse.execute("alter table base.base_population__person drop constraint broken")
    assert noon.micro_batch() is not None, "what failed is done again though nothing changed"
    assert name_on_roster(second) == RENAMED
    assert waiting() == 0
