"""What a consumer is told, beside its data, of what in them is not of the day: its `_notice` table.

A row a package and cause: a source table whose batch is held, whose load failed or which is late (the data
stand as of its last batch that passed), or the package itself if its delivery is held or failed. The rows are
written in the transaction of the delivery, also if no row of the package changed, and go with their cause. Of
a consumer that could not be reached, the next transaction there that ends tells what has not arrived. Every
word is from here or from the catalogue of resources: nothing of what a source sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from psycopg import sql

from huiliu.database import Connection
from returnflow.consumers import Consumer
from returnflow.spec import Package

NOTICES = "_notice"
OWN_DELIVERY = "delivery"
"""The cause of a notice that the package itself is held or failed to arrive."""

_STATES = {
    "held": ("来源批次被扣留", "来源数据未通过入库质量检验，扣留待部门更正或人工放行，沿用此前数据"),
    "failed": ("来源采集失败", "来源数据未能采集，正在处理，沿用此前数据"),
    "late": ("来源迟到", "来源数据未按采集周期到达，沿用此前数据"),
}
_HELD = "暂缓交付"
_FAILED = ("交付失败", "本数据包未能送达，正在处理，沿用上次数据")


@dataclass(frozen=True)
class Notice:
    """One thing to know of a package; `as_of`: of which day the data are, None if there are none."""

    package: str
    cause: str
    title: str
    department: str | None
    state: str
    reason: str
    as_of: date | None = None
    since: date | None = None
    expected_by: date | None = None


@dataclass(frozen=True)
class Undelivered:
    """A package that did not arrive at a consumer, as the ledger knows it: how it stands, since which day."""

    status: str
    since: date


@dataclass(frozen=True)
class Standing:
    """Notices of the sources each package stands on, and what has not arrived, by consumer and package."""

    by_package: dict[str, list[Notice]] = field(default_factory=dict)
    undelivered: dict[tuple[str, str], Undelivered] = field(default_factory=dict)

    def has_failed(self, consumer: Consumer, package: Package) -> bool:
        """Whether the last delivery of a package failed, of those before this one."""
        last = self.undelivered.get((consumer.code, package.name))
        return last is not None and last.status == "failed"

    def told_with(self, consumer: Consumer, package: Package, hold: str | None) -> list[Notice]:
        """Return what goes out with a package; ``hold``: why its own delivery is held, if it is."""
        own = [self._own(consumer, package, _HELD, hold)] if hold else []
        return own + self.by_package.get(package.name, [])

    def told_without(self, consumer: Consumer, package: Package) -> list[Notice]:
        """Return what is said of a package that failed to arrive."""
        return [self._own(consumer, package, *_FAILED), *self.by_package.get(package.name, [])]

    def _own(self, consumer: Consumer, package: Package, state: str, reason: str) -> Notice:
        last = self.undelivered.get((consumer.code, package.name))
        since = last.since if last else None
        return Notice(package.name, OWN_DELIVERY, package.title, None, state, reason, since=since)


def standing(conn: Connection, packages: Sequence[Package], consumers: Sequence[Consumer]) -> Standing:
    """Ask the warehouse which tables that the packages come from are held, failed or late, and what these
    consumers have not got since it last arrived.
    """
    rows = conn.execute(
        """
        select asked.package, source || '.' || table_name, standing.title, standing.department,
            standing.state, standing.as_of, standing.since, standing.expected_by
        from unnest(%s::text[], %s::text[]) as asked (package, model)
        inner join ops.model_source as origin on origin.model = asked.model
        inner join ops.resource_standing as standing using (source, table_name)
        where standing.state = any(%s)
        order by 1, 2
        """,
        [[it.name for it in packages], [it.model for it in packages], list(_STATES)],
    )
    found = Standing(undelivered=_undelivered(conn, packages, consumers))
    for package, cause, title, department, state, *days in rows:
        notice = Notice(package, cause, title, department, *_STATES[state], *days)
        found.by_package.setdefault(package, []).append(notice)
    return found


def _undelivered(
    conn: Connection, packages: Sequence[Package], consumers: Sequence[Consumer]
) -> dict[tuple[str, str], Undelivered]:
    rows = conn.execute(
        """
        select asked_of.consumer_code, asked.package, missing.status, missing.since
        from unnest(%s::text[]) as asked (package)
        cross join unnest(%s::text[]) as asked_of (consumer_code)
        cross join lateral (
            select (array_agg(tried.status order by tried.delivery_id desc))[1] as status,
                min(tried.business_date) as since
            from ops.delivery as tried
            where tried.package = asked.package and tried.consumer_code = asked_of.consumer_code
                and tried.delivery_id > coalesce((
                    select good.delivery_id from ops.delivery as good
                    where good.package = asked.package and good.consumer_code = asked_of.consumer_code
                        and good.status = 'delivered'
                    order by good.delivery_id desc limit 1
                ), 0)
        ) as missing
        where missing.since is not null
        """,
        [[it.name for it in packages], [it.code for it in consumers]],
    )
    return {(code, package): Undelivered(status, since) for code, package, status, since in rows}


def make_table(conn: Connection, consumer: Consumer) -> None:
    """Make the consumer's `_notice` table, within its transaction."""
    conn.execute(
        sql.SQL(
            """
            create table {0} (
                package text not null,
                cause text not null,
                title text not null,
                department text,
                state text not null,
                reason text not null,
                as_of date,
                since date,
                expected_by date,
                primary key (package, cause)
            );
            comment on table {0} is '数据时点提示：哪些数据不是最新、截至何日；没有行即全部最新';
            comment on column {0}.package is '数据包';
            comment on column {0}.cause is '原因所在：来源.表，或 delivery 表示本数据包暂缓交付或未能送达';
            comment on column {0}.title is '来源表或数据包的名称';
            comment on column {0}.department is '归口部门';
            comment on column {0}.state is '现状';
            comment on column {0}.reason is '说明';
            comment on column {0}.as_of is '数据截至日：来源最近一次通过检验、或本包最近一次交付的业务日期';
            comment on column {0}.since is '自何日起';
            comment on column {0}.expected_by is '预计下次采集日；未定为空'
            """
        ).format(_table(consumer))
    )


