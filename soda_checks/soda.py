"""The one place that touches Soda Core: a session over our own connection, and one contract's outcome.

Soda gets an open connection, so no password passes through its files, its settings or its log.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

# Before Soda is imported: it decides about telemetry when its first module is read.
os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"

from soda_core.common.yaml import ContractYamlSource, DataSourceYamlSource
from soda_core.contracts.contract_verification import ContractVerificationSession
from soda_postgres.common.data_sources.postgres_data_source import (  # type: ignore[import-untyped]  # ships no types
    PostgresDataSourceImpl,
)
from soda_postgres.common.data_sources.postgres_data_source_connection import (  # type: ignore[import-untyped]  # ships no types
    PostgresDataSourceConnection,
)

DATA_SOURCE = "huiliu"
_QUOTED = re.compile(r'["“«](.*)["”»]', re.DOTALL)
_LONG_NUMBER = re.compile(r"\d{6,}")


class _WithoutValues(logging.Filter):
    """Keeps data values, which PostgreSQL quotes in its errors, out of every log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = scrub(record.getMessage())
        record.args = None
        record.exc_info = None
        return True


def scrub(message: str) -> str:
    """Take what may be values out of an error message: from the first quote to the last, and long numbers.

    A value may hold quotes and line ends itself.
    """
    lines = [
        line
        for line in _QUOTED.sub("***", message).splitlines()
        if not line.startswith(("DETAIL:", "CONTEXT:"))
    ]
    return _LONG_NUMBER.sub("***", "\n".join(lines))


def explained(error: psycopg.Error, statement: str) -> str:
    """Return an error's message without values, and its SQLSTATE; names that the statement has stay."""
    message = error.diag.message_primary or type(error).__name__
    quoted = _QUOTED.search(message)
    is_about_sql = (error.sqlstate or "").startswith("42")
    names_its_own = is_about_sql and quoted is not None and quoted[1] in statement.replace('"', "")
    said = _LONG_NUMBER.sub("***", message) if names_its_own else scrub(message)
    return f"{said} (SQLSTATE {error.sqlstate})"


def _quiet() -> None:
    """Errors only, without values. Propagation stays: Soda counts its errors on the root logger."""
    logger = logging.getLogger("soda")
    logger.setLevel(logging.ERROR)
    if not any(isinstance(known, _WithoutValues) for known in logger.filters):
        logger.addFilter(_WithoutValues())


def _data_source(connection: psycopg.Connection[Any]) -> PostgresDataSourceImpl:
    described = (
        f"type: postgres\nname: {DATA_SOURCE}\n"
        "connection: {host: localhost, database: warehouse, user: huiliu_score, password: not-used}\n"
    )
    source = PostgresDataSourceImpl.from_yaml_source(DataSourceYamlSource.from_str(described))
    source.data_source_connection = _Borrowed(DATA_SOURCE, connection)
    return source


class _Borrowed(PostgresDataSourceConnection):  # type: ignore[misc]  # Soda is untyped
    """A connection that someone else opened and will close."""

    def __init__(self, name: str, connection: psycopg.Connection[Any]) -> None:
        self._lent = connection
        super().__init__(name, connection_properties=None)

    def _create_connection(self, config: object) -> psycopg.Connection[Any]:
        return self._lent

    def close_connection(self) -> None:
        self.connection = None


@dataclass(frozen=True)
class Answer:
    """One contract: whether Soda finds it in order, its errors, and its checks' outcomes by qualifier.

    Outcomes are Soda's: PASSED, FAILED, WARN, NOT_EVALUATED, …
    """

    is_ok: bool
    errors: Sequence[str]
    outcomes: Mapping[str, str]


def verify_documents(connection: psycopg.Connection[Any], documents: Sequence[str]) -> list[Answer]:
    """Verify contracts (YAML texts) in one Soda session; one answer each, in the order given."""
    if not documents:
        return []
    _quiet()
    session = ContractVerificationSession.execute(
        contract_yaml_sources=[ContractYamlSource.from_str(document) for document in documents],
        data_source_impls=[_data_source(connection)],
        soda_cloud_publish_results=False,
    )
    answers = [
        Answer(
            is_ok=result.is_ok,
            errors=[scrub(error) for error in result.get_errors()],
            outcomes={str(it.check.qualifier): it.outcome.name for it in result.check_results},
        )
        for result in session.contract_verification_results
    ]
    if len(answers) != len(documents):
        raise RuntimeError(f"Soda answered {len(answers)} of {len(documents)} contracts")
    return answers
