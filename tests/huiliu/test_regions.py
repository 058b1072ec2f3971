"""Region codes: Yantai as published, other cities by configuration, and errors named exactly."""

from __future__ import annotations

from pathlib import Path

import pytest

from huiliu.errors import ConfigError
from huiliu.regions import consumer_code, front_code, front_schema, load, load_changes
from huiliu.settings import PROJECT_ROOT

YANTAI = PROJECT_ROOT / "reference" / "regions" / "yantai.csv"
HEADER = "code,name,level,parent_code"
CITY = "110100000000,甲市,city,110000000000"
DISTRICT = "110101000000,乙区,district,110100000000"
TOWNSHIP = "110101001000,丙街道,township,110101000000"
OTHER_CITY = "220100000000,丁市,city,220000000000"


def write(folder: Path, *rows: str, encoding: str = "utf-8") -> Path:
    path = folder / "city.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding=encoding)
    return path


def test_yantai_is_whole() -> None:
    regions = load(YANTAI)
    assert (regions.city.code, regions.city.name) == ("370600000000", "烟台市")
    assert [len(regions.districts), len(regions.townships), len(regions.villages)] == [13, 159, 6509]
    assert len(regions.consumers) == 1 + 13 + 159
    assert len(regions.front_codes) == 14


def test_consumers_have_codes_databases_and_schemas() -> None:
    regions = load(YANTAI)
    township = regions.by_consumer_code("370602001")
    assert regions.label(township) == "芝罘区 向阳街道"
    assert [consumer_code(region) for region in (regions.city, regions.districts[0], township)] == [
        "3706",
        "370602",
        "370602001",
    ]
    assert [front_code(code) for code in ("3706", "370602", "370602001")] == ["3706", "370602", "370602"]
    assert [front_schema(code) for code in ("3706", "370602", "370602001")] == [
        "c3706",
        "d370602",
        "t370602001",
    ]
    with pytest.raises(ValueError, match="village"):
        consumer_code(regions.villages[0])
    with pytest.raises(ConfigError, match="烟台市 has no consumer 110101001"):
        regions.by_consumer_code("110101001")


def test_a_city_without_villages_or_province(tmp_path: Path) -> None:
    regions = load(write(tmp_path, CITY, DISTRICT, TOWNSHIP, encoding="utf-8-sig"))
    assert (regions.city.name, len(regions.townships), regions.villages) == ("甲市", 1, [])


def test_one_of_several_cities_is_chosen_by_its_code(tmp_path: Path) -> None:
    path = write(tmp_path, OTHER_CITY, CITY, DISTRICT, TOWNSHIP)
    assert load(path, "1101").city.name == load(path, "110100000000").city.name == "甲市"
    with pytest.raises(ConfigError, match="HUILIU_CITY say which; it holds: 2201 丁市, 1101 甲市"):
        load(path)
    with pytest.raises(ConfigError, match="holds no city 3301"):
        load(path, "3301")
    with pytest.raises(ConfigError, match="holds no district of 丁市"):
        load(path, "2201")


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (
            [CITY, DISTRICT, TOWNSHIP.replace("110101001000", "11010100100")],
            "row 4, column code: .* 12 digits",
        ),
        (
            [CITY, DISTRICT.replace("district", "county"), TOWNSHIP],
            'row 3, column level: "county" must be one of',
        ),
        ([CITY, DISTRICT, TOWNSHIP.replace("丙街道", " ")], "row 4, column name: must not be empty"),
        ([CITY, DISTRICT, TOWNSHIP, TOWNSHIP], "row 5, column code: 110101001000 stands in row 4 already"),
        (
            [CITY, DISTRICT, "110101001001,丙街道,township,110101000000"],
            "row 4, column code: .* end in 3 zeros",
        ),
        (
            [CITY, DISTRICT, "110102001000,丙街道,township,110102000000"],
            "row 4, column parent_code: .* not in the file",
        ),
        (
            [CITY, DISTRICT, "110102001000,丙街道,township,110101000000"],
            "row 4, column parent_code: .* not the district",
        ),
        (
            [CITY, DISTRICT, "110101001000,丙街道,township,110100000000"],
            "row 4, column parent_code: .* not the district",
        ),
        ([CITY, DISTRICT, "110101001000,丙街道,township"], "row 4, column parent_code: is missing"),
    ],
)
def test_what_is_wrong_is_named_by_file_row_and_column(
    tmp_path: Path, rows: list[str], complaint: str
) -> None:
    path = write(tmp_path, *rows)
    with pytest.raises(ConfigError, match=f"{path}, {complaint}"):
        load(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no file .*absent.csv\. Fix: correct HUILIU_REGIONS"):
        load(tmp_path / "absent.csv")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(write(tmp_path, CITY, DISTRICT, TOWNSHIP, encoding="gb18030"))
    (tmp_path / "headless.csv").write_text("code,name\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="column level: is missing from the header"):
        load(tmp_path / "headless.csv")


def test_changes_of_codes(tmp_path: Path) -> None:
    changes = load_changes(YANTAI.with_name("yantai_changes.csv"))
    assert [(change.old_name, change.new_name) for change in changes] == [
        ("蓬莱市", "蓬莱区"),
        ("长岛县", "蓬莱区"),
    ]
    known = {region.code for region in load(YANTAI).consumers}
    assert all(change.new_code in known for change in changes)
    assert load_changes(YANTAI.with_name("no_changes.csv")) == []
    wrong = tmp_path / "changes.csv"
    wrong.write_text(
        "old_code,old_name,valid_until,new_code,new_name,what\n110101000000,乙区,去年,110102000000,戊区,merged\n"
    )
    with pytest.raises(ConfigError, match="row 2, column valid_until"):
        load_changes(wrong)