def tell(
    conn: Connection, consumer: Consumer, packages: Sequence[Package], notices: Sequence[Notice]
) -> None:
    """Make the rows of these packages what is to be told of them, after the delivery's own record."""
    named = {
        "packages": [it.name for it in packages],
        "causes": [f"{it.package} {it.cause}" for it in notices],
    }
    conn.execute(
        sql.SQL(
            "delete from {} where package = any(%(packages)s) and package || ' ' || cause <> all(%(causes)s)"
        ).format(_table(consumer)),
        named,
    )
    with conn.cursor() as cursor:
        cursor.executemany(
            _upsert(consumer), [vars(it) | {"own": it.cause == OWN_DELIVERY} for it in notices]
        )


def _upsert(consumer: Consumer) -> sql.Composed:
    """Of which day a package is, the consumer's own record knows; since when it is so, that or the ledger."""
    return sql.SQL(
        """
        insert into {notices} (package, cause, title, department, state, reason, as_of, since, expected_by)
        select %(package)s, %(cause)s, %(title)s, %(department)s, %(state)s, %(reason)s,
            case when %(own)s then own.as_of else %(as_of)s::date end,
            case when %(own)s then least(own.since, %(since)s::date) else %(since)s::date end,
            %(expected_by)s::date
        from (
            select
                max(business_date) filter (where delivered_at = good.last_at and notice is null) as as_of,
                min(business_date) filter (where delivered_at > good.last_at) as since
            from {record}, (
                select coalesce(max(delivered_at), '-infinity') as last_at from {record}
                where package = %(package)s and notice is null
            ) as good
            where package = %(package)s
        ) as own
        on conflict (package, cause) do update set
            title = excluded.title, department = excluded.department, state = excluded.state,
            reason = excluded.reason, as_of = excluded.as_of, since = excluded.since,
            expected_by = excluded.expected_by
        """
    ).format(notices=_table(consumer), record=sql.Identifier(consumer.schema, "_delivery"))


def _table(consumer: Consumer) -> sql.Identifier:
    return sql.Identifier(consumer.schema, NOTICES)
