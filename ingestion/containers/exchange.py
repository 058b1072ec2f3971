"""Sources that are sent questions and answer later, or never."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ingestion.containers.capabilities import Capabilities, ContainerModel
from ingestion.containers.http import FieldPath, HttpService
from ingestion.strict import Name, Strict


class Answering(Strict):
    """What both ways of answering share.

    Where a question may have several rows, a later answer may bring more of them. So `complete_field` says of
    an answer, by true, that it holds all rows of the questions it names; `always_complete` is the source's
    promise that each one does. Until then their rows land, and the questions stay without an answer.
    """

    rows_field: FieldPath = "rows"
    complete_field: FieldPath | None = None
    always_complete: bool = False


class HttpPost(HttpService, Answering):
    """Requests are posted to a table's `at_source` and answered 202 with a reference. `at_source`/<reference>
    answers 200 with rows, 202 or 404 while there are none, 410 for a lost request, 422 for a refused one.

    A request carries its own key in `key_header`: the service takes the same key once, however often it
    comes.
    """

    type: Literal["http"]
    key_header: str = "Idempotency-Key"
    reference_field: FieldPath = "request_id"


class Folders(Answering):
    """Requests are files of the folder `outbox`/<at_source>, answers are files of `inbox`/<at_source> that
    name their request in `request_field` or begin their file name with its id. {home} may stand in both.
    """

    type: Literal["files"]
    outbox: str
    inbox: str
    request_field: FieldPath = "request_id"
    max_answer_mb: int = Field(default=16, ge=1, le=1024)  # reading takes 9 times as much memory


class ExchangeContainer(ContainerModel):
    """A source that answers questions: those of ops.question, sent and collected by each load.

    `question_column` is the column of each table in which an answer names its question. What is not answered
    `answer_within_days` after being asked is asked again, `ask_again` times, and then given up; an answer is
    still taken until `accept_late_days` after that.
    """

    can: ClassVar[Capabilities] = Capabilities(new_files=True)

    type: Literal["exchange"]
    transport: Annotated[HttpPost | Folders, Field(discriminator="type")]
    question_column: Name = "question_key"
    answer_within_days: int = Field(default=5, ge=0, le=365)
    ask_again: int = Field(default=2, ge=0, le=20)
    accept_late_days: int = Field(default=90, ge=0, le=3660)
    max_questions_per_request: int = Field(default=1000, ge=1, le=100_000)
