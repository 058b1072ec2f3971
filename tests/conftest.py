"""The session's home with its server, and which test runs when.

`pytest -n 3` runs files side by side in three processes that share nothing: each has homes, servers and ports
of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from dbt_common.behavior_flags import BehaviorFlagRendered
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from huiliu import embedded_postgres
from huiliu.database import connect
from huiliu.provision import provision
from huiliu.settings import forget_settings
from tests.homes import forget_durability, home_of_its_own

# What takes a minute or more goes first, so that the workers end at about the same time. At the start each of
# them is given two scopes in this order: three long ones, and behind each of these a short one.
_LONGEST_FIRST = (
    "tests/models/",
    "tests/flow/test_kill_anywhere.py",
    "tests/flow/test_five_days.py",
    "tests/huiliu/test_regions.py",
    "tests/huiliu/test_settings.py",
    "tests/huiliu/test_cli_output.py",
    "tests/services/test_airflow_starts.py",
    "tests/transformation/",
    "tests/services/",
)
# Files that share what is dear to make: they stay with one worker, so that it is made once.
_SHARED = {
    "tests/models/": "the built city",
    "tests/quality/test_staging": "the views of staging",
    "tests/ingestion/test_ingest_mysql": "the MariaDB server",
    "tests/ingestion/test_ingest_sql_database": "the MariaDB server",
}


# For each of its flags, at each command, dbt looks in the sources of the whole call stack for who declared it
# (to name him in a message). Its list of flags grows with every command of a process, so that a process of a
# hundred builds spends a third of its time on that.
BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt.adapters.base.impl")


class WholeFiles(LoadFileScheduling):
    """Files are not torn apart, nor the files that share what is dear to make."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (what for path, what in _SHARED.items() if nodeid.startswith(path))
        return next(shared, super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    """Give each worker whole files, the longest first: in the order of the tests."""
    config.option.loadscopereorder = False
    return WholeFiles(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; the others keep their order."""

    def place(item: pytest.Item) -> int:
        places = (place for place, path in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(path))
        return next(places, len(_LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def settings_of_its_own() -> Iterator[None]:
    """Settings that a test changed are read anew after it: else later tests would look for its servers."""
    yield
    forget_settings()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """HUILIU_HOME of the session: embedded PostgreSQL up and provisioned, gone at the end."""
    with home_of_its_own() as folder:
        embedded_postgres.start()
        forget_durability()
        provision()
        yield folder


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A HUILIU_HOME of the test's own, with no server in it yet; afterwards the session's is back."""
    with home_of_its_own() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_home(home: Path) -> Path:
    """The same home, by the name of what it holds."""
    return home


@pytest.fixture
def warehouse(home: Path) -> Iterator[psycopg.Connection]:
    """A connection to the warehouse as its owner; what the test does not commit is rolled back."""
    with connect("warehouse") as conn:
        yield conn
        conn.rollback()
