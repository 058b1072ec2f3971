"""Sources that answer later, or never: collect the answers to earlier questions, then ask the open ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from huiliu.database import connect
from huiliu.errors import ConfigError
from ingestion.containers.exchange import ExchangeContainer, HttpPost
from ingestion.exchange.book import Book, Json, SentRequest, late_until
from ingestion.exchange.folders import FolderTransport
from ingestion.exchange.http_post import HttpTransport
from ingestion.exchange.transports import Delivery, RefusedError, Transport
from ingestion.http.rows import RowReader
from ingestion.modes import Append
from ingestion.records import Extracted, Rejects, Wanted
from ingestion.spec import SourceSpec, TableSpec
from ingestion.stage import Stage

WAITING = ("sent", "partly_answered", "overdue")


def extract(
    spec: SourceSpec, container: ExchangeContainer, table: TableSpec, wanted: Wanted, stage: Stage
) -> Extracted:
    """Stage the answers that came, ask again what is overdue, then ask what is open.

    No answer fails nothing and proves nothing: it is counted in the notice. A broken way to the source fails
    the load.
    """
    where = f"{spec.name}.{table.name}"
    _check(where, container, table)
    if wanted.days is not None:
        raise ConfigError(
            f"{where}: a source that answers questions has no days to be read again",
            fix="ask again with questions of new keys in ops.question",
        )
    # Answers and what they change in the ledger land or fail with the load, in its transaction. That a
    # request goes out must be known even if the load fails afterwards: that has a connection, and commits, of
    # its own. The two never change the same request in one load: they would wait for each other for ever.
    with connect("warehouse:ingest", autocommit=True) as conn, _transport(where, container, table) as way:
        conn.execute("set lock_timeout = '30s'")
        desk = _Desk(
            container,
            way,
            Book(conn, spec.name, table.name),
            Book(stage.conn, spec.name, table.name),
            stage,
            Rejects(where),
        )
        answers = _Answers(where, table, container.question_column)
        desk.finish_sending()
        desk.collect(answers, desk.expected())
        desk.collect(answers, desk.ask())
        counts = desk.landing.counts()
    answers.rejects.check_share(table, answers.rows)
    return Extracted(
        answers.rows,
        complete=False,
        rejected=(*answers.rejects.kept, *desk.aside.kept),
        notices=[*_notices(counts), *desk.notices()],
    )


def probe(spec: SourceSpec, container: ExchangeContainer, table: TableSpec) -> str:
    """Reach the source without asking it anything."""
    where = f"{spec.name}.{table.name}"
    _check(where, container, table)
    with _transport(where, container, table) as way:
        way.reach()
    with connect("warehouse:ingest") as conn:
        counts = Book(conn, spec.name, table.name).counts()
    return ", ".join(_notices(counts)) or "no question is waiting"


def _check(where: str, container: ExchangeContainer, table: TableSpec) -> None:
    faults = []
    if not isinstance(table.mode, Append):
        faults.append("mode: {type: append}, as an answer takes nothing back")
    if not table.may_be_empty:
        faults.append("may_be_empty: true, as the first load can only ask")
    if container.question_column not in table.column_names:
        faults.append(f"the column {container.question_column}, in which an answer names its question")
    way, one_row = container.transport, list(table.key) == [container.question_column]
    if not (one_row or way.complete_field or way.always_complete):
        faults.append(
            f"key: [{container.question_column}], or in transport what says that all rows of a question came:"
            " complete_field, or always_complete: true if the source promises it"
        )
    if faults:
        raise ConfigError(
            f"{where}: a table of answers needs {'; and '.join(faults)}", fix="write it in the spec"
        )


def _transport(where: str, container: ExchangeContainer, table: TableSpec) -> Transport:
    if isinstance(container.transport, HttpPost):
        return HttpTransport(where, container.transport, table.relation)
    return FolderTransport(where, container.transport, table.relation)


def _notices(counts: dict[str, int]) -> list[str]:
    shown = {"open": "not asked yet", "pending": "pending", "overdue": "overdue"}
    shown |= {"given_up": "given up", "refused": "refused by the source"}
    parts = [f"{counts[status]} {text}" for status, text in shown.items() if counts.get(status)]
    return [f"questions without an answer: {', '.join(parts)}"] if parts else []


class _Answers(RowReader):
    """Takes the rows of answers; each must name a question of its request."""

    def __init__(self, where: str, table: TableSpec, question_column: str) -> None:
        super().__init__(where, table)
        # Answers have no first page: what lacks a field is a bad row, not a changed table.
        self.seen = dict.fromkeys(self.names)
        self.place = table.column_names.index(question_column)
        self.questions: Collection[str] = ()
        self.answered: set[str] = set()

    def texts(self, row: Json) -> tuple[list[str | None], dict[str, str | None]]:
        values, extra = super().texts(row)
        question = values[self.place]
        if question is None or question not in self.questions:
            raise ValueError("it names no question of its request")
        self.answered.add(question)
        return values, extra


@dataclass
class _Desk:
    """One load of one table: `book` commits at once, `landing` with the load."""

    container: ExchangeContainer
    way: Transport
    book: Book
    landing: Book
    stage: Stage
    aside: Rejects  # answers that are none: no share of bad rows, or one stray file would stop all others
    faults: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)  # requests the load's transaction has changed
    lost: set[str] = field(default_factory=set)

    @property
    def day(self) -> date:
        return self.stage.batch.business_date

    def notices(self) -> list[str]:
        aside, faults = len(self.aside.kept), self.faults
        parts = [f"{aside} answers could not be read and were set aside"] if aside else []
        return parts + (
            [f"{len(faults)} answers could not be fetched; the first: {faults[0]}"] if faults else []
        )

    def finish_sending(self) -> None:
        """Send what an earlier load wrote down but perhaps did not send, before any answer changes it."""
        prepared = self.book.requests("prepared")
        self.way.forget(self.book.is_taken, {request.key for request in prepared})
        for request in prepared:
            self._send(request)

    def expected(self) -> list[SentRequest]:
        """Return the requests that may still be answered."""
        late = late_until(self.day, self.container.accept_late_days)
        return self.book.requests(*WAITING) + self.book.requests("given_up", due_from=late)

    def collect(self, answers: _Answers, expected: Sequence[SentRequest]) -> None:
        for delivery in self.way.answers(expected):
            if delivery.fate == "fault":
                self.faults.append(delivery.reason)
            elif delivery.fate == "lost":
                self.lost.add(str(delivery.request_id))
            elif delivery.fate == "refused":
                self.touched.add(str(delivery.request_id))
                self.landing.close([str(delivery.request_id)], "refused")
            elif not self.landing.is_taken(delivery.name, delivery.checksum):
                self._take(delivery, answers)

    def _take(self, delivery: Delivery, answers: _Answers) -> None:
        request = self.landing.find(delivery.request_id)
        name = f"answer {delivery.name}"
        if delivery.fate == "garbage" or request is None:
            reason = delivery.reason or "the answer names no request of this table"
            self.aside.add(name, delivery.text, reason)
        else:
            answers.questions, answers.answered = self.landing.questions(request), set()
            with self.stage.rows() as sink:
                answers.take(delivery.rows, name, self.stage, sink)
            self.touched.add(request.request_id)
            whole = sorted(answers.answered) if delivery.complete else []
            self.landing.answered(request, whole, self.day)
        known = request.request_id if request else None
        self.landing.take(delivery.name, delivery.checksum, known, len(delivery.rows), self.day)

    def ask(self) -> list[SentRequest]:
        """Ask again what is overdue, give up what was asked often enough, ask the open questions."""
        given_up = []
        for request in self.book.requests(*WAITING):
            overdue = request.due_on is not None and request.due_on < self.day
            # A request that was just answered in part is alive: its rest is for a later load.
            if request.request_id in self.touched or not (overdue or request.request_id in self.lost):
                continue
            if request.attempts > self.container.ask_again:
                given_up.append(request.request_id)
            else:
                with self.book.conn.transaction():
                    again = self.book.prepare_again(request)
                    self.way.prepare(again.key, self._content(again))
                self._send(again)
        sent = self._ask_open()
        self.landing.close(given_up, "given_up")
        return [request for request in self.book.requests(*WAITING) if request.request_id in sent]

    def _ask_open(self) -> set[str]:
        sent: set[str] = set()
        while True:
            with self.book.conn.transaction():
                request = self.book.prepare_new(self.container.max_questions_per_request)
                if request is None:
                    return sent
                self.way.prepare(request.key, self._content(request))
            self._send(request)
            sent.add(request.request_id)

    def _content(self, request: SentRequest) -> dict[str, Json]:
        questions = [
            {"question_key": key, **_members(payload)} for key, payload in self.book.unanswered(request)
        ]
        return {"request_id": request.key, "questions": questions}

    def _send(self, request: SentRequest) -> None:
        try:
            reference = self.way.send(request.key, self._content(request))
        except RefusedError:
            self.book.close([request.request_id], "refused")
            return
        self.book.sent(request, reference, self.day + timedelta(days=self.container.answer_within_days))


def _members(payload: Json) -> dict[str, Json]:
    return dict(payload) if isinstance(payload, dict) else {"payload": payload}
