"""A small city over three front-end databases, with return models filled by hand: no build needed."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

import psycopg
from psycopg import sql

from huiliu.database import connect
from huiliu.regions import front_code, front_schema
from returnflow.run import ReturnResult, deliver_all
from returnflow.spec import Package, load_packages

# Two townships of one district, one of another, one of a third.
A, B, C, D = "370602001", "370602002", "370611001", "370612001"
TOWNSHIPS = (A, B, C, D)
DISTRICTS = ("370602", "370611", "370612")
ROSTER = "resident_roster"
# Marks the builds of these tests in the ledger.
BUILT_BY = "returnflow tests"


@dataclass
class City:
    """What a test does to the models, and asks of the destinations."""

    conn: psycopg.Connection

    def put(self, person: int, township: str, name: str = "王小明", **values: object) -> None:
        """Make a person a resident of a township, leaving wherever they were."""
        self.take(person)
        self.conn.execute(
            'insert into "return".return_resident_roster'
            " (consumer_code, person_key, name, pid_masked, sex, birth_date)"
            " values (%s, %s, %s, %s, '1', %s)",
            [
                township,
                key_of(person),
                name,
                values.get("pid_masked", "370602************"),
                values.get("birth_date", "1960-05-01"),
            ],
        )
        self.conn.commit()

    def fill(self, township: str, first: int, count: int) -> None:
        """Make persons first … first + count - 1 residents of a township."""
        self.conn.execute(
            'insert into "return".return_resident_roster'
            " (consumer_code, person_key, name, pid_masked, birth_date)"
            " select %s, md5(n::text)::uuid, '居民' || n, '370602************', date '1950-01-01' + n"
            " from generate_series(%s::int, %s::int) as n",
            [township, first, first + count - 1],
        )
        self.conn.commit()

    def take(self, person: int) -> None:
        """Let a person vanish from the model."""
        self.conn.execute(
            'delete from "return".return_resident_roster where person_key = %s', [key_of(person)]
        )
        self.conn.commit()

    def verdict(self, person: int, codes: tuple[str, ...], verdict: str = "met") -> None:
        """Make a veteran's verdict go to these consumers."""
        self.conn.execute(
            'delete from "return".return_veteran_subsidy where person_key = %s', [key_of(person)]
        )
        for code in codes:
            self.conn.execute(
                'insert into "return".return_veteran_subsidy (consumer_code, person_key, verdict)'
                " values (%s, %s, %s)",
                [code, key_of(person), verdict],
            )
        self.conn.commit()

    def score(self, value: float, *tables: str) -> None:
        """Let a scoring give these tables (by default all that packages ask for) an overall score."""
        names = tables or ("return.return_resident_roster", "return.return_veteran_subsidy")
        row = self.conn.execute(
            "insert into quality.score_run (stage, business_date, status)"
            " values ('score', '2026-01-15', 'succeeded') returning batch_id"
        ).fetchone()
        assert row is not None
        for name in names:
            self.conn.execute(
                "insert into quality.score values (%s, 'table', %s, 'overall', %s)", [row[0], name, value]
            )
        self.conn.commit()

    def build(
        self, as_of: str, *models: str, status: str = "succeeded", selection: str | None = None
    ) -> None:
        """Let a build of a date end in which these models (by default all that are dated) succeeded."""
        row = self.conn.execute(
            "insert into ops.build (as_of, full_refresh, status, selection, fingerprint, finished_at)"
            " values (%s, false, %s, %s, %s, case when %s <> 'running' then now() end) returning build_id",
            [as_of, status, selection, BUILT_BY, status],
        ).fetchone()
        assert row is not None
        for model in models if models or status != "succeeded" else dated_models():
            self.conn.execute(
                "insert into ops.model_state values (%(model)s, %(build)s, %(as_of)s, %(build)s)"
                " on conflict (model) do update set build_id = excluded.build_id, as_of = excluded.as_of",
                {"model": model, "build": row[0], "as_of": as_of},
            )
        self.conn.commit()

    def deliver(self, *packages: str, consumers: list[str] | None = None) -> ReturnResult:
        """Run the return flow."""
        return deliver_all(list(packages) or [ROSTER], consumers)

    def rows(self, query: str, *params: object) -> list[tuple[object, ...]]:
        """Ask the warehouse."""
        rows = self.conn.execute(query, params).fetchall()  # type: ignore[call-overload]  # SQL put together in this test
        self.conn.commit()
        return list(rows)

    def held(self, code: str, package: str = ROSTER) -> list[tuple[object, ...]]:
        """Ask a destination for all columns and rows of a package, in the order of keys."""
        spec = load_packages()[package]
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns)
        query = sql.SQL("select {} from {} order by 1, 2, 3").format(
            columns, sql.Identifier(front_schema(code), package)
        )
        with connect(f"front_writer:{front_code(code)}") as conn:
            return conn.execute(query).fetchall()

    def meant(self, code: str, package: str = ROSTER) -> list[tuple[object, ...]]:
        """Ask the model for the same."""
        spec = load_packages()[package]
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns)
        query = sql.SQL("select {} from {} where consumer_code = %s order by 1, 2, 3").format(
            columns, sql.Identifier("return", spec.model)
        )
        rows = self.conn.execute(query, [code]).fetchall()
        self.conn.commit()
        return rows

    def persons(self, code: str) -> set[object]:
        """Ask a destination for the persons on its roster."""
        return {row[0] for row in self.held(code)}

    def notices(self, code: str) -> list[tuple[object, ...]]:
        """Ask a destination for its own record: package, rows, notice."""
        query = sql.SQL("select package, rows, notice from {} order by batch_id, package").format(
            sql.Identifier(front_schema(code), "_delivery")
        )
        with connect(f"front:{code}") as conn:
            return conn.execute(query).fetchall()

    def assert_delivered(self, *packages: str) -> None:
        """Check that every destination holds exactly what the model means it to, and that receipts say so."""
        for package in packages or (ROSTER,):
            codes = TOWNSHIPS if package == ROSTER else TOWNSHIPS + DISTRICTS
            for code in codes:
                assert self.held(code, package) == self.meant(code, package), code
        wrong = self.rows(
            """
            select package, consumer_code, status, error
            from ops.delivery left join ops.receipt using (delivery_id)
            where batch_id = (select max(batch_id) from ops.delivery)
                and (status, matches, destination_rows, destination_checksum)
                    is distinct from ('delivered', true, rows_total, checksum)
            """
        )
        assert wrong == []

    def moves(self) -> list[tuple[object, ...]]:
        """Return the logged pairs: from, to, deleted?, inserted?, outcome."""
        return self.rows(
            "select from_code, to_code, deleted_at is not null, inserted_at is not null, outcome"
            " from ops.region_move order by move_id"
        )


