"""Layers hold, columns are described, models have keys and ask no clock: all read from dbt's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from huiliu.settings import get_settings

if TYPE_CHECKING:
    from dbt.artifacts.resources import ColumnInfo
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import ManifestNode, ModelNode, SourceDefinition

# metrics stands below return: the report on the service goes out like any other package.
LAYERS = ("staging", "base", "theme", "special", "metrics", "return")
# Which layers may read which ledgers. Staging asks for one thing only: which batches a build has claimed.
SOURCE_READERS = {
    "raw": {"staging"},
    "linkage": {"base"},
    "ops": {"metrics", "return"},
    "quality": {"metrics", "return"},
}
CLAIM_TABLES = {"build_batch", "load_run"}
CLASSIFICATIONS = {"public", "internal", "sensitive", "highly_sensitive"}
# Attributes of people, each as sensitive in one layer as in another.
PERSONAL = {
    "pid": "highly_sensitive", "diagnosis_code": "highly_sensitive", "identifier_key": "sensitive",
    "person_key": "sensitive", "subject_key": "sensitive", "subject_identifier": "sensitive",
    "taxpayer_identifier": "sensitive", "sex": "sensitive", "birth_date": "sensitive", "died_on": "sensitive",
    "monthly_amount": "sensitive", "monthly_benefit": "sensitive", "settled_on": "sensitive",
    "representative_name": "sensitive",
}  # fmt: skip
# The same word for a sum over many.
OF_NO_PERSON = {("theme_social_security__township_insured", "monthly_benefit")}
LABELLED = re.compile(r"^[^a-zA-Z：]*[\u4e00-\u9fff][^：]*：\S.*$", re.DOTALL)
CLOCK = re.compile(
    r"\b(now\s*\(|current_date|current_timestamp|localtimestamp|clock_timestamp|statement_timestamp)",
    re.IGNORECASE,
)
BARE_DATE = re.compile(r"(?<!\(select )\bstd\.(?:last_)?as_of\(")
DBT_PROJECT = get_settings().project_root / "dbt_project"
LINTED = DBT_PROJECT / "target" / "partial_parse.msgpack"  # what `make lint` parsed; without it all is parsed
# A part `name as (…)` of a query, and what it reads.
CTE = re.compile(r"^(?:with )?(\w+) as \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
REF = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The parsed project; parsing needs no database."""
    from dbt.cli.main import dbtRunner

    target = tmp_path_factory.mktemp("dbt")
    result = dbtRunner().invoke(
        [
            "parse", "--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT),
            "--target-path", str(target), "--log-path", str(target), "--no-version-check",
            "--partial-parse-file-path", str(LINTED),
        ]
    )  # fmt: skip
    assert result.success, result.exception
    found: Any = result.result
    return found


def _models(manifest: Manifest) -> list[ModelNode]:
    models: list[Any] = [node for node in manifest.nodes.values() if node.resource_type == "model"]
    assert len(models) > 50
    return models


def _layer(node: ManifestNode) -> str:
    return str(node.fqn[1])


def _parents(manifest: Manifest, model: ModelNode) -> Iterator[ManifestNode | SourceDefinition]:
    for unique_id in model.depends_on.nodes:
        yield manifest.nodes.get(unique_id) or manifest.sources[unique_id]


def _may_read(model: ModelNode, parent: ManifestNode | SourceDefinition) -> bool:
    layer = _layer(model)
    if parent.resource_type == "source":
        is_claim = parent.source_name == "ops" and parent.name in CLAIM_TABLES
        return layer in SOURCE_READERS[parent.source_name] or (layer == "staging" and is_claim)
    return LAYERS.index(_layer(parent)) <= LAYERS.index(layer)


def test_a_model_reads_its_own_layer_or_a_lower_one(manifest: Manifest) -> None:
    wrong = [
        f"{model.name} reads {parent.name}"
        for model in _models(manifest)
        for parent in _parents(manifest, model)
        if not _may_read(model, parent)
    ]
    assert wrong == []


