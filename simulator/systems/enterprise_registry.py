"""Enterprise registry: a GB18030 CSV of the same form as real ones, amounts as text with units (province)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import codes, identity
from simulator.events.firms import BRANDS
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown
from simulator.table import Column, Ints
from simulator.text import Strings, dates, join, pick
from simulator.writers import write_csv

FILE = "enterprises.csv"
HEADER = (
    ("企业名称", "name"),
    ("统一社会信用代码", "uscc"),
    ("注册日期", "established_on"),
    ("企业类型", "enterprise_type"),
    ("注册资金", "capital"),
    ("经营范围", "scope"),
    ("所在省份", "province"),
    ("地区", "city"),
    ("注册地址", "address"),
)
_SUFFIXES = ("市", "区", "县")


def credit_code(state: State, firms: Column) -> Strings:
    """Return the credit codes of firms."""
    firm, at = state["firm"], np.asarray(firms) - 1
    return identity.credit_codes(firm["district"][at], firm["serial"][at])


def firm_name(state: State, firms: Column) -> Strings:
    """Return the names of firms: city, brand, trade, form."""
    firm, at = state["firm"], np.asarray(firms) - 1
    city = state.places.city_name.rstrip("市")
    return join(
        city,
        pick(BRANDS, firm["brand1"][at]),
        pick(BRANDS, firm["brand2"][at]),
        pick(codes.TRADES, firm["trade"][at]),
        pick(codes.FIRM_FORMS, firm["form"][at]),
    )


def capital_text(amount: Column, currency: Column, style: Column) -> Strings:
    """Return capital (in thousands) as registries write it: 50万人民币, 1000万元人民币, 100万美元."""
    whole, tenth = np.divmod(np.asarray(amount, dtype=np.int64), 10)
    number = pc.cast(pa.array(whole), pa.string())
    exact = join(number, pc.cast(pa.array(tenth), pa.string()), separator=".")
    number = pc.if_else(pa.array(tenth == 0), number, exact)
    unit = pick(("万", "万元"), (np.asarray(style) == 3).astype(np.int64))
    return join(number, unit, pick(codes.CURRENCIES, currency))


def _address(state: State, at: Ints) -> Strings:
    firm, places = state["firm"], state.places
    village, former = firm["village"][at], firm["former"][at]
    names = pa.array([it.name for it in places.former] or [""], pa.string())
    district = pc.coalesce(pick(names, former), places.district_name(village))
    township = places.township_name(village)
    number = pc.cast(pa.array(firm["house"][at]), pa.string())
    style = firm["style"][at]
    office = pick(("", "办事处", "驻地"), np.where(style % 4 == 1, 1, np.where(style % 4 == 2, 2, 0)))
    town = join(township, office)
    city = pick((places.city_name, ""), (style % 3 != 0).astype(np.int64))
    return join(city, district, town, number, "号")


def _enterprise(state: State, ids: Ints) -> Columns:
    firm, at = state["firm"], ids - 1
    trade = pick(codes.TRADES, firm["trade"][at])
    city = state.places.city_name.rstrip("市")
    return {
        "name": firm_name(state, ids),
        "uscc": credit_code(state, ids),
        "established_on": dates(firm["established"][at]),
        "enterprise_type": pick(
            (*codes.FIRM_TYPES, "N/A"), np.where(firm["style"][at] == 7, 5, firm["form"][at])
        ),
        "capital": capital_text(firm["capital"][at], firm["currency"][at], firm["style"][at]),
        "scope": join(trade, "产品的制造、加工、销售。"),
        "province": pick(("",), np.zeros(len(at), dtype=np.int64)),
        "city": pick((city,), np.zeros(len(at), dtype=np.int64)),
        "address": _address(state, at),
    }


def _nobody(state: State, ids: Ints) -> Ints:
    return np.zeros(len(ids), dtype=np.int64)


def _row_key(state: State, keys: Ints, of: Ints) -> Strings:
    return credit_code(state, of)


TABLES = (
    SourceTable(
        source="enterprise_registry",
        name="enterprise",
        key="",
        columns=tuple((name, "text") for _, name in HEADER),
        every=st.rows_of("firm"),
        project=_enterprise,
        person=_nobody,
        key_text=_row_key,
        forms={
            "uscc": "uscc",
            "name": "name",
            "capital": "capital",
            "established_on": "date",
            "address": "text",
        },
        stamped=False,
    ),
)


def write(state: State, shown: Shown, folder: Path) -> None:
    """Write the register; blank values are empty fields."""
    write_csv(shown.whole("enterprise"), HEADER, folder / FILE, encoding="gb18030")
