"""One scan of a relation for all its checks: the rows each tests and fails, by region, and which they are.

A row's verdicts are the bits of a number. Grouped by region and verdicts, rows in order become a handful of
groups and each row with a fault stays by itself: counts and failing rows, in one temporary table. What a
check counts beside the rows (loads, rows that are missing) is put beside them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from huiliu.database import Connection
from soda_checks.conditions import Condition, Relation, condition, counted_groups
from soda_checks.contract import BoundCheck, Contract
from soda_checks.relations import SESSION, columns_of, rows_of
from soda_checks.soda import explained

_PER_NUMBER = 31
_TESTED, _FAILED = 1, 2
_ROWS_MET = sql.SQL("coalesce(sum(row_count) filter (where counted_by is null), 0)::bigint")
# Work of a hash is bounded by this many times the server's work_mem: keys that a query finds are held once.
# The planner takes what a rule asks of a row for rare: a nested loop would compare all rows with all.
_PLANNING = "set local hash_mem_multiplier = 8; set local enable_nestloop = off"


@dataclass(frozen=True)
class Count:
    """Rows a check tested, and those of them that fail it."""

    tested: int
    failed: int

    def __add__(self, other: Count) -> Count:
        return Count(self.tested + other.tested, self.failed + other.failed)


@dataclass(frozen=True)
class Attempt:
    """A check as it is tried on a row: its place in the contract, and the column at fault, if it has one."""

    place: int
    bound: BoundCheck
    rule: Condition
    shown: str | None
    groups: sql.Composed | None = None

    @property
    def verdict(self) -> sql.Composed:
        """SQL of the row's bits for this check, each of its conditions asked once."""
        return self._bits(self.rule.tested, self.rule.wrong)

    @property
    def group_verdict(self) -> sql.Composed:
        """SQL of the bits of a group that this check counted."""
        return self._bits(sql.SQL("true"), sql.SQL("met.failed"))

    def _bits(self, tested: sql.Composable, wrong: sql.Composable) -> sql.Composed:
        return sql.SQL("case when not {tested} then 0 when {wrong} then {both} else {one} end").format(
            tested=tested,
            wrong=wrong,
            both=sql.Literal((_TESTED | _FAILED) << self._shift),
            one=sql.Literal(_TESTED << self._shift),
        )

    @property
    def number(self) -> int:
        """Which of a row's numbers holds the bits."""
        return self.place // _PER_NUMBER

    @property
    def was_tested(self) -> sql.Composed:
        """SQL over a judged row."""
        return self._has(_TESTED)

    @property
    def has_failed(self) -> sql.Composed:
        """SQL over a judged row."""
        return self._has(_FAILED)

    @property
    def _shift(self) -> int:
        return 2 * (self.place % _PER_NUMBER)

    def _has(self, bit: int) -> sql.Composed:
        return sql.SQL("{} & {} <> 0").format(_verdicts(self.number), sql.Literal(bit << self._shift))


@dataclass(frozen=True)
class Judged:
    """What a scan found: counts by a check's place, also by region, and why others could not be evaluated.

    `table`: the session's temporary table of failing rows, or None. It holds until the next `verify`. Those
    that are not the relation's own have the batch they came in.
    """

    rows: int = 0
    counts: Mapping[int, Count] = field(default_factory=dict)
    regions: Mapping[str, Mapping[int, Count]] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)
    attempts: Sequence[Attempt] = ()
    table: str | None = None


def row_key(contract: Contract) -> sql.Composed:
    """SQL of a row's opaque name: a staging row key or another uuid as it is, anything else hashed."""
    names = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in contract.huiliu.key]
    if contract.huiliu.key == ["_row_key"]:
        return sql.SQL("{}").format(names[0])
    return sql.SQL("md5(concat_ws('|', {}))").format(sql.SQL(", ").join(names))


