"""The ledger of questions and requests: what was asked of a table's source, and what became of it.

A request is written down before it is sent, and again when it was: whatever is killed in between, the next
load finds it `prepared` and sends it once more under the same key, which the other side takes only once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from huiliu.database import Connection

Json = object


@dataclass(frozen=True)
class SentRequest:
    """A request as the ledger has it. `key` is that of its latest attempt."""

    request_id: str
    status: str
    attempts: int
    due_on: date | None
    refs: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.request_id}-{self.attempts}"


@dataclass(frozen=True)
class Book:
    """The ledger of one table, through one connection."""

    conn: Connection
    source: str
    table: str

    def requests(self, *statuses: str, due_from: date | None = None) -> list[SentRequest]:
        """Return the requests of these statuses, oldest first, if so said only those due from a day on."""
        rows = self.conn.execute(
            "select request_id::text, status, attempts, due_on, refs from ops.exchange_request"
            " where source = %s and table_name = %s and status = any(%s)"
            " and (%s::date is null or due_on >= %s) order by sent_at nulls last, request_id",
            [self.source, self.table, list(statuses), due_from, due_from],
        ).fetchall()
        return list(map(_request, rows))

    def find(self, request_id: str | None) -> SentRequest | None:
        """Return a request of this table; None if there is none of this id."""
        rows = self.conn.execute(
            "select request_id::text, status, attempts, due_on, refs from ops.exchange_request"
            " where source = %s and table_name = %s and request_id = %s::uuid",
            [self.source, self.table, request_id],
        ).fetchall()
        return next(map(_request, rows), None)

    def unanswered(self, request: SentRequest) -> list[tuple[str, Json]]:
        """Return the (key, payload) of a request's questions that have no answer yet, in order."""
        return self.conn.execute(
            "select question_key, payload from ops.question where request_id = %s and answered_on is null"
            " order by question_key",
            [request.request_id],
        ).fetchall()

    def questions(self, request: SentRequest) -> set[str]:
        rows = self.conn.execute(
            "select question_key from ops.question where request_id = %s", [request.request_id]
        )
        return {key for (key,) in rows}

    # Sending -----------------------------------------------------------------------------------------------

    def prepare_new(self, most: int) -> SentRequest | None:
        """Write down a request of the open questions, the most urgent first; None if there is none."""
        keys = self.conn.execute(
            "select question_key from ops.question where source = %s and table_name = %s"
            " and request_id is null order by wanted_by nulls last, asked_on, question_key limit %s",
            [self.source, self.table, most],
        ).fetchall()
        if not keys:
            return None
        row = self.conn.execute(
            "insert into ops.exchange_request (source, table_name, questions) values (%s, %s, %s)"
            " returning request_id::text, status, attempts, due_on, refs",
            [self.source, self.table, len(keys)],
        ).fetchone()
        if row is None:
            raise AssertionError("an insert returns its row")
        self.conn.execute(
            "update ops.question set request_id = %s where source = %s and table_name = %s"
            " and question_key = any(%s)",
            [row[0], self.source, self.table, [key for (key,) in keys]],
        )
        return _request(row)

    def prepare_again(self, request: SentRequest) -> SentRequest:
        """Write down another attempt at a request."""
        self.conn.execute(
            "update ops.exchange_request set status = 'prepared', attempts = attempts + 1"
            " where request_id = %s",
            [request.request_id],
        )
        return SentRequest(request.request_id, "prepared", request.attempts + 1, request.due_on, request.refs)

    def sent(self, request: SentRequest, reference: str, due_on: date) -> None:
        """Write down that an attempt reached the source."""
        self.conn.execute(
            "update ops.exchange_request set status = case attempts when 1 then 'sent' else 'overdue' end,"
            " sent_at = clock_timestamp(), due_on = %s, refs = array_append(array_remove(refs, %s), %s)"
            " where request_id = %s",
            [due_on, reference, reference, request.request_id],
        )

    def close(self, requests: Collection[str], status: str) -> None:
        """Write down that requests are `given_up` or `refused`."""
        self.conn.execute(
            "update ops.exchange_request set status = %s where request_id = any(%s::uuid[])",
            [status, list(requests)],
        )

    # Answers -----------------------------------------------------------------------------------------------

    def is_taken(self, name: str, checksum: str) -> bool:
        """Say whether an answer was taken before."""
        row = self.conn.execute(
            "select from ops.exchange_answer where source = %s and table_name = %s and name = %s"
            " and checksum = %s",
            [self.source, self.table, name, checksum],
        ).fetchone()
        return row is not None

    def take(self, name: str, checksum: str, request_id: str | None, rows: int, day: date) -> None:
        self.conn.execute(
            "insert into ops.exchange_answer (source, table_name, name, checksum, request_id, rows_read,"
            " taken_on) values (%s, %s, %s, %s, %s, %s, %s)",
            [self.source, self.table, name, checksum, request_id, rows, day],
        )

    def answered(self, request: SentRequest, keys: Sequence[str], day: date) -> None:
        """Write down the questions that have an answer now, and how far that brings their request."""
        self.conn.execute(
            "update ops.question set answered_on = %s where request_id = %s and question_key = any(%s)"
            " and answered_on is null",
            [day, request.request_id, keys],
        )
        self.conn.execute(
            "update ops.exchange_request r set answers = n.answers, status = case"
            " when n.answers = r.questions then 'answered'"
            " when r.status = 'sent' and n.answers > 0 then 'partly_answered' else r.status end"
            " from (select count(answered_on) as answers from ops.question where request_id = %s) n"
            " where request_id = %s",
            [request.request_id, request.request_id],
        )

    def counts(self) -> dict[str, int]:
        """Count the questions of each status."""
        rows = self.conn.execute(
            "select status, questions from ops.question_count where source = %s and table_name = %s",
            [self.source, self.table],
        )
        return dict(rows.fetchall())


def _request(row: Sequence[Any]) -> SentRequest:
    request_id, status, attempts, due_on, refs = row
    return SentRequest(request_id, status, attempts, due_on, tuple(refs))


def late_until(day: date, days: int) -> date:
    """The day from which on a request must have been due for its answer to be still waited for."""
    return day - timedelta(days=days)
