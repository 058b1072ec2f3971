"""The standardisation functions against python-stdnum, Python's calendar, and input that is no such thing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

GARBAGE = [
    "", " ", "　", "张三", "N/A", "'", "\\", "\\x00", "%s", "0", "-1", "９９", "1e99", "9" * 40, "X" * 18,
    "00000000000000000X",
    "2025-02-30", "2025-13-01", "99999999", "1,2,3", "1..2", "١٩٩٠", "\u200b", "🀄", "110105194912310021",
    "0000-00-00",
]  # fmt: skip
TEXT_FUNCTIONS = [
    "clean_text", "clean_code", "clean_name", "try_date", "try_date_until", "try_timestamp", "try_bigint",
    "try_numeric", "try_amount", "try_count", "try_age", "month_code", "year_code", "capital_currency",
    "capital_amount", "capital_yuan", "resident_id", "resident_id_is_valid",
    "checked_resident_id", "claimed_resident_id",
    "birth_date_of", "sex_of", "mask_resident_id", "uscc_is_valid", "uscc", "sex_code",
]  # fmt: skip

Call = Callable[[str, list[str]], list[Any]]

# The last and the first of what a calendar has, and what it has not.
EDGE_DAYS = (
    "19000228", "19000229", "20000229", "19990229", "20240230", "19991301", "19990100", "18000101",
    "17991231",
)  # fmt: skip


@pytest.fixture
def call(warehouse: psycopg.Connection) -> Iterator[Call]:
    """Apply a function of schema std to many values at once."""

    def apply(name: str, values: list[str]) -> list[Any]:
        query = sql.SQL(
            "select std.{}(value) from unnest(%s::text[]) with ordinality as it (value, n) order by n"
        )
        return [row[0] for row in warehouse.execute(query.format(sql.Identifier(name)), [values])]

    return apply


def resident_ids(count: int) -> list[str]:
    chance = random.Random(11643)  # noqa: S311 - a repeatable test, not a secret
    numbers = []
    for _ in range(count):
        born = date(1900, 1, 1) + timedelta(days=chance.randrange(45_000))
        body = f"{chance.randrange(110000, 660000)}{born:%Y%m%d}{chance.randrange(1000):03d}"
        numbers.append(body + ric.calc_check_digit(body + "0"))
    return numbers


@pytest.mark.parametrize("name", TEXT_FUNCTIONS)
def test_no_input_raises(call: Call, name: str) -> None:
    assert len(call(name, GARBAGE)) == len(GARBAGE)


@pytest.mark.parametrize("name", TEXT_FUNCTIONS)
def test_missing_stays_missing(warehouse: psycopg.Connection, name: str) -> None:
    row = warehouse.execute(sql.SQL("select std.{}(null)").format(sql.Identifier(name))).fetchone()
    assert row == (None,)


def by_stdnum(written: str) -> str | None:
    """The standard number by python-stdnum and Python's calendar.

    Not ric.validate: its list of regions is behind the country's.
    """
    number = written
    if len(number) == 15:
        number = f"{number[:6]}19{number[6:]}"
        number += ric.calc_check_digit(number + "0")
    try:
        if ric.get_birth_date(number).year < 1800:  # nobody living, nor in any book that is read
            return None
    except ValidationError:
        return None
    return number if number[-1] == ric.calc_check_digit(number) else None


def test_resident_ids_agree_with_stdnum(call: Call) -> None:
    chance = random.Random(1999)  # noqa: S311 - a repeatable test, not a secret
    valid = resident_ids(40_000)
    # One character changed anywhere, two neighbours exchanged, the old form, anything with digits only.
    places = [chance.randrange(17) for _ in valid]
    changed = [
        n[:at] + chance.choice("0123456789") + n[at + 1 :] for n, at in zip(valid, places, strict=True)
    ]
    exchanged = [
        n[:at] + n[at + 1] + n[at] + n[at + 2 :] for n, at in zip(valid[:20_000], places, strict=False)
    ]
    old = [f"{n[:6]}{n[8:17]}" for n in valid[:10_000]]
    loose = [f"{chance.randrange(10**18):018d}" for _ in range(10_000)]
    edges = [
        f"370602{day}{order}{check}"
        for day in EDGE_DAYS
        for order in ("001", "998")
        for check in "0123456789X"
    ]
    values = [n for n in (*valid, *changed, *exchanged, *old, *loose, *edges) if not n[:17].endswith("X")]
    assert len(values) > 100_000
    assert call("resident_id", values) == [by_stdnum(value) for value in values]
    assert call("birth_date_of", valid) == [ric.get_birth_date(number) for number in valid]


def test_one_wrong_digit_anywhere_is_found(call: Call) -> None:
    number = "11010519491231002X"
    wrong = [
        number[:at] + digit + number[at + 1 :]
        for at in range(17)
        for digit in "0123456789"
        if digit != number[at]
    ]
    assert set(call("resident_id", wrong)) == {None}


def test_vectors_of_gb_11643(call: Call) -> None:
    assert call("resident_id", ["11010519491231002X", "440524188001010014"]) == [
        "11010519491231002X",
        "440524188001010014",
    ]
    assert call("sex_of", ["11010519491231002X", "440524188001010014"]) == ["2", "1"]


def test_a_number_of_fifteen_digits_gains_its_century_and_check_character(call: Call) -> None:
    full = [number for number in resident_ids(120_000) if number[6:8] == "19"]
    assert len(full) > 90_000
    assert call("resident_id", [number[:6] + number[8:17] for number in full]) == full


def test_a_number_without_a_check_is_a_claim(call: Call) -> None:
    """One wrong digit in fifteen gives a valid-looking number of somebody else: its form says nothing."""
    full = "110105194912310027"
    full = full[:17] + ric.calc_check_digit(full)
    written = [full, full[:6] + full[8:17], "11010519491231002", "３７０６", None]
    assert call("checked_resident_id", written) == [full, None, None, None, None]
    assert call("claimed_resident_id", written) == [None, written[1], "11010519491231002", "3706", None]


def test_full_width_lower_case_and_spaces_are_one_number(call: Call) -> None:
    written = [
        "１１０１０５１９４９１２３１００２Ｘ",
        "11010519491231002x",
        " 110105 19491231 002X ",
        "\u200b11010519491231002Ｘ\ufeff",
    ]
    assert call("resident_id", written) == ["11010519491231002X"] * 4
    assert call("resident_id_is_valid", written) == [True] * 4


def test_a_number_with_an_impossible_birth_date_is_none(call: Call) -> None:
    body = "11010519490231002"
    assert call("resident_id", [body + ric.calc_check_digit(body + "0")]) == [None]


def test_credit_codes_agree_with_stdnum(call: Call) -> None:
    chance = random.Random(32100)  # noqa: S311 - a repeatable test, not a secret
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    codes = ["91350100M000100Y43"]
    for _ in range(100_000):
        body = f"91{chance.randrange(110000, 660000)}" + "".join(chance.choices(alphabet, k=9))
        codes.append(body + chance.choice([uscc.calc_check_digit(body), *alphabet]))
    codes += ["91350100I000100Y43", "A1350100M000100Y43", "91350100M000100Y4", "91350100M000100Y433"]
    assert call("uscc_is_valid", codes) == [uscc.is_valid(code) for code in codes]


def test_credit_codes_of_every_authority_are_known(call: Call) -> None:
    """GB 32100 has letters for three: N agriculture, A the military, Y others (python-stdnum knows none)."""
    codes = [
        body + uscc.calc_check_digit(body)
        for body in ("N2370602MF0001234", "A1370602MF0001234", "Y1370602MF0001234", "B1370602MF0001234")
    ]
    assert call("uscc_is_valid", codes) == [True, True, True, False]


def test_white_space_of_any_width_is_blank(call: Call) -> None:
    texts = ["", " ", "\t", "\u3000", " \u200b\n", "\u00a0", "\u200d\u2060\u00ad", "-", " 无 "]
    assert call("is_blank", texts) == [True] * 7 + [False] * 2


def test_a_credit_code_that_fails_is_kept(call: Call) -> None:
    assert call("uscc", ["91350100m000100y44", "９１３５０１００Ｍ０００１００Ｙ４３", "913501", "N/A"]) == [
        "91350100M000100Y44", "91350100M000100Y43", None, None,
    ]  # fmt: skip


def test_dates_in_every_form(call: Call) -> None:
    forms = [
        "2024-02-29",
        "20240229",
        "2024/2/29",
        "2024.2.29",
        "2024年2月29日",
        "２０２４－０２－２９",
        "2024-02-29 00:00:00",
        " 2024/02/29",
    ]
    assert call("try_date", forms) == [date(2024, 2, 29)] * len(forms)
    assert call("try_date", ["1984.10", "1984年10月", "1984-10"]) == [date(1984, 10, 1)] * 3
    assert call("try_date_until", ["2020-06", "2020-02", "2020-06-15"]) == [
        date(2020, 6, 30),
        date(2020, 2, 29),
        date(2020, 6, 15),
    ]
    impossible = [
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-00-10",
        "24-01-01",
        "202401",
        "2024-01-01日期",
    ]
    assert call("try_date", impossible) == [None] * len(impossible)


def test_every_day_of_leap_and_common_years_agrees_with_the_calendar(call: Call) -> None:
    texts = [
        f"{year}-{month:02d}-{day:02d}"
        for year in (1900, 2000, 2023, 2024)
        for month in range(14)
        for day in range(33)
    ]

    def by_calendar(text: str) -> date | None:
        try:
            return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            return None

    assert call("try_date", texts) == [by_calendar(text) for text in texts]


def test_timestamps(call: Call) -> None:
    assert call(
        "try_timestamp", ["2025-01-02 03:04:05.678", "2025-01-02T03:04", "2025-01-02", "2025-01-02 25:00:00"]
    ) == [
        datetime(2025, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001 - sources state no zone
        datetime(2025, 1, 2, 3, 4),  # noqa: DTZ001 - as above
        datetime(2025, 1, 2),  # noqa: DTZ001 - as above
        datetime(2025, 1, 2),  # noqa: DTZ001 - the day stands though the hour cannot
    ]


def test_numbers_and_amounts(call: Call) -> None:
    assert call("try_numeric", ["12.50", "1,234,567.8", "１２", "-3", "1E-06", "1,23", "12元"]) == [
        Decimal("12.50"), Decimal("1234567.8"), Decimal(12), Decimal(-3), Decimal("0.000001"), None, None,
    ]  # fmt: skip
    assert call("try_amount", ["680.005", "999999999999.99", "1e12"]) == [
        Decimal("680.01"),
        Decimal("999999999999.99"),
        None,
    ]
    months = ["202512", "2025-12", "202513", "20251", "2025-1-1", "20-2512"]
    assert call("month_code", months) == ["202512", "202512", None, None, None, None]
    assert call("year_code", ["2025", "１９９９", "0000", "1899"]) == ["2025", "1999", None, None]
    assert call("try_count", ["999999999", "1000000000", "-1", "1.5"]) == [999_999_999, None, None, None]
    assert call("try_age", ["0", "150", "151", "999999999"]) == [0, 150, None, None]


@pytest.mark.parametrize(
    ("written", "number"),
    [("999.99", "999.99"), ("999.994", "999.99"), ("999.995", None), ("-1000", None)],
)
def test_a_decimal_fits_its_column_or_is_none(
    warehouse: psycopg.Connection, written: str, number: str | None
) -> None:
    row = warehouse.execute("select std.try_decimal(%s, 5, 2)::numeric(5, 2)", (written,)).fetchone()
    assert row == (number and Decimal(number),)


@pytest.mark.parametrize(
    ("written", "yuan", "amount", "currency"),
    [
        ("5068.8万人民币", 50_688_000, 50_688_000, "CNY"),
        ("0万人民币", 0, 0, "CNY"),
        ("1,000(万元人民币)", 10_000_000, 10_000_000, "CNY"),
        ("50万元", 500_000, 500_000, "CNY"),
        ("1,080.5(万)", 10_805_000, 10_805_000, "CNY"),
        ("30万人民币元", 300_000, 300_000, "CNY"),
        ("2.5亿元", 250_000_000, 250_000_000, "CNY"),
        ("1E-06万人民币", Decimal("0.01"), Decimal("0.01"), "CNY"),
        ("30(万美元)", None, 300_000, "USD"),
        ("7,000(万日元)", None, 70_000_000, "JPY"),
        ("12.5万欧元", None, 125_000, "EUR"),
        ("１００万元", 1_000_000, 1_000_000, "CNY"),
        ("N/A", None, None, None),
        ("人民币", None, None, None),
    ],
)
def test_capital(
    call: Call, written: str, yuan: int | None, amount: int | None, currency: str | None
) -> None:
    assert call("capital_yuan", [written]) == [yuan]
    assert call("capital_amount", [written]) == [amount]
    assert call("capital_currency", [written]) == [currency]


def test_text_names_and_codes(call: Call) -> None:
    assert call("clean_text", [" 山东省　烟台市\t１号 ", "a\u200bb", "（公司）", "　"]) == [
        "山东省 烟台市 1号",
        "ab",
        "(公司)",
        None,
    ]
    assert call("clean_name", ["张　三", "阿不都•买买提", "Mary  Ann", " 李四 "]) == [
        "张三",
        "阿不都·买买提",
        "Mary Ann",
        "李四",
    ]
    assert call("sex_code", ["1", "女", "２", "男性", "x", ""]) == ["1", "2", "2", "1", None, None]


def test_a_masked_number_shows_neither_birth_nor_sequence(call: Call) -> None:
    assert call("mask_resident_id", ["11010519491231002X", "110105491231002"]) == [
        "110105************",
        "***",
    ]
