"""Roles, databases, schemas and rights of everything Huiliu keeps, and the warehouse's own tables.

Safe to run again at any time: it makes what is missing, sets passwords and rights anew, and never drops
anything. It needs an administrator who may create roles and databases, not a superuser. What lives on a
server that HUILIU_DSN_ADMIN does not administer (its chief connection is set by HUILIU_DSN_…) is left to
that server's own administrator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from huiliu import departments
from huiliu.connections import dsn, overridden, target
from huiliu.database import Connection, connect_to
from huiliu.errors import ConfigError, TransientError
from huiliu.regions import Region, Regions, consumer_code, front_code, front_schema, load
from huiliu.secret_store import ensure, secret

SIMULATED_SOURCES = (
    "police",
    "civil_affairs",
    "health",
    "social_security",
    "marriage_registry",
    "market_regulation",
    "medical_insurance",
    "disabled_federation",
    "education",
    "real_estate",
    "transport",
    "licence_register",
    "agriculture",
)
WAREHOUSE_DDL = Path(__file__).parent / "warehouse"
_LOCK = "huiliu: provision"
_STAGES = tuple(
    f"warehouse:{part}" for part in ("ingest", "build", "score", "return", "watch", "collide", "decide")
)


@dataclass(frozen=True)
class DatabasePlan:
    """A database to be: its owner's connection name and the connection names that may enter it."""

    chief: str
    guests: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the database."""
        return target(self.chief).database

    @property
    def owner(self) -> str:
        """Role that owns the database."""
        return target(self.chief).role

    @property
    def readers(self) -> list[str]:
        """Roles that may enter it besides the owner."""
        return [target(guest).role for guest in self.guests]


@dataclass
class ProvisionResult:
    """What was made anew, and what was not touched because it lives on a server of its own."""

    roles_created: list[str] = field(default_factory=list)
    databases_created: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def provision() -> ProvisionResult:
    """Make and repair all roles, databases, schemas and rights, then apply the warehouse's tables.

    Raises ConfigError if a right or setting is missing, TransientError if the server is unreachable or
    another process prepares it for too long.
    """
    regions = load()
    result = ProvisionResult()
    plans = []
    for plan in _plans(regions):
        if overridden(plan.chief) is None:
            plans.append(plan)
        else:
            result.elsewhere.append(plan.name)
    with _admin() as admin:
        _one_at_a_time(admin)
        _make_roles(admin, plans, result)
        _make_databases(admin, plans, result)
        for plan in plans:
            _make_schemas(plan, regions)
    _make_warehouse()
    return result


def _plans(regions: Regions) -> list[DatabasePlan]:
    plans = [DatabasePlan("warehouse", _STAGES), DatabasePlan("airflow")]
    plans += [DatabasePlan(f"source_owner:{source}", (f"source:{source}",)) for source in SIMULATED_SOURCES]
    for code in regions.front_codes:
        consumers = [consumer_code(region) for region in regions.consumers]
        readers = [f"front:{consumer}" for consumer in consumers if front_code(consumer) == code]
        if code == consumer_code(regions.city):
            readers += [departments.connection_name(code, it) for it in departments.load().values()]
        plans.append(DatabasePlan(f"front_writer:{code}", tuple(readers)))
    return plans


def _admin(database: str | None = None) -> Connection:
    return connect_to(dsn("admin"), "admin", autocommit=True, database=database)


def _one_at_a_time(admin: Connection) -> None:
    """Wait for another provisioning to end; the lock goes with the connection."""
    admin.execute("set lock_timeout = '120s'")
    try:
        admin.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [_LOCK])
    except psycopg.errors.LockNotAvailable as error:
        raise TransientError(
            "The databases are being prepared by another process", fix="wait for it to end, then try again"
        ) from error


def _make_roles(admin: Connection, plans: Sequence[DatabasePlan], result: ProvisionResult) -> None:
    """Create missing roles and set every password, as a SCRAM verifier: the plain one never leaves us."""
    roles = [role for plan in plans for role in (plan.owner, *plan.readers)]
    existing = {
        row[0] for row in admin.execute("select rolname from pg_roles where rolname = any(%s)", [roles])
    }
    passwords = ensure(roles)
    superuser = _is_superuser(admin)
    statements = []
    for role in roles:
        verifier = admin.pgconn.encrypt_password(
            passwords[role].encode(), role.encode(), b"scram-sha-256"
        ).decode()
        verb = sql.SQL("alter" if role in existing else "create")
        statements.append(
            sql.SQL("{} role {} login nocreatedb nocreaterole password {}").format(
                verb, sql.Identifier(role), verifier
            )
        )
        if not superuser and role not in existing:
            # An administrator who is no superuser may hand a database only to a role it belongs to.
            statements.append(sql.SQL("grant {} to current_user").format(sql.Identifier(role)))
    with admin.transaction():
        _run_all(admin, statements)
    result.roles_created = [role for role in roles if role not in existing]
    if any(plan.chief == "warehouse" for plan in plans):
        # The owner keeps the layers of the roles that load and build (grants, repairs).
        admin.execute("grant huiliu_ingest, huiliu_build to huiliu_owner")


def _is_superuser(admin: Connection) -> bool:
    row = admin.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()
    return bool(row and row[0])


def _make_databases(admin: Connection, plans: Sequence[DatabasePlan], result: ProvisionResult) -> None:
    owners: dict[str, str] = dict(
        admin.execute(
            "select datname, pg_get_userbyid(datdba) from pg_database where datname = any(%s)",
            [[plan.name for plan in plans]],
        ).fetchall()
    )
    for plan in plans:
        names = {"database": sql.Identifier(plan.name), "owner": sql.Identifier(plan.owner)}
        if plan.name not in owners:
            # CREATE DATABASE cannot run in a transaction.
            admin.execute(
                sql.SQL("create database {database} owner {owner} encoding 'UTF8' template template0").format(
                    **names
                )
            )
            result.databases_created.append(plan.name)
        elif owners[plan.name] != plan.owner:
            admin.execute(sql.SQL("alter database {database} owner to {owner}").format(**names))
        statements = [sql.SQL("revoke all on database {database} from public").format(**names)]
        if plan.readers:
            readers = sql.SQL(", ").join(map(sql.Identifier, plan.readers))
            statements.append(
                sql.SQL("grant connect on database {database} to {readers}").format(**names, readers=readers)
            )
        if plan.chief == "warehouse":
            statements.append(
                sql.SQL(
                    "grant temporary on database {database} to huiliu_ingest, huiliu_build, huiliu_return"
                ).format(**names)
            )
        _run_all(admin, statements)
    _close_other_databases(admin)


def _close_other_databases(admin: Connection) -> None:
    """Roles are the whole server's: close its maintenance databases to them too, if we may."""
    rows = admin.execute(
        "select datname from pg_database where datname in ('postgres', 'template1')"
        " and pg_has_role(current_user, datdba, 'usage')"
    ).fetchall()
    _run_all(
        admin,
        [sql.SQL("revoke all on database {} from public").format(sql.Identifier(row[0])) for row in rows],
    )


