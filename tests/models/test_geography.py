"""Addresses, buildings and places against the truth, and against an oracle that reads names only."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import LiteralString, cast

import pandas as pd
import pytest
from jinja2 import Template
from psycopg import sql

from huiliu import regions
from huiliu.database import connect
from huiliu.settings import get_settings
from tests.models.address_oracle import Oracle, normal

# Looked up before the fixtures put the developer's environment aside: a real register, if there is one.
REGISTER = os.environ.get("HUILIU_REGISTRY")
FORMS = (
    "{city}{district}{township}",
    "山东省{city}{district}{township}驻地",
    "{short}{district}{township}文化路８８号",
    "{district}{township}　工业园",
    "{district}{office}西首",
)


def _frame(query: LiteralString) -> pd.DataFrame:
    with connect("warehouse") as connection:
        cursor = connection.execute(query)
        assert cursor.description is not None
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])


def _truth(home: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(home / "truth" / f"{table}.parquet")


def _composed() -> list[str]:
    """Every current township in every form, and the first villages of each."""
    city = regions.load()
    names = {region.code[:6]: region.name for region in city.districts}
    texts = []
    for township in city.townships:
        stem = township.name.removesuffix("街道")
        office = f"{stem}办事处" if stem != township.name else township.name
        words = {
            "city": city.city.name,
            "short": city.city.name.removesuffix("市"),
            "district": names[township.code[:6]],
            "township": township.name,
            "office": office,
        }
        texts += [form.format(**words) for form in FORMS]
        texts += [
            f"{words['district']}{township.name}{village.name.removesuffix('村委会')}村北"
            for village in city.villages
            if village.parent_code == township.code and village.name.endswith("村委会")
        ][:5]
    elsewhere = (
        "青岛市黄岛区烟台东七路126号",
        "威海市烟台东路5号",
        "河北省廊坊市永清县韩村镇",
        "莱西市烟台路9号",
    )
    former = ("蓬莱市登州路34号", "烟台市长岛县县府街2号", "山东省蓬莱市北沟镇驻地")
    return [*texts, *elsewhere, *former]


def _registered() -> list[str]:
    if REGISTER is None:
        return []
    with Path(REGISTER).open(encoding="gb18030", newline="") as file:
        return [row["注册地址"] for row in csv.DictReader(file) if normal(row["注册地址"]) not in ("", "N/A")]


Resolved = dict[str, tuple[str | None, str, str | None, str | None]]
STEPS = (
    "int_address_headed",
    "int_address_named",
    "int_road_located",
    "int_door_known",
    "base_geography__address",
)


def _rendered(model: str) -> str:
    """The model's own SQL, reading temporary tables where it reads one of the steps before it."""
    folder = get_settings().project_root / "dbt_project" / "models" / "base" / "geography"
    temporary = {"int_address_listed", *STEPS}
    return Template((folder / f"{model}.sql").read_text(encoding="utf-8")).render(
        config=lambda **_: "",
        ref=lambda name: f"pg_temp.{name}" if name in temporary else f"base.{name}",
        is_incremental=lambda: False,
        touched=lambda: "",
    )


@pytest.fixture(scope="module")
def resolved(built_city: Path) -> Resolved:
    """Address text -> region, method, township and district, of composed and registered texts."""
    texts = sorted({*_composed(), *_registered()})
    with connect("warehouse", autocommit=False) as connection:
        connection.execute("set local enable_nestloop = off")
        connection.execute(
            "create temporary table int_address_listed as select distinct on (std.address_key(text))"
            " std.address_key(text) as address_key, std.clean_code(text) as address, array['test'] as sources"
            " from unnest(%s::text[]) as it (text)",
            (texts,),
        )
        for step in STEPS:
            body = sql.SQL(cast(LiteralString, _rendered(step)))
            connection.execute(sql.SQL("create temporary table {} as {}").format(sql.Identifier(step), body))
        rows = connection.execute(
            "select it.text, region_code, method, township_code, district_code"
            " from unnest(%s::text[]) as it (text)"
            " left join pg_temp.base_geography__address on std.address_key(it.text) = address_key",
            (texts,),
        ).fetchall()
        connection.rollback()
    assert len(rows) == len(texts) > 1000
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    """What the texts name, by their names alone."""
    return Oracle.of(regions.load(), regions.load_changes(), "山东")


