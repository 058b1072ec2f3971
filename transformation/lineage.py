"""From which tables of the sources the returned models come: read from the parsed project, kept in ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huiliu.database import Connection

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

RETURN_LAYER = "return"


def note_sources(conn: Connection, manifest: Manifest) -> None:
    """Make ops.model_source what the project says; without a change, nothing is written."""
    found = sorted(sources_of_returned(manifest))
    models, sources, tables = ([row[part] for row in found] for part in range(3))
    named = {"models": models, "sources": sources, "tables": tables}
    with conn.transaction():
        conn.execute(
            """
            delete from ops.model_source where (model, source, table_name) not in (
                select * from unnest(%(models)s::text[], %(sources)s::text[], %(tables)s::text[])
            )
            """,
            named,
        )
        conn.execute(
            """
            insert into ops.model_source (model, source, table_name)
            select * from unnest(%(models)s::text[], %(sources)s::text[], %(tables)s::text[])
            on conflict do nothing
            """,
            named,
        )


def sources_of_returned(manifest: Manifest) -> set[tuple[str, str, str]]:
    """Return (model, source, table) for each model of the return layer, through all models it stands on."""
    return {
        (node.name, source, table)
        for node in manifest.nodes.values()
        if node.unique_id.startswith("model.") and RETURN_LAYER in node.fqn[1:2]
        for source, table in _sources_of(manifest, node.unique_id)
    }


def _sources_of(manifest: Manifest, unique_id: str) -> set[tuple[str, str]]:
    seen: set[str] = set()
    waiting = [unique_id]
    while waiting:
        fresh = set(_parents(manifest, waiting.pop())) - seen
        seen |= fresh
        waiting += fresh
    raw = [manifest.sources[it] for it in seen if it in manifest.sources]
    parted = [it.name.partition("__") for it in raw if it.source_name == "raw"]
    return {(source, table) for source, _, table in parted}


def _parents(manifest: Manifest, unique_id: str) -> list[str]:
    """Parents in the project; of what a step outside dbt writes, the models that the step reads."""
    if unique_id not in manifest.sources:
        return list(manifest.parent_map.get(unique_id, []))
    step = manifest.sources[unique_id].source_name
    steps = [it for it in manifest.exposures.values() if it.name == step]
    return [parent for it in steps for parent in it.depends_on.nodes]