def _make_schemas(plan: DatabasePlan, regions: Regions) -> None:
    with _admin(plan.name) as conn:
        statements: list[sql.Composable] = [sql.SQL("revoke create on schema public from public")]
        kind = plan.chief.partition(":")[0]
        if kind == "source_owner":
            statements += _grant_reading("public", plan.owner, plan.readers[0])
        if kind == "front_writer":
            statements.append(sql.SQL("revoke all on schema public from public"))
            for guest in plan.guests:
                family, _, code = guest.partition(":")
                if family == "front":
                    statements += _front_schema(plan, regions.by_consumer_code(code), regions)
            statements += _corrections_schema(plan)
        with conn.transaction():
            _run_all(conn, statements)


def _front_schema(plan: DatabasePlan, region: Region, regions: Regions) -> list[sql.Composed]:
    code = consumer_code(region)
    reader = target(f"front:{code}").role
    names = {
        "schema": sql.Identifier(front_schema(code)),
        "owner": sql.Identifier(plan.owner),
        "reader": sql.Identifier(reader),
        "database": sql.Identifier(plan.name),
    }
    texts = (
        "create schema if not exists {schema} authorization {owner}",
        "alter schema {schema} owner to {owner}",
        "revoke all on schema {schema} from public",
        # An owner's own rights can be revoked by hand too; preparing again gives them back.
        "grant all on schema {schema} to {owner}",
        "grant all on all tables in schema {schema} to {owner}",
        # So that a township's clerk finds the tables without naming a schema.
        "alter role {reader} in database {database} set search_path = {schema}",
    )
    statements = [sql.SQL(text).format(**names) for text in texts]
    statements.append(
        sql.SQL("comment on schema {schema} is {label}").format(**names, label=regions.label(region))
    )
    return statements + _grant_reading(front_schema(code), plan.owner, reader)


