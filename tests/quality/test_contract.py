"""Contracts are found wrong before any table is read, with the file and the key named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg import sql
from toy_source import CONTRACTS, MODELS, ToySource, toy_contract

from huiliu.errors import ConfigError
from soda_checks.conditions import Relation, condition
from soda_checks.contract import Check, Contract, load_contract, load_contracts
from soda_checks.dbt_models import Column, Model, read_models

TOY = CONTRACTS / "staging" / "stg_toy__person.yml"
Document = dict[str, Any]
SpoiledFile = Callable[[Callable[[Document], object]], Path]


@pytest.fixture
def spoiled(tmp_path: Path) -> SpoiledFile:
    """Write the toy contract after changing it."""

    def write(change: Callable[[Document], object]) -> Path:
        document = yaml.safe_load(TOY.read_text(encoding="utf-8"))
        change(document)
        path = tmp_path / "staging" / "stg_toy__person.yml"
        path.parent.mkdir()
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        return path

    return write


def _pid(document: Document) -> Document:
    rules: Document = document["columns"]["pid"]
    return rules


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda d: _pid(d)["C01"].update(severity=1),
            "pid.C01: no form of the rule fits: sent has no parameter",
        ),
        (lambda d: _pid(d).update(Z99={}), "not in the library: Z99"),
        (lambda d: _pid(d).update(C02="x"), "columns.pid.C02: Value error, a rule is bound with a mapping"),
        (
            lambda d: _pid(d)["C01"].update(name="english"),
            "columns.pid.C01.name: Value error, a check has a Chinese",
        ),
        (lambda d: _pid(d)["C01"].update(weight=0), "columns.pid.C01.weight"),
        (lambda d: _pid(d)["C01"].update(percent=100), "columns.pid.C01.percent"),
        (lambda d: _pid(d)["U02"].update(percent=5), "only a blocking rule has a percent"),
        (lambda d: _pid(d)["C01"].update({"from": "2026-02-30"}), "columns.pid.C01.from"),
        (
            lambda d: _pid(d)["C01"].update({"from": "2026-02-02", "until": "2026-02-01"}),
            "until is before from",
        ),
        (lambda d: _pid(d)["A01"].update(query="select 1"), "give either fails or query"),
        (lambda d: _pid(d)["A01"].update(form="sent"), "leaves no use for form"),
        (lambda d: _pid(d)["A01"].update(fails="{colum} is null"), "pid.A01: nothing to put for colum"),
        (lambda d: _pid(d).update(R03={"query": "select 1"}), "var.rows"),
        (
            lambda d: _pid(d).update(C01={"form": "spoken"}),
            "there is no form spoken; the rule has sent, typed",
        ),
        (lambda d: _pid(d).update(A04={}), "end wants start; start wants end"),
        (lambda d: _pid(d).update(A04={"start": "birthday"}), "stg_toy__person has no column birthday"),
        (lambda d: _pid(d).update(A05={}), "wants one of min, above, max"),
        (lambda d: _pid(d).update(A05={"max": "much"}), "max: is a number"),
        (lambda d: _pid(d).update(N02={"codes": "1"}), "codes: is a list of codes"),
        (lambda d: _pid(d).update(R01={"table": "base_nobody"}), "there is no dbt model base_nobody"),
        (
            lambda d: d["rules"]["R01"].update(target="name"),
            "rules.R01: target: toy_person has no column name",
        ),
        (lambda d: d["rules"].update(U01={}), "stands under a column"),
        (
            lambda d: _pid(d).update(A01={"fails": "nickname_raw is null"}),
            "the source sends no column nickname",
        ),
        (lambda d: d["columns"].update(age={"C01": {}}), "stg_toy__person has no column age"),
        (lambda d: d.update(region="village"), "stg_toy__person has no column village"),
        (lambda d: d.update(key=["number"]), "stg_toy__person has no column number"),
        (lambda d: d.update(department="市某局"), "departments.csv has no department 市某局"),
        (lambda d: d.update(department=""), "departments.csv has no department ''"),
        (lambda d: _pid(d)["C01"].update(department=""), "pid.C01: reference/departments.csv has no"),
        (lambda d: _pid(d).update(N02={"codes": ["01", 2]}), "codes: a code is a text within quotes, not 2"),
        (lambda d: _pid(d).update(N02={"codes": ["01", True]}), "within quotes, not True"),
        (lambda d: _pid(d).update(N02={"codes": ["01", None]}), "within quotes, not None"),
        (lambda d: _pid(d).update(N02={"codes": ["01", " "]}), "within quotes, not ' '"),
        (lambda d: _pid(d).update(A05={"min": 2, "max": 1}), "pid.A05: min is beyond max"),
        (lambda d: _pid(d).update(A05={"max": float("nan")}), "max: is a number"),
        (
            lambda d: d["columns"]["born_on"].update(
                N04={"earliest": date(2020, 1, 1), "latest": date(2000, 1, 1)}
            ),
            "born_on.N04: earliest is beyond latest",
        ),
        (lambda d: _pid(d)["C01"].update(given="false"), "pid.C01: (false) names no column"),
        (lambda d: _pid(d).update(C03={"when": "1 = 1"}), "pid.C03: (1 = 1) names no column"),
        (lambda d: _pid(d).update(A02={"fails": "true"}), "pid.A02: (true) names no column"),
        (
            lambda d: d["columns"]["born_on"]["A06"].update(given="born_on < ${var.businessdate}"),
            "born_on.A06: there is no variable ${var.businessdate}",
        ),
        (lambda d: d.update(filters="x"), "filters"),
        (lambda d: d["rules"].pop("C01"), "binds C01 as usable, blocking"),
        (lambda d: d["rules"]["C01"].update(gate=False), "binds C01 as usable, blocking"),
    ],
)
def test_a_fault_names_file_and_key(
    spoiled: SpoiledFile, change: Callable[[Document], object], named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_contract(spoiled(change), MODELS)
    assert "staging/stg_toy__person.yml" in str(caught.value)
    assert named in str(caught.value)


def test_a_rule_bound_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "staging" / "stg_toy__person.yml"
    path.parent.mkdir()
    path.write_text(TOY.read_text(encoding="utf-8") + "    A06: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="A06 stands twice"):
        load_contract(path, MODELS)


def test_a_key_that_is_no_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "staging" / "stg_toy__person.yml"
    path.parent.mkdir()
    path.write_text(TOY.read_text(encoding="utf-8") + "? [pid]\n: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="a key is a name"):
        load_contract(path, MODELS)


def test_a_contract_without_a_model_is_refused() -> None:
    with pytest.raises(ConfigError, match="stg_toy__person is not a dbt model of staging"):
        load_contracts(CONTRACTS, {})


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no contracts"):
        load_contracts(tmp_path)


def test_a_file_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "staging" / "broken.yml"
    path.parent.mkdir()
    path.write_text("columns: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"staging/broken\.yml is not YAML"):
        load_contract(path, MODELS)


def _only(contract: Contract, column: str, rule_id: str) -> Check:
    (found,) = (
        bound.check
        for bound in contract.bound()
        if (bound.column, bound.check.attributes.rule_id) == (column, rule_id)
    )
    return found


def test_a_check_is_called_by_its_columns_label_and_its_rules_title() -> None:
    contract = toy_contract()
    assert _only(contract, "born_on", "A06").name == "出生日期：事件发生在未来"
    assert _only(contract, "", "R01").name == "人员不在人口库中"
    assert _only(contract, "pid", "C01").attributes.department == "市公安局"


def test_a_rule_tests_nothing_outside_its_dates(spoiled: SpoiledFile, toy: ToySource) -> None:
    dates = {"from": date(2026, 2, 2), "until": date(2026, 2, 3)}
    contract = load_contract(spoiled(lambda d: d["columns"]["born_on"]["A06"].update(dates)), MODELS)
    bound = next(it for it in contract.bound() if it.check.attributes.rule_id == "A06")
    attributes = bound.check.attributes
    assert (attributes.effective_from, attributes.effective_until) == (dates["from"], dates["until"])
    query = sql.SQL("select {} from (values (date '2000-01-01')) as person (born_on)")
    tested = [
        toy.connection.execute(
            query.format(condition(contract, bound, Relation("s", "t", date(2026, 2, day))).tested)
        ).fetchone()
        for day in (1, 2, 3, 4)
    ]
    assert tested == [(False,), (True,), (True,), (False,)]


_TESTED = {
    "person_key": Column("人员键", not_null=True, unique=True),
    "sex": Column("性别", not_null=True, codes=("1", "2")),
    "village_code": Column("村居代码", refers_to=("base_village", "code")),
}
_VILLAGE = Model("base_village", "base", "市民政局", {"code": Column("代码", not_null=True, unique=True)})
_BUILT = Model("base_toy", "base", "市公安局", _TESTED)


def _derived(model: Model, folder: Path, written: str = "") -> Contract:
    """The contract of a built model, with what a file of its own says."""
    path = folder / "base" / "base_village.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("columns: {code: {N02: {pattern: '^[0-9]{12}$'}}}", encoding="utf-8")
    if written:
        (folder / "base" / f"{model.name}.yml").write_text(written, encoding="utf-8")
    models: Mapping[str, Model] = {it.name: it for it in (_VILLAGE, model)}
    return load_contracts(folder, models)[f"base.{model.name}"]


def test_a_built_models_own_tests_make_its_contract(tmp_path: Path) -> None:
    contract = _derived(_BUILT, tmp_path)
    assert (contract.huiliu.key, contract.huiliu.region) == (["person_key"], "village_code")
    assert contract.huiliu.department == "市公安局"
    bound = [(it.column, it.check.attributes) for it in contract.bound()]
    assert [(column, it.rule_id, it.blocking) for column, it in bound] == [
        ("person_key", "C01", True),
        ("person_key", "U01", True),
        ("sex", "C01", False),
        ("sex", "N02", False),
        ("village_code", "R01", False),
    ]
    assert _only(contract, "sex", "N02").expression == "\"sex\" not in ('1', '2')"
    assert '"base"."base_village"' in str(_only(contract, "village_code", "R01").query)


def test_a_rule_stated_by_hand_wins(tmp_path: Path) -> None:
    contract = _derived(_BUILT, tmp_path, "columns: {sex: {N02: {codes: ['1'], weight: 3}}}")
    assert _only(contract, "sex", "N02").attributes.weight == 3
    assert _only(contract, "sex", "C01").attributes.weight == 1


def test_columns_unique_together_are_the_key(tmp_path: Path) -> None:
    columns = {"month": Column("月份"), "kind": Column("类别")}
    contract = _derived(replace(_BUILT, columns=columns, together=(("month", "kind"),)), tmp_path)
    assert contract.huiliu.key == ["month", "kind"]
    assert _only(contract, "", "U01").filter == 'num_nonnulls("month", "kind") > 0'


def test_a_table_that_nothing_names_the_rows_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"base/base_toy\.yml: what names a row of base_toy"):
        _derived(replace(_BUILT, columns={"month": Column("月份")}), tmp_path)


def test_models_are_read_from_their_yaml(tmp_path: Path) -> None:
    layer = tmp_path / "models" / "base"
    layer.mkdir(parents=True)
    (layer / "_columns.md").write_text("{% docs sex %}性别：1 or 2{% enddocs %}", encoding="utf-8")
    (layer / "base_toy.yml").write_text(
        """
models:
  - name: base_toy
    config: {meta: {department: 市公安局}}
    data_tests: [{unique_together: {arguments: {columns: [sex, code]}}}]
    columns:
      - name: sex
        description: "{{ doc('sex') }}"
        data_tests: [not_null, {accepted_values: {arguments: {values: ['1', '2']}}}]
      - name: code
        description: "代码：of a village"
        data_tests: [{relationships: {arguments: {to: ref('base_village'), field: code}}}]
""",
        encoding="utf-8",
    )
    assert read_models(tmp_path / "models", tmp_path) == {
        "base_toy": Model(
            name="base_toy",
            layer="base",
            department="市公安局",
            columns={
                "sex": Column("性别", not_null=True, codes=("1", "2")),
                "code": Column("代码", refers_to=("base_village", "code")),
            },
            together=(("sex", "code"),),
        )
    }