def test_what_names_a_current_township_resolves_to_it(resolved: Resolved, oracle: Oracle) -> None:
    named = {text: oracle.read(text) for text in resolved}
    with_township = [text for text, found in named.items() if found.townships]
    wrong = [text for text in with_township if resolved[text][2] not in named[text].townships]
    assert len(with_township) > 800
    assert len(wrong) <= 0.01 * len(with_township), wrong[:20]
    astray = [
        text for text, found in named.items() if found.districts and resolved[text][3] not in found.districts
    ]
    assert astray == []


def test_what_names_a_village_unique_there_resolves_to_it(resolved: Resolved, oracle: Oracle) -> None:
    named = {text: oracle.read(text).villages for text in resolved}
    unique = {text: codes for text, codes in named.items() if len(codes) == 1}
    assert len(unique) > 300
    wrong = [text for text, codes in unique.items() if resolved[text][0] not in codes]
    assert len(wrong) <= 0.01 * len(unique), wrong[:20]


def test_nothing_resolves_outside_what_it_names(resolved: Resolved, oracle: Oracle) -> None:
    elsewhere = [text for text in resolved if oracle.read(text).is_elsewhere]
    assert len(elsewhere) >= 4
    assert {resolved[text][:2] for text in elsewhere} == {(None, "outside")}
    former = [text for text in resolved if "蓬莱市" in text[:8] or "长岛县" in text[:8]]
    assert len(former) >= 3
    assert {resolved[text][3] for text in former} == {"370614"}


def test_a_code_is_answered_on_its_date(built_city: Path) -> None:
    rows = _frame(
        "select * from base.base_region__code where region_code = '370684000000' order by valid_until"
    )
    assert rows["code_then"].tolist() == ["370684000000", "370614000000"]
    assert str(rows["valid_until"][0]) == "2020-06-30"
    assert str(rows["valid_from"][1]) == "2020-07-01"


def test_buildings_are_the_true_ones_with_their_villages(built_city: Path) -> None:
    """A blank village code is in the number; swapped coordinates are put right, impossible ones left out."""
    built = _frame("select building_no, village_code, lon, lat from base.base_geography__building")
    both = _truth(built_city, "building").merge(built, on="building_no", suffixes=("", "_built"))
    assert len(both) > 0.95 * len(built) > 150
    assert (both["village_code"] == both["village_code_built"]).all()
    known = both[both["lon_built"].notna()]
    assert 0.7 < len(known) / len(both) < 1
    assert ((known["lon"] - known["lon_built"].astype(float)).abs() < 1e-6).all()
    assert ((known["lat"] - known["lat_built"].astype(float)).abs() < 1e-6).all()


def test_an_address_with_a_door_resolves_to_its_building(built_city: Path) -> None:
    found = _frame("select address, region_code from base.base_geography__address where method = 'building'")
    true = _truth(built_city, "building").drop_duplicates("address").set_index("address")["village_code"]
    known = found[found["address"].isin(true.index)]
    assert len(known) > 100
    assert (known["region_code"] == true.loc[known["address"]].to_numpy()).all()


def test_every_object_of_emergencies_stands_in_one_dimension_and_its_township(built_city: Path) -> None:
    objects = _frame("select object_key, dimension, township_code from theme.theme_emergency__object")
    assert objects["object_key"].is_unique
    assert set(objects["dimension"]) == {"人", "地", "物", "组织", "事"}
    true = _truth(built_city, "emergency_object").set_index("code")
    placed = objects[~objects["object_key"].str.startswith("person:")]
    placed = placed.set_index(placed["object_key"].str.partition(":")[2])
    assert set(placed.index) == set(true.index)
    known = placed[placed["township_code"].notna()]
    assert len(known) > 0.85 * len(placed)
    assert (known["township_code"] == true.loc[known.index, "village_code"].str[:9]).all()


def test_exceedances_are_those_of_the_truth(built_city: Path) -> None:
    readings = _frame("select reading_no, value, limit_value, exceeds from theme.theme_ecology__reading")
    permits = _truth(built_city, "discharge_permit").set_index("permit_no")["limit_value"]
    true = _truth(built_city, "discharge_reading").set_index("reading_no")
    both = readings[readings["limit_value"].notna()].join(true, on="reading_no", rsuffix="_true", how="inner")
    assert len(both) > 100
    assert (both["exceeds"] == (both["value_true"] > both["permit_no"].map(permits))).all()