def _corrections_schema(plan: DatabasePlan) -> list[sql.Composed]:
    """Where departments read their corrections; the table's policies let each see its own rows only."""
    guests = [target(guest).role for guest in plan.guests if guest.startswith("department:")]
    if not guests:
        return []
    names = {
        "schema": sql.Identifier(departments.SCHEMA),
        "owner": sql.Identifier(plan.owner),
        "database": sql.Identifier(plan.name),
        "guests": sql.SQL(", ").join(map(sql.Identifier, guests)),
    }
    texts = [
        "create schema if not exists {schema} authorization {owner}",
        "alter schema {schema} owner to {owner}",
        "revoke all on schema {schema} from public",
        "grant all on schema {schema} to {owner}",
        "grant all on all tables in schema {schema} to {owner}",
        "grant usage on schema {schema} to {guests}",
        "comment on schema {schema} is '纠错清单：各部门只见本部门的纠错单'",
    ]
    statements = [sql.SQL(text).format(**names) for text in texts]
    statements += [
        sql.SQL("alter role {role} in database {database} set search_path = {schema}").format(
            **names, role=sql.Identifier(guest)
        )
        for guest in guests
    ]
    return statements


def _grant_reading(schema: str, owner: str, reader: str) -> list[sql.Composed]:
    """Let a role read all that its owner keeps or will keep in a schema, and nothing more."""
    names = {
        "schema": sql.Identifier(schema),
        "owner": sql.Identifier(owner),
        "reader": sql.Identifier(reader),
    }
    texts = (
        "grant usage on schema {schema} to {reader}",
        "grant select on all tables in schema {schema} to {reader}",
        "alter default privileges for role {owner} in schema {schema} grant select on tables to {reader}",
    )
    return [sql.SQL(text).format(**names) for text in texts]


def _run_all(conn: Connection, statements: Iterable[sql.Composable]) -> None:
    """Run statements in one round trip; a refusal becomes a ConfigError that names the database."""
    batch = sql.SQL(";\n").join(statements)
    try:
        conn.execute(batch)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(
            f"{conn.info.user} may not prepare database {conn.info.dbname}: {error.diag.message_primary}",
            fix="name in HUILIU_DSN_ADMIN a role with CREATEROLE, CREATEDB and membership in its owner",
        ) from error


def _make_warehouse() -> None:
    """Apply huiliu/warehouse/*.sql in the order of names, all or nothing, as the warehouse's owner."""
    with connect_to(dsn("warehouse"), "warehouse") as conn:
        conn.execute("set local lock_timeout = '60s'")
        # "already exists, skipping" for every table is noise.
        conn.execute("set local client_min_messages = warning")
        for path in sorted(WAREHOUSE_DDL.glob("*.sql")):
            _apply(conn, path)
        _keep_hash_key(conn)


def _apply(conn: Connection, path: Path) -> None:
    try:
        conn.execute(path.read_bytes())
    except psycopg.errors.LockNotAvailable as error:
        raise TransientError(
            f"{path.name} waits for a table that is in use",
            fix="wait for the running load, build or delivery to end",
        ) from error
    except psycopg.Error as error:
        raise ConfigError(
            f"huiliu/warehouse/{path.name} cannot be applied: {error.diag.message_primary or error}",
            fix="correct that file, or the database that differs from it",
        ) from error


def _keep_hash_key(conn: Connection) -> None:
    """Give the vault the identifier hash's key, as the two pads of HMAC-SHA256; a changed key is refused."""
    row = conn.execute("select to_regclass('vault.hash_key') is not null").fetchone()
    if row is None or not row[0]:
        return
    pads = hmac_pads(secret("identifier_hash_key").encode())
    conn.execute(
        "insert into vault.hash_key (inner_pad, outer_pad)"
        " select %s, %s where not exists (select from vault.hash_key)",
        pads,
    )
    if conn.execute("select inner_pad, outer_pad from vault.hash_key").fetchall() != [pads]:
        raise ConfigError(
            "The secret identifier_hash_key is not this warehouse's; every person's key would change",
            fix="restore secrets.json or HUILIU_SECRET_IDENTIFIER_HASH_KEY; a new key needs a new warehouse",
        )


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer pad (64 bytes each) of HMAC-SHA256 for a key (RFC 2104)."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
