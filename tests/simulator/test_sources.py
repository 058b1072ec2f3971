"""What the sources hold is the truth but for the recorded faults, and every recorded fault is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from stdnum.cn import ric, uscc

from huiliu.regions import Regions
from simulator import days
from simulator.rates import load as load_rates
from tests.dirtier_rates import dirtier
from tests.simulator import contents
from tests.simulator.contents import Rows

NewCity = Callable[..., Path]
ARCHIVE = ("marriage_archive", "record")
OLD_ARCHIVE = ("marriage_archive", "old_record")  # the same file; its older scans have faults of their own
ALL_KEYS = {**contents.KEYS, **contents.FILE_KEYS, ("veterans", "service_record"): "seq_no"}
ALL_KEYS[OLD_ARCHIVE] = ALL_KEYS[ARCHIVE]
Faults = list[dict[str, object]]


class Shown:
    """The sources of a city as read back, with its truth and recorded faults."""

    def __init__(self, home: Path, today: date) -> None:
        self.home, self.today = home, today
        self.tables: dict[tuple[str, str], Rows] = {pair: contents.table(*pair) for pair in contents.KEYS}
        self.tables |= {pair: contents.file_table(home, *pair) for pair in contents.FILE_KEYS}
        self.sheets = contents.ledger(home)
        self.tables["veterans", "service_record"] = {
            key: row for sheet in self.sheets.values() for key, row in sheet.items()
        }
        self.tables[OLD_ARCHIVE] = self.tables[ARCHIVE]
        self.faults = contents.truth(home, "fault")

    def of(self, source: str, table: str) -> Faults:
        return [it for it in self.faults if (it["source"], it["table_name"]) == (source, table)]


@pytest.fixture(scope="module", params=[0, 3], ids=["new city", "after three days"])
def shown(
    request: pytest.FixtureRequest, home: Path, other_city: Regions, tmp_path_factory: pytest.TempPathFactory
) -> Shown:
    from simulator import city
    from tests.simulator.conftest import CHANGES, START

    folder = tmp_path_factory.mktemp("city")
    today = city.create(4000, 11, START, other_city, folder, changes=CHANGES, rates=dirtier())
    if request.param:
        today = days.advance(request.param, folder, rates=dirtier())
    return Shown(folder, today)


def test_every_kind_of_fault_is_planted_and_none_by_mistake(shown: Shown) -> None:
    kinds = {str(fault["kind"]) for fault in shown.faults}
    assert kinds == {"blank", "wrong", "id15", "full_width", "format", "duplicate", "late", "contradictory"}
    recorded = {f"{fault['source']}.{fault['table_name']}" for fault in shown.faults}
    dirty = set(load_rates().dirt)
    assert recorded <= dirty
    # A handful of rows may be clean by chance.
    assert dirty - recorded <= {
        f"{pair[0]}.{pair[1]}" for pair, rows in shown.tables.items() if len(rows) < 30
    }


def test_recorded_values_stand_in_the_sources(shown: Shown) -> None:
    checked = 0
    for fault in shown.faults:
        pair = (str(fault["source"]), str(fault["table_name"]))
        if pair == ("enterprise_registry", "enterprise") or not fault["column_name"]:
            continue  # the register has no key: see the next test
        rows = shown.tables[pair]
        assert rows[str(fault["row_key"])][str(fault["column_name"])] == fault["planted"]
        assert fault["planted"] != fault["original"]
        checked += 1
    assert checked > 500


def test_recorded_values_stand_in_the_register(shown: Shown) -> None:
    labels = {
        "name": "企业名称",
        "uscc": "统一社会信用代码",
        "capital": "注册资金",
        "established_on": "注册日期",
        "address": "注册地址",
    }
    rows = contents.register(shown.home)
    faults = [fault for fault in shown.of("enterprise_registry", "enterprise") if fault["column_name"]]
    assert faults
    for fault in faults:
        planted = fault["planted"] or ""
        assert any(row[labels[str(fault["column_name"])]] == planted for row in rows)


def test_repeated_rows_repeat_all_but_the_key(shown: Shown) -> None:
    repeats = [
        it
        for it in shown.faults
        if it["kind"] == "duplicate" and (it["source"], it["table_name"]) in shown.tables
    ]
    assert repeats
    for fault in repeats:
        pair = (str(fault["source"]), str(fault["table_name"]))
        first, second = (dict(shown.tables[pair][str(fault[side])]) for side in ("original", "planted"))
        for row in (first, second):
            row.pop(ALL_KEYS[pair])
            row.pop("updated_at", None)
        assert first == second


def test_late_rows_appear_on_their_day_and_not_before(shown: Shown) -> None:
    late = [it for it in shown.faults if it["kind"] == "late"]
    assert late
    for fault in late:
        appears = date.fromisoformat(str(fault["planted"]))
        assert appears > date.fromisoformat(str(fault["original"]))
        rows = shown.tables[str(fault["source"]), str(fault["table_name"])]
        assert (str(fault["row_key"]) in rows) == (appears <= shown.today)


def test_a_row_has_at_most_one_identity_fault(shown: Shown) -> None:
    identity = {name: set(dirt.identity) for name, dirt in load_rates().dirt.items()}
    rows = Counter(
        (fault["source"], fault["table_name"], fault["row_key"])
        for fault in shown.faults
        if fault["column_name"] in identity[f"{fault['source']}.{fault['table_name']}"]
    )
    assert set(rows.values()) == {1}


def test_no_faulty_number_that_has_a_check_is_valid(shown: Shown) -> None:
    wrong = [it for it in shown.faults if it["kind"] == "wrong" and str(it["column_name"]).endswith("pid")]
    assert wrong
    for fault in wrong:
        pid = str(fault["planted"])
        # One of 15 digits has no check: nothing in it shows that a digit was misread.
        if len(pid) != 15:
            assert ric.calc_check_digit(pid) != pid[-1]
    short = [(str(it["original"]), str(it["planted"])) for it in wrong if len(str(it["planted"])) == 15]
    assert {planted.isdigit() for _, planted in short} == {True, False}
    assert {sum(a != b for a, b in zip(*pair, strict=True)) for pair in short} == {1}
    codes = [it for it in shown.faults if it["kind"] == "wrong" and str(it["column_name"]).endswith("uscc")]
    assert codes
    assert not any(uscc.is_valid(str(fault["planted"])) for fault in codes)


@pytest.mark.parametrize("table", ["resident", "insurance", "service_record"])
def test_sources_differ_from_the_truth_only_as_recorded(shown: Shown, table: str) -> None:
    people = {person["person_id"]: person for person in contents.truth(shown.home, "person")}
    source, rows, key = {
        "resident": ("police", list(people.values()), "person_id"),
        "insurance": ("social_security", contents.truth(shown.home, "insurance"), "insurance_id"),
        "service_record": ("veterans", contents.truth(shown.home, "service"), "seq_no"),
    }[table]
    columns = {
        "resident": (
            "birth_date",
            "nation",
            "hukou_type",
            "village_code",
            "household_no",
            "relation",
            "phone",
            "sex",
        ),
        "insurance": ("insurance_kind", "status", "started_on", "ended_on"),
        "service_record": ("enlisted_on", "discharged_on", "discharge_kind"),
    }[table]
    recorded = {(it["row_key"], it["column_name"]) for it in shown.of(source, table)}
    found = shown.tables[source, table]
    assert len(rows) > 50
    for row in rows:
        expected = {column: row[column] for column in columns}
        expected |= {column: people[row["person_id"]][column] for column in ("pid", "name")}
        have = found[str(row[key])]
        differing = {
            (str(row[key]), c)
            for c, value in expected.items()
            if have[c] != (None if value is None else str(value))
        }
        assert differing <= recorded
    assert len(found) - len(rows) == sum(
        it["kind"] in ("duplicate", "contradictory") for it in shown.of(source, table)
    )


def test_police_status_says_who_is_gone_as_far_as_the_police_know(shown: Shown) -> None:
    known = {it["person_id"]: it["police_reported_on"] for it in contents.truth(shown.home, "death")}
    cancelled = {row["cancellation_id"] for row in shown.tables["police", "cancellation"].values()}
    for person in contents.truth(shown.home, "person"):
        reported = known.get(person["person_id"])
        gone = person["left_on"] is not None or (reported is not None and reported <= shown.today)
        key = str(person["person_id"])
        assert shown.tables["police", "resident"][key]["status"] == ("0" if gone else "1")
        assert (key in cancelled) == gone


def test_a_death_unknown_to_one_source_is_known_to_the_other(shown: Shown) -> None:
    health = {row["certificate_no"] for row in shown.tables["health", "death"].values()}
    for number, death in enumerate(contents.truth(shown.home, "death"), start=1):
        reported = death["health_reported_on"]
        assert (f"D{number:010d}" in health) == (reported is not None and reported <= shown.today)


def test_what_a_verdict_infers_from_an_absence_is_never_late_nor_nameless(shown: Shown) -> None:
    veterans = {row["person_id"] for row in contents.truth(shown.home, "service")}
    for fault in shown.faults:
        pair = (fault["source"], fault["table_name"])
        if fault["kind"] == "late":
            assert pair not in {("social_security", "insurance"), ("civil_affairs", "subsidy_award")}
        if str(fault["column_name"]).endswith("name") and fault["kind"] == "blank":
            assert fault["person_id"] not in veterans


def test_the_contradicted_row_is_clean_itself(shown: Shown) -> None:
    pairs = [it for it in shown.faults if it["kind"] == "contradictory" and it["column_name"]]
    assert {it["column_name"] for it in pairs} == {
        column for dirt in load_rates().dirt.values() for column in dirt.contradictory
    }
    faulty = {(it["source"], it["table_name"], it["row_key"]) for it in shown.faults}
    for fault in pairs:
        place = (str(fault["source"]), str(fault["table_name"]))
        rows, column = shown.tables[place], str(fault["column_name"])
        apart = {ALL_KEYS[place], column, "updated_at"}
        second = rows[str(fault["row_key"])]
        same = [
            key
            for key, row in rows.items()
            if row is not second and all(row[it] == value for it, value in second.items() if it not in apart)
        ]
        assert [rows[key][column] for key in same] == [fault["original"]]
        assert (*place, same[0]) not in faulty


def test_the_ledger_has_titles_merged_headers_and_a_sheet_for_each_district(shown: Shown) -> None:
    import openpyxl

    book = openpyxl.load_workbook(shown.home / contents.LEDGER)
    assert book.sheetnames == ["德城区", "宁津县", "武城县", "乐陵市"]
    sheet = book.worksheets[0]
    assert sheet["A1"].value == "德州市退役军人服务台账"
    assert shown.today.isoformat() in sheet["A2"].value
    assert {"A1:N1", "F3:G3", "H3:J3", "K3:L3", "A3:A4"} <= {
        str(cells) for cells in sheet.merged_cells.ranges
    }
    assert [cell.value for cell in sheet[4]][5:7] == ["入伍时间", "入伍地"]
    for name, rows in shown.sheets.items():
        assert {row["district_name"] for row in rows.values()} <= {name}


def test_each_file_of_tax_payments_has_a_manifest_that_is_right(shown: Shown) -> None:
    files = sorted((shown.home / "sources" / "taxation").glob("payment_*.csv"))
    assert files
    for file in files:
        said = json.loads(file.with_name(f"{file.name}.json").read_text(encoding="utf-8"))
        content = file.read_bytes()
        assert said == {"rows": content.count(b"\r\n") - 1, "sha256": sha256(content).hexdigest()}


def test_the_register_has_the_form_of_real_ones(shown: Shown) -> None:
    rows = contents.register(shown.home)
    assert list(rows[0]) == [
        "企业名称",
        "统一社会信用代码",
        "注册日期",
        "企业类型",
        "注册资金",
        "经营范围",
        "所在省份",
        "地区",
        "注册地址",
    ]
    capitals = {row["注册资金"].lstrip("0123456789.") for row in rows}
    assert {"万人民币", "万美元", "万元人民币", "N/A"} <= capitals
    assert any("陵县" in row["注册地址"] for row in rows)
    assert any(row["统一社会信用代码"][2:8] == "371421" for row in rows)


def test_a_spoilt_value_that_is_written_anew_is_a_fault_no_more(
    home: Path, other_city: Regions, tmp_path: Path
) -> None:
    from simulator import city, rates
    from tests.simulator.conftest import CHANGES, START

    city.create(2000, 5, START, other_city, tmp_path, changes=CHANGES)
    plain = rates.load()
    lively = plain.model_copy(update={"daily": plain.daily.model_copy(update={"new_phones": 1.0})})
    phones = {"source": "police", "table_name": "resident", "column_name": "phone"}

    def kinds() -> set[object]:
        faults = contents.truth(tmp_path, "fault")
        return {it["kind"] for it in faults if phones.items() <= it.items() and it["planted_on"] == START}

    assert kinds() == {"blank", "wrong", "full_width"}
    days.advance(1, tmp_path, rates=lively)
    people = {it["person_id"]: it for it in contents.truth(tmp_path, "person")}
    rows = contents.table("police", "resident")
    faults = contents.truth(tmp_path, "fault")
    recorded = [it for it in faults if phones.items() <= it.items() and it["planted_on"] == START]
    assert "blank" in kinds()
    for fault in recorded:
        assert fault["original"] == people[fault["person_id"]]["phone"]
        assert fault["planted"] is None or not people[fault["person_id"]]["resident"]
        assert rows[str(fault["row_key"])]["phone"] == fault["planted"]
