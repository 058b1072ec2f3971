"""The resource catalogue 资源目录 beside the specs: what is in no spec any more is retired, never deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from huiliu.database import Connection
from ingestion import ledger
from ingestion.spec import SourceSpec


def retire(conn: Connection, specs: Mapping[str, SourceSpec], broken: Collection[str]) -> None:
    """Mark the entries whose table is in no spec any more; one that came back is current again.

    The entries of a source whose spec is wrong stay as they are: nobody can say what it lists.
    """
    listed = [ledger.resource_id(name, table.name) for name, spec in specs.items() for table in spec.tables]
    conn.execute(
        """
        update ops.resource set retired_on = case when not listed then today.business_date end
        from (select resource_id, resource_id = any(%s) as listed from ops.resource) as entry
        cross join ops.business_date as today
        where resource.resource_id = entry.resource_id
            and entry.listed = (resource.retired_on is not null) and resource.source <> all(%s)
        """,
        [listed, list(broken)],
    )