def key_of(person: int) -> object:
    """Return the person key that the database computes as md5(n::text)::uuid."""
    return uuid.UUID(hashlib.md5(str(person).encode(), usedforsecurity=False).hexdigest())


def dated_models() -> list[str]:
    """Return the models of the packages that must be of the day."""
    return [package.model for package in load_packages().values() if package.dated]


def make_models(conn: psycopg.Connection, packages: dict[str, Package]) -> None:
    """Make empty return models with the packages' columns, as the build's role."""
    for package in packages.values():
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(it.name), sql.SQL(it.type)) for it in package.columns
        ]
        model = sql.Identifier("return", package.model)
        conn.execute(
            sql.SQL(
                "drop table if exists {0} cascade; create table {0} (consumer_code text, {1}, _row_hash text)"
            ).format(model, sql.SQL(", ").join(columns))
        )
        conn.execute(sql.SQL("create index on {} (consumer_code)").format(model))
    conn.commit()


def clear_destinations(codes: tuple[str, ...]) -> None:
    """Drop what was delivered to these consumers."""
    for front in sorted({front_code(code) for code in codes}):
        with connect(f"front_writer:{front}") as conn:
            conn.execute("set client_min_messages = warning")
            for code in [it for it in codes if front_code(it) == front]:
                for name in (*load_packages(), "_delivery", "_notice"):
                    conn.execute(
                        sql.SQL("drop table if exists {} cascade").format(
                            sql.Identifier(front_schema(code), name)
                        )
                    )


def clear_ledgers(conn: psycopg.Connection) -> None:
    """Empty the return flow's ledgers and the scores; forget the builds of these tests."""
    conn.execute("delete from ops.build where fingerprint = %s", [BUILT_BY])
    conn.execute(
        "delete from ops.model_state where model = any(%s)", [[it.model for it in load_packages().values()]]
    )
    conn.execute(
        "truncate ops.delivery, ops.receipt, ops.sent_row, ops.region_move, ops.planned_change,"
        " quality.score, quality.score_run restart identity cascade"
    )
    conn.commit()