def test_a_model_stands_in_the_folder_and_schema_of_its_layer(manifest: Manifest) -> None:
    for model in _models(manifest):
        assert _layer(model) in LAYERS, model.name
        assert model.schema == _layer(model), model.name


def test_names_tell_the_layer(manifest: Manifest) -> None:
    own = {"staging": "stg_", "base": "base_", "theme": "theme_", "special": "special_", "return": "return_"}
    named_by_contract = {"kpi", "quarantined_row"}
    wrong = [
        model.name
        for model in _models(manifest)
        if model.name not in named_by_contract
        and not model.name.startswith((own.get(_layer(model), "int_"), "int_"))
    ]
    assert wrong == []


def test_parents_named_by_touched_by_are_built_before_the_model(manifest: Manifest) -> None:
    """A parent known only from `touched_by` would not be waited for."""
    above = {
        model.name: {name.split(".")[-1] for name in _ancestors(manifest, model)}
        for model in _models(manifest)
    }
    for model in _models(manifest):
        declared = model.config.get("touched_by")
        if isinstance(declared, dict):
            named = {name for name in declared if ":" not in name}
            assert named <= above[model.name], model.name


def _touched_reads(manifest: Manifest, model: ModelNode) -> set[str]:
    """Return the touched models that a model reads, itself or through views."""
    found: set[str] = set()
    for parent in _parents(manifest, model):
        if parent.resource_type != "model":
            continue
        if parent.config.get("incremental_strategy") == "touched":
            found.add(parent.name)
        else:
            found |= _touched_reads(manifest, parent)
    return found


def test_a_touched_model_waits_for_every_touched_parent_it_reads(manifest: Manifest) -> None:
    """A parent read but not named by `touched_by` could change and leave stale rows behind."""
    missed = {
        f"{model.name} reads {parent}"
        for model in _models(manifest)
        if isinstance(declared := model.config.get("touched_by"), dict)
        for parent in _touched_reads(manifest, model) - set(declared)
    }
    assert missed == set()


def _read_whole(sql: str, growing: set[str]) -> set[str]:
    """Return the parts of a query that PostgreSQL keeps whole: of a growing table, unfiltered, read twice."""
    return {
        name
        for name, body in CTE.findall(sql)
        if growing & set(REF.findall(body)) and "{" not in REF.sub("", body)
        if len(re.findall(rf"\b(?:from|join)\s+{name}\b", sql)) > 1
    }


def test_a_day_keeps_no_whole_table_in_memory(manifest: Manifest) -> None:
    """Filter such a part by the touched keys, or write `as not materialized` where indexes are to be used."""
    keyed = {
        model.name: model.raw_code
        for model in _models(manifest)
        if isinstance(model.config.get("touched_by"), dict)
    }
    wrong = [f"{name}: {part}" for name, sql in keyed.items() for part in _read_whole(sql, set(keyed))]
    assert wrong == []


def test_what_is_read_whole_is_recognised() -> None:
    kept = "with person as (\n    select * from {{ ref('p') }}\n)\nselect 1 from a join person join person"
    assert _read_whole(kept, {"p"}) == {"person"}
    assert _read_whole(kept.replace("as (", "as not materialized ("), {"p"}) == set()
    assert _read_whole(kept.replace("\n)", "\n    {{ of_touched }}\n)"), {"p"}) == set()


def _ancestors(manifest: Manifest, model: ModelNode) -> set[str]:
    found: set[str] = set()
    waiting = set(model.depends_on.nodes)
    while waiting:
        unique_id = waiting.pop()
        found.add(unique_id)
        node = manifest.nodes.get(unique_id)
        if node is not None and node.resource_type == "model":
            waiting |= set(node.depends_on.nodes) - found
    return found


def _columns(model: ModelNode) -> list[ColumnInfo]:
    assert model.columns, f"{model.name} describes no column"
    return list(model.columns.values())


def test_every_column_has_a_chinese_label_and_an_english_description(manifest: Manifest) -> None:
    wrong = [
        f"{model.name}.{column.name}"
        for model in _models(manifest)
        if not model.name.endswith("_typed")
        for column in _columns(model)
        if not LABELLED.match(column.description)
    ]
    assert wrong == []