def judge(connection: Connection, contract: Contract, relation: Relation, table: str) -> Judged:
    """Evaluate every check of a contract on a relation in one scan, into the temporary table `table`.

    A check whose column is missing or whose SQL is wrong gets a reason; the others are evaluated anyway.
    """
    held = columns_of(connection, relation)
    places = range(len(list(contract.bound())))
    if not held:
        return Judged(reasons=dict.fromkeys(places, f"没有关系 {relation.schema}.{relation.name}"))
    meta = contract.huiliu
    missing = [name for name in (*meta.key, meta.region) if name and name not in held]
    if missing:
        reason = f"缺少列：{'、'.join(missing)}"
        return Judged(_row_count(connection, relation), reasons=dict.fromkeys(places, reason))
    return _Scan(connection, contract, relation, held, table).judged()


def _row_count(connection: Connection, relation: Relation) -> int:
    (rows,) = connection.execute(
        sql.SQL("select count(*) from {}").format(relation.identifier)
    ).fetchone() or (0,)
    return int(rows)


@dataclass(frozen=True)
class _Scan:
    """One relation on its way to being judged."""

    connection: Connection
    contract: Contract
    relation: Relation
    held: Sequence[str]
    table: str

    @property
    def _region(self) -> list[str]:
        """The region column, if rows have one."""
        return [name for name in self.held if name == self.contract.huiliu.region]

    def judged(self) -> Judged:
        rows = rows_of(self.connection, self.contract, self.relation, self.held)
        # Whatever a rule reads: one over the source's text would still find it where the column is gone.
        reasons = {
            place: f"缺少列：{bound.column}"
            for place, bound in enumerate(self.contract.bound())
            if bound.column and bound.column not in self.held
        }
        attempts = [
            self._attempt(place, bound, rows.columns)
            for place, bound in enumerate(self.contract.bound())
            if place not in reasons
        ]
        try:
            self._write(rows.query, attempts)
        except psycopg.Error as error:
            reraise_if_passing(error)
            reasons |= self._reasons(rows.query, attempts)
            attempts = [attempt for attempt in attempts if attempt.place not in reasons]
            self._write(rows.query, attempts)
        return self._counted(attempts, reasons)

    def _attempt(self, place: int, bound: BoundCheck, columns: Sequence[str]) -> Attempt:
        rule = condition(self.contract, bound, self.relation)
        groups = counted_groups(bound.check, self.relation)
        if groups is not None:
            return Attempt(place, bound, rule, f"said by check {place}", groups)
        # The value at fault as the source sent it, if the rule reads that.
        as_sent = f"{bound.column}_raw"
        shown = as_sent if as_sent in rule.failed.as_string() else bound.column
        return Attempt(place, bound, rule, shown if shown in columns else None)

    def _write(self, rows: sql.Composable, attempts: Sequence[Attempt]) -> None:
        shown = shown_columns(attempts)
        numbers = sorted({attempt.number for attempt in attempts}) or [0]
        of_rows = [attempt for attempt in attempts if attempt.groups is None]
        values = shown_columns(of_rows)
        read = sorted({*self.contract.huiliu.key, *values, *self._region})
        verdicts = [
            sql.SQL("{} as {}").format(
                sql.SQL(" | ").join(
                    [sql.SQL("0::bigint"), *(it.verdict for it in of_rows if it.number == number)]
                ),
                _verdicts(number),
            )
            for number in numbers
        ]
        statement = sql.SQL(
            """
            create temporary table {table} as
            select {region}::text as region, {numbers},
                case when {fails} then {row_key} end as row_key,
                case when {fails} then array[{shown}]::text[] end as shown,
                count(*) as row_count, null::text as counted_by, null::bigint as batch_id
            from (select {read}, {verdicts} from {rows} offset 0) as tried
            group by {groups}
            """
        ).format(
            table=sql.Identifier(self.table),
            region=sql.Identifier(*self._region) if self._region else sql.SQL("null"),
            numbers=sql.SQL(", ").join(map(_verdicts, numbers)),
            fails=sql.SQL(" or ").join([sql.SQL("false"), *(it.has_failed for it in of_rows)]),
            row_key=row_key(self.contract),
            shown=sql.SQL(", ").join(
                sql.SQL("{}::text").format(sql.Identifier(name)) if name in values else sql.SQL("null")
                for name in shown
            ),
            read=sql.SQL(", ").join(map(sql.Identifier, read)),
            verdicts=sql.SQL(", ").join(verdicts),
            rows=rows,
            groups=sql.SQL(", ").join(map(sql.Literal, range(1, len(numbers) + 4))),
        )
        with self.connection.transaction():
            self.connection.execute(_PLANNING)
            self.connection.execute(statement)
            for attempt in attempts:
                if attempt.groups is not None:
                    self.connection.execute(self._beside(attempt, attempt.groups, numbers, shown))

    def _beside(
        self, attempt: Attempt, groups: sql.Composed, numbers: Sequence[int], shown: Sequence[str]
    ) -> sql.Composed:
        """Put what a check counted beside the rows."""
        zero, none = sql.SQL("0::bigint"), sql.SQL("null")
        return sql.SQL(
            "insert into {table} ({numbers}, row_key, shown, row_count, counted_by, batch_id)"
            " select {verdicts}, row_key, array[{shown}]::text[], row_count, {rule}, batch_id from {groups}"
        ).format(
            table=sql.Identifier(SESSION, self.table),
            numbers=sql.SQL(", ").join(map(_verdicts, numbers)),
            verdicts=sql.SQL(", ").join(
                attempt.group_verdict if number == attempt.number else zero for number in numbers
            ),
            rule=sql.Literal(attempt.bound.check.attributes.rule_id),
            shown=sql.SQL(", ").join(sql.SQL("shown") if it == attempt.shown else none for it in shown),
            groups=groups,
        )

    def _reasons(self, rows: sql.Composable, attempts: Iterable[Attempt]) -> dict[int, str]:
        """Why which of the checks cannot be evaluated, each tried by itself."""
        reasons: dict[int, str] = {}
        for attempt in attempts:
            query = sql.SQL("select count(*) filter (where {}), count(*) filter (where {}) from {}").format(
                attempt.rule.tested, attempt.rule.failed, attempt.groups or rows
            )
            try:
                with self.connection.transaction():
                    self.connection.execute(query)
            except psycopg.Error as error:
                reraise_if_passing(error)
                reasons[attempt.place] = f"SQL 有误：{explained(error, query.as_string())}"
        return reasons

    def _counted(self, attempts: Sequence[Attempt], reasons: Mapping[int, str]) -> Judged:
        counts = [
            sql.SQL("coalesce(sum(row_count) filter (where {}), 0)::bigint").format(bit)
            for attempt in attempts
            for bit in (attempt.was_tested, attempt.has_failed)
        ]
        found = self.connection.execute(
            sql.SQL("select region, {} from {} group by region").format(
                sql.SQL(", ").join([_ROWS_MET, *counts]),
                sql.Identifier(SESSION, self.table),
            )
        ).fetchall()
        totals = {attempt.place: Count(0, 0) for attempt in attempts}
        regions: dict[str, Mapping[int, Count]] = {}
        for region, _, *numbers in found:
            here = {it.place: Count(*numbers[2 * at : 2 * at + 2]) for at, it in enumerate(attempts)}
            totals = {place: totals[place] + counted for place, counted in here.items()}
            if region is not None:
                regions[region] = here
        rows = sum(group[1] for group in found)
        return Judged(rows, totals, regions, reasons, attempts, self.table)


def shown_columns(attempts: Iterable[Attempt]) -> list[str]:
    """The columns whose values a judged row shows, in order."""
    return sorted({attempt.shown for attempt in attempts if attempt.shown})


def _verdicts(number: int) -> sql.Identifier:
    return sql.Identifier(f"_verdicts_{number}")


def reraise_if_passing(error: psycopg.Error) -> None:
    """A lost server, a full disk or a cancelled query is no fault of a rule; what exceeds a limit is."""
    if isinstance(error, psycopg.OperationalError) and not (error.sqlstate or "").startswith("54"):
        raise error
