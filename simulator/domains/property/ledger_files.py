"""The ledgers' tables and files: provident fund (fixed width), power and utilities (CSV)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from simulator import writers
from simulator.calendar import to_date
from simulator.domains.property import ledgers
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Ints
from simulator.text import Strings

ACCOUNT_WIDTHS = (
    ("account_no", 12), ("pid", 36), ("name", 20), ("employer_uscc", 36), ("employer_name", 48),
    ("opened_on", 14), ("monthly_deposit", 12), ("balance", 14), ("paid_until", 6), ("status", 4),
)  # fmt: skip
LOAN_WIDTHS = (
    ("loan_no", 12), ("pid", 36), ("name", 20), ("unit_no", 28), ("amount", 14), ("balance", 14),
    ("started_on", 14), ("months", 3), ("overdue_months", 3), ("ended_on", 10),
)  # fmt: skip
POWER_HEADER = (
    ("户号", "account_no"), ("用电类别", "kind"), ("户名", "holder_name"), ("证件号码", "holder_pid"),
    ("统一社会信用代码", "holder_uscc"), ("用电地址", "address"), ("镇街代码", "township_code"),
    ("立户日期", "opened_on"), ("销户日期", "closed_on"),
)  # fmt: skip
POWER_USAGE_HEADER = (
    ("账单号", "bill_no"), ("户号", "account_no"), ("电费年月", "month"), ("电量", "quantity"),
    ("电费", "amount"),
)  # fmt: skip
UTILITY_HEADER = (
    ("户号", "account_no"), ("类别", "kind"), ("户名", "holder_name"), ("证件号码", "holder_pid"),
    ("地址", "address"), ("镇街代码", "township_code"), ("开户日期", "opened_on"),
)  # fmt: skip
UTILITY_USAGE_HEADER = (
    ("账单号", "bill_no"), ("户号", "account_no"), ("年月", "month"), ("用量", "quantity"),
    ("金额", "amount"),
)  # fmt: skip


def _nobody(state: State, ids: Ints) -> Ints:
    return np.zeros(len(ids), dtype=np.int64)


def _table(
    source: str, name: str, names: tuple[str, ...], of: str,
    project: Callable[[State, Ints], Columns], forms: dict[str, str],
    key_text: Callable[[State, Ints, Ints], Strings],
) -> SourceTable:  # fmt: skip
    return SourceTable(
        source=source,
        name=name,
        key=names[0],
        columns=tuple((column, "text") for column in names),
        every=st.rows_of(of),
        project=project,
        person=_nobody if of.endswith("usage") else _borrower if of == "fund_loan" else st.person_of(of),
        key_text=key_text,
        forms=forms,
        stamped=False,
        appended=of.endswith("usage"),
    )


def _borrower(state: State, ids: Ints) -> Ints:
    mortgage = state["fund_loan"]["mortgage"][ids - 1]
    return np.asarray(state["property_mortgage"]["person"][mortgage - 1], dtype=np.int64)


def _names(header: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    return tuple(name for _, name in header)


_HOLDER = {"holder_name": "name", "holder_pid": "pid", "address": "address", "township_code": "text"}
_USAGE = {"quantity": "amount", "amount": "amount"}
_PERSON = {"pid": "pid", "name": "name"}
FUND_TABLES = (
    _table(
        "provident_fund", "account", tuple(dict(ACCOUNT_WIDTHS)), "fund_account", ledgers.fund_account,
        _PERSON | {"employer_uscc": "uscc", "opened_on": "date", "balance": "amount"}, st.numbered("GJ"),
    ),
    _table(
        "provident_fund", "loan", tuple(dict(LOAN_WIDTHS)), "fund_loan", ledgers.fund_loan,
        _PERSON | {"started_on": "date"}, st.numbered("DK"),
    ),
)  # fmt: skip
POWER_TABLES = (
    _table(
        "power", "account", _names(POWER_HEADER), "power_account", ledgers.power_account,
        _HOLDER | {"holder_uscc": "uscc", "opened_on": "date"}, st.numbered(""),
    ),
    _table(
        "power", "usage", _names(POWER_USAGE_HEADER), "power_usage", ledgers.power_usage, _USAGE,
        st.numbered("D"),
    ),
)  # fmt: skip
UTILITY_TABLES = (
    _table(
        "utilities", "account", _names(UTILITY_HEADER), "utility_account", ledgers.utility_account,
        _HOLDER | {"opened_on": "date"}, ledgers.utility_key,
    ),
    _table(
        "utilities", "usage", _names(UTILITY_USAGE_HEADER), "utility_usage", ledgers.utility_usage, _USAGE,
        st.numbered("U"),
    ),
)  # fmt: skip


def _write_fund(state: State, shown: Shown, folder: Path) -> None:
    writers.write_fixed_width(shown.whole("account"), ACCOUNT_WIDTHS, folder / "ACCOUNT.TXT")
    writers.write_fixed_width(shown.whole("loan"), LOAN_WIDTHS, folder / "LOAN.TXT")


def _write_power(state: State, shown: Shown, folder: Path) -> None:
    writers.write_csv(shown.whole("account"), POWER_HEADER, folder / "account.csv", "gb18030")
    _append(state, shown, POWER_USAGE_HEADER, folder, "gb18030")


def _write_utilities(state: State, shown: Shown, folder: Path) -> None:
    writers.write_csv(shown.whole("account"), UTILITY_HEADER, folder / "account.csv", "utf-8-sig")
    _append(state, shown, UTILITY_USAGE_HEADER, folder, "utf-8-sig")


def _append(state: State, shown: Shown, header: writers.Header, folder: Path, encoding: str) -> None:
    """Write this step's readings into a file of their own, if there are any."""
    rows = shown.written("usage")
    if rows.num_rows:
        day = to_date(state.today).isoformat().replace("-", "")
        writers.write_csv(rows, header, folder / f"usage_{day}_{state.meta.step:06d}.csv", encoding)


SYSTEMS = (
    System("provident_fund", FUND_TABLES, _write_fund),
    System("power", POWER_TABLES, _write_power),
    System("utilities", UTILITY_TABLES, _write_utilities),
)