def test_every_staging_table_tells_its_quarantined_rows(manifest: Manifest) -> None:
    staging = {
        model.name
        for model in _models(manifest)
        if model.name.startswith("stg_") and not model.name.endswith("_typed")
    }
    assert (
        set(REF.findall((DBT_PROJECT / "models" / "staging" / "quarantined_row.sql").read_text())) == staging
    )


def test_what_is_told_of_a_person_is_as_sensitive_in_every_layer(manifest: Manifest) -> None:
    wrong = [
        f"{model.name}.{column.name}: {column.config.meta['classification']}"
        for model in _models(manifest)
        for column in model.columns.values()
        if column.name in PERSONAL
        and (model.name, column.name) not in OF_NO_PERSON
        and column.config.meta["classification"] != PERSONAL[column.name]
    ]
    assert wrong == []
    # The grade of a disability tells of the disability.
    for name in ("stg_disabled_federation__certificate", "theme_social_security__entitlement"):
        grade = manifest.nodes[f"model.huiliu.{name}"].columns["grade"]
        assert grade.config.meta["classification"] == "highly_sensitive"


def test_every_model_names_its_owner_department_and_classification(manifest: Manifest) -> None:
    for model in _models(manifest):
        if _layer(model) == "staging":
            continue
        meta = model.config.meta
        assert meta["owner"], model.name
        assert meta["department"], model.name
        assert meta["classification"] in CLASSIFICATIONS, model.name
        for column in _columns(model):
            assert column.config.meta["classification"] in CLASSIFICATIONS, f"{model.name}.{column.name}"


def test_contracts_are_enforced_from_base_up(manifest: Manifest) -> None:
    above = [model for model in _models(manifest) if _layer(model) != "staging"]
    wrong = [model.name for model in above if not model.config.contract.enforced]
    assert wrong == []


def test_every_model_has_a_tested_key(manifest: Manifest) -> None:
    tests: list[Any] = [node for node in manifest.nodes.values() if node.resource_type == "test"]
    keyed = {
        unique_id
        for test in tests
        if test.test_metadata is not None and test.test_metadata.name in {"unique", "unique_together"}
        for unique_id in test.depends_on.nodes
    }
    # Views over all versions or all sources have no key of their own.
    needing = [model for model in _models(manifest) if model.config.materialized != "view"]
    assert [model.name for model in needing if model.unique_id not in keyed] == []


def test_no_model_or_macro_asks_the_clock() -> None:
    files = [*DBT_PROJECT.glob("models/**/*.sql"), *DBT_PROJECT.glob("macros/**/*.sql")]
    assert len(files) > 50
    assert [str(path.relative_to(DBT_PROJECT)) for path in files if CLOCK.search(path.read_text())] == []


def test_the_date_is_asked_once_a_query() -> None:
    """A bare call in a condition is a query of its own a row; the macros as_of and last_as_of are not."""
    files = [*DBT_PROJECT.glob("models/**/*.sql"), *DBT_PROJECT.glob("macros/**/*.sql")]
    bare = {f"{path.stem}: {call}" for path in files for call in BARE_DATE.findall(path.read_text())}
    assert bare == set()


def test_every_model_is_described_in_the_yaml_beside_it(manifest: Manifest) -> None:
    for model in _models(manifest):
        beside = model.original_file_path.removesuffix(".sql").removesuffix("_typed") + ".yml"
        assert str(model.patch_path).partition("://")[2] in ("", beside), model.name
        assert model.patch_path or model.name.endswith("_typed"), model.name


def test_the_clock_is_recognised() -> None:
    assert CLOCK.search("where died_on <= current_date")
    assert CLOCK.search("select now()")
    assert not CLOCK.search("select known_now, std.as_of()")


def test_a_label_is_recognised() -> None:
    assert LABELLED.match("人员键：the person")
    assert not LABELLED.match("the person")
    assert not LABELLED.match("人员键：")
