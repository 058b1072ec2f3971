"""The staging gate: each landed batch meets its contract before a build may claim it.

A batch that fails a blocking rule, or whose rules cannot be evaluated, is held; later batches of its table
wait behind it. It passes by itself once later landed batches mend its rows, or an operator decides about it
(decisions.py). Running the gate again, also after a kill, ends the same: a decision is written in one
transaction with the results it rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from huiliu import business_date
from huiliu.database import Connection, advisory_lock, connect
from huiliu.errors import ConfigError
from soda_checks import ledger
from soda_checks.conditions import Relation
from soda_checks.contract import USABLE, Contract, load_contracts
from soda_checks.corrections import lifecycle as corrections
from soda_checks.profiles.measure import profile_landed
from soda_checks.relations import batch_relation, unusable_rows
from soda_checks.rules import catalogue, write_catalogue
from soda_checks.scoring import table_scores
from soda_checks.verify import CheckOutcome, TableOutcome, verify

LOCK = "quality"
GATE = "闸门"


@dataclass(frozen=True)
class BatchVerdict:
    """What the gate decided about a batch. `status`: passed, held, or waiting behind a held batch.

    `drift`: in words, what changed all of a sudden; it stops no batch.
    """

    batch_id: int
    source: str
    table_name: str
    status: str
    rows: int
    reason: str | None = None
    drift: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateResult:
    """Every batch the gate looked at in this run, in order of batch id."""

    batches: list[BatchVerdict] = field(default_factory=list)

    @property
    def passed(self) -> list[BatchVerdict]:
        """Batches a build may claim now."""
        return [batch for batch in self.batches if batch.status == "passed"]

    @property
    def held(self) -> list[BatchVerdict]:
        """Batches held, each with its reason."""
        return [batch for batch in self.batches if batch.status == "held"]

    @property
    def waiting(self) -> list[BatchVerdict]:
        """Batches behind a held one."""
        return [batch for batch in self.batches if batch.status == "waiting"]


@dataclass(frozen=True)
class _Batch:
    batch_id: int
    source: str
    table_name: str


def gate_staging(
    contracts: Mapping[str, Contract] | None = None, tables: Collection[tuple[str, str]] | None = None
) -> GateResult:
    """Decide about every landed batch that has not passed, oldest first per table.

    ``tables``: only those of these (source, table), for a micro-batch.

    Raises ConfigError before any work if a contract is wrong or a landed table has none;
    TransientError if another run holds the lock.
    """
    known = load_contracts() if contracts is None else contracts
    with connect("warehouse:score", autocommit=True) as connection, advisory_lock(connection, LOCK):
        pending = [
            it for it in _pending(connection) if tables is None or (it.source, it.table_name) in tables
        ]
        by_table = {
            key: list(batches) for key, batches in groupby(pending, lambda b: (b.source, b.table_name))
        }
        bound = {key: _contract(known, *key) for key in by_table}
        verdicts: list[BatchVerdict] = []
        if pending:
            write_catalogue(connection)
            today = business_date.get(connection)
            for key, batches in by_table.items():
                verdicts.extend(_Table(connection, bound[key], today, batches).decide())
        strike_off(connection)
    return GateResult(sorted(verdicts, key=lambda verdict: verdict.batch_id))


def _pending(connection: Connection) -> list[_Batch]:
    rows = connection.execute(
        """
        select loaded.batch_id, loaded.source, loaded.table_name
        from ops.load_run as loaded
        left join ops.batch_gate as gate using (batch_id)
        where loaded.status = 'landed' and (gate.batch_id is null or gate.status = 'held')
        order by loaded.source, loaded.table_name, loaded.batch_id
        """
    ).fetchall()
    return [_Batch(*row) for row in rows]


def _contract(contracts: Mapping[str, Contract], source: str, table_name: str) -> Contract:
    model = f"staging.stg_{source}__{table_name}"
    if model not in contracts:
        raise ConfigError(
            f"Batches of {source}.{table_name} have landed, but {model} has no contract",
            fix=f"write soda_checks/contracts/staging/{model.removeprefix('staging.')}.yml",
        )
    return contracts[model]


@dataclass
class _Table:
    """The undecided batches of one table."""

    connection: Connection
    contract: Contract
    today: date
    batches: Sequence[_Batch]

    def decide(self) -> Iterator[BatchVerdict]:
        """Pass batches in order until one fails; see whether the later ones mend it; else hold it."""
        for position, batch in enumerate(self.batches):
            relation = self._relation(batch, [])
            (outcome,) = self._verify([relation])
            if outcome.is_ok:
                yield self._write(batch, outcome, _unusable(outcome), "passed", None)
                continue
            pending = self.batches[position:]
            mended = self._mended(pending)
            yield from self._pass_mended(pending, mended) if mended else self._hold(pending, relation)
            return

    def _mended(self, pending: Sequence[_Batch]) -> list[TableOutcome]:
        """What batches come to with each row in its newest version among them; nothing unless all pass."""
        if len(pending) == 1:
            return []
        relations = [self._newest(pending, 0)]
        (first,) = self._verify(relations)
        if not first.is_ok:
            return []
        relations += [self._newest(pending, at) for at in range(1, len(pending))]
        outcomes = self._verify(relations)
        return outcomes if all(outcome.is_ok for outcome in outcomes) else []

    def _pass_mended(
        self, pending: Sequence[_Batch], outcomes: Sequence[TableOutcome]
    ) -> Iterator[BatchVerdict]:
        unusable = unusable_rows(self.connection, self.contract, [batch.batch_id for batch in pending])
        for batch, outcome in zip(pending, outcomes, strict=True):
            own = unusable.get(batch.batch_id, 0)
            yield self._write(batch, outcome, own, "passed", "与后续更正批次合并检验通过")

    def _hold(self, pending: Sequence[_Batch], relation: Relation) -> Iterator[BatchVerdict]:
        batch, behind = pending[0], pending[1:]
        # Its failing rows went when the newest versions were looked at.
        (outcome,) = self._verify([relation])
        yield self._write(batch, outcome, _unusable(outcome), "held", _reason(outcome))
        for waiting in behind:
            yield BatchVerdict(
                waiting.batch_id,
                waiting.source,
                waiting.table_name,
                "waiting",
                0,
                f"排在批次 {batch.batch_id} 之后",
            )

    def _newest(self, pending: Sequence[_Batch], at: int) -> Relation:
        later = [batch.batch_id for batch in pending[at + 1 :]]
        return self._relation(pending[at], later, f"newest_{at}")

    def _relation(self, batch: _Batch, later: Sequence[int], name: str | None = None) -> Relation:
        self.connection.execute(
            """
            insert into ops.batch_under_test (source, table_name, batch_id) values (%s, %s, %s)
            on conflict (source, table_name) do update set batch_id = excluded.batch_id
            """,
            (batch.source, batch.table_name, batch.batch_id),
        )
        contract = at_the_gate(self.contract)
        return batch_relation(self.connection, contract, batch.batch_id, later, self.today, name=name)

    def _verify(self, relations: Sequence[Relation]) -> list[TableOutcome]:
        contract = at_the_gate(self.contract)
        return verify(self.connection, [(contract, relation) for relation in relations])

    def _write(
        self, batch: _Batch, outcome: TableOutcome, unusable: int | None, status: str, reason: str | None
    ) -> BatchVerdict:
        """Write a decision and what it rests on: `outcome`, of the last verification.

        `unusable`: rows of the batch as it was sent that cannot be used; None if that is not known.
        """
        connection = self.connection
        with connection.transaction():
            ledger.begin_run(connection, "staging_gate", self.today, batch.batch_id)
            ledger.note_quarantined(connection, batch.batch_id, self.contract.table_name, unusable)
            ledger.write_results(connection, batch.batch_id, outcome)
            ledger.write_scores(connection, batch.batch_id, table_scores([outcome]))
            ledger.end_run(connection, batch.batch_id, "succeeded")
            decide(connection, batch.batch_id, status, GATE, reason)
            if status == "held":
                corrections.send_back_held(connection, batch.batch_id, outcome)
            connection.execute(
                "delete from ops.batch_under_test where source = %s and table_name = %s",
                (batch.source, batch.table_name),
            )
            drift = profile_landed(connection, batch.batch_id, outcome)
        return BatchVerdict(
            batch.batch_id, batch.source, batch.table_name, status, outcome.rows, reason, tuple(drift)
        )


def at_the_gate(contract: Contract) -> Contract:
    """The contract without the checks that need other tables: a batch meets those once it is merged.

    Nor does it have columns without a check: the gate's role may not read all.
    """
    columns = [
        column.model_copy(update={"checks": checks})
        for column in contract.columns
        if (checks := [check for check in column.checks if check.attributes.gate])
    ]
    checks = [check for check in contract.checks if check.attributes.gate]
    return contract.model_copy(update={"columns": columns, "checks": checks})


def _unusable(outcome: TableOutcome) -> int | None:
    return next((it.failed for it in outcome.checks if it.bound.check.qualifier == USABLE), None)


def _reason(outcome: TableOutcome) -> str:
    return "；".join(_explained(check) for check in outcome.blocking)


def _explained(check: CheckOutcome) -> str:
    rule_id, column = check.attributes.rule_id, check.bound.column
    # Of a table as a whole, only the check's own name says what is wrong.
    what = f"{catalogue().rules[rule_id].title}（{column}）" if column else check.bound.check.name
    if check.outcome == "not_evaluated":
        return f"{rule_id} {what}：无法检验，{check.message}"
    return f"{rule_id} {what}：{check.tested} 行中 {check.failed} 行不合格"


def decide(connection: Connection, batch_id: int, status: str, by: str, reason: str | None) -> None:
    """Write a decision about a batch that has none yet or is held; each is kept in `ops.batch_decision`."""
    connection.execute(
        """
        insert into ops.batch_gate (batch_id, status, decided_by, reason) values (%s, %s, %s, %s)
        on conflict (batch_id) do update
        set status = excluded.status, decided_by = excluded.decided_by, reason = excluded.reason,
            decided_at = clock_timestamp()
        where batch_gate.status = 'held'
        """,
        (batch_id, status, by, reason),
    )


def strike_off(connection: Connection) -> None:
    """Close the demand tasks that accepted batches meet, also those of a gate that was killed before."""
    connection.execute("select ops.strike_off_tasks()")
