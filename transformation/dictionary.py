"""The dictionary of models and seeds, from the project's YAML.

A column that names no department or no classification has its table's. These defaults are written into the
manifest, so that manifest.json and the database's comments say them of each column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from huiliu.dictionary import Entry, entry_of

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import ManifestNode


_INHERITED = ("department", "classification")


def complete(manifest: Manifest) -> None:
    """Write the table's department and classification into each column that names none itself."""
    for node in _described(manifest):
        inherited = {name: node.config.meta[name] for name in _INHERITED if name in node.config.meta}
        for column in node.columns.values():
            for meta in (column.meta, column.config.meta):
                meta.update(inherited | meta)


def entries(manifest: Manifest) -> list[Entry]:
    """Return the entries of a complete manifest by layer and table, columns in their order."""
    nodes = sorted(_described(manifest), key=lambda node: (node.schema, node.name))
    return [entry for node in nodes for entry in _of_node(node)]


def _described(manifest: Manifest) -> Iterator[ManifestNode]:
    return (node for node in manifest.nodes.values() if node.resource_type in ("model", "seed"))


def _of_node(node: ManifestNode) -> Iterator[Entry]:
    types: Mapping[str, Any] = node.config.get("column_types") or {}
    for column in node.columns.values():
        yield entry_of(
            column.description,
            table=(node.schema, node.name, node.description.strip()),
            column=column.name,
            type_=str(column.data_type or types.get(column.name) or ""),
            classification=str(column.meta.get("classification") or ""),
            department=str(column.meta.get("department") or ""),
        )
