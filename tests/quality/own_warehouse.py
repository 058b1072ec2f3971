"""A warehouse database of the tests' own, with the real ledgers, functions and roles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from psycopg import sql

from huiliu import business_date
from huiliu.connections import dsn, secret
from huiliu.database import connect_to
from huiliu.settings import get_settings

TODAY = date(2026, 1, 15)


@contextmanager
def own_warehouse(database: str, template: str | None = None) -> Iterator[str]:
    """Make it afresh, drop it at the end; gives its owner's connection string, for HUILIU_DSN_WAREHOUSE.

    `template` names another of these, to which nobody is connected, to begin as a copy of.
    """
    name = sql.Identifier(database)
    with connect_to(dsn("admin"), "admin", autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        admin.execute(
            sql.SQL("create database {} owner huiliu_owner template {}").format(
                name, sql.Identifier(template or "template1")
            )
        )
        admin.execute(sql.SQL("revoke all on database {} from public").format(name))
        admin.execute(
            sql.SQL("grant connect on database {} to huiliu_ingest, huiliu_build, huiliu_score").format(name)
        )
        admin.execute(
            sql.SQL("grant temporary on database {} to huiliu_ingest, huiliu_build, huiliu_score").format(
                name
            )
        )
        host, port = admin.info.host, admin.info.port
    owner = f"postgresql://huiliu_owner:{secret('huiliu_owner')}@{host}:{port}/{database}"
    if template is None:
        _furnish(owner)
    yield owner
    with connect_to(dsn("admin"), "admin", autocommit=True) as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(name))


def _furnish(owner: str) -> None:
    with connect_to(owner, "warehouse", autocommit=True) as connection:
        for file in sorted((get_settings().project_root / "huiliu" / "warehouse").glob("*.sql")):
            connection.execute(file.read_bytes())
        business_date.set(connection, TODAY)
