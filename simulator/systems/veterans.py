"""Veterans: service records in an Excel ledger: titles, merged headers, a sheet a district (province)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import xlsxwriter

from simulator import codes
from simulator.calendar import to_date
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown
from simulator.table import Ints
from simulator.text import dates, join, padded, pick
from simulator.writers import replacing

FILE = "退役军人服务台账.xlsx"
# Header of the ledger: group (None: one merged cell over both rows) and its columns with their names in the
# table.
HEADER: tuple[tuple[str | None, tuple[tuple[str, str], ...]], ...] = (
    (None, (("序号", "seq_no"),)),
    (None, (("姓名", "name"),)),
    (None, (("身份证号", "pid"),)),
    (None, (("性别", "sex"),)),
    (None, (("出生日期", "birth_date"),)),
    ("入伍信息", (("入伍时间", "enlisted_on"), ("入伍地", "enlisted_place"))),
    ("退役信息", (("退役时间", "discharged_on"), ("退役方式", "discharge_kind"), ("部队代号", "unit_code"))),
    ("户籍信息", (("区市", "district_name"), ("镇街", "township_name"))),
    (None, (("联系电话", "phone"),)),
    (None, (("备注", "remark"),)),
)
COLUMNS = tuple(name for _, columns in HEADER for _, name in columns)
_FIRST_ROW = 4


def _service(state: State, ids: Ints) -> Columns:
    service, at = state["service"], ids - 1
    persons = service["person"][at]
    village = state.person("village", persons)
    place = service["place"][at]
    return {
        "name": st.name(state, persons),
        "pid": st.pid(state, persons),
        "sex": pick(codes.SEX_NAMES, state.person("sex", persons)),
        "birth_date": dates(state.person("birth", persons)),
        "enlisted_on": dates(service["enlisted"][at]),
        "enlisted_place": join(state.places.district_name(place), state.places.township_name(place)),
        "discharged_on": dates(service["discharged"][at]),
        "discharge_kind": pick(codes.DISCHARGE_KINDS, service["kind"][at]),
        "unit_code": join(padded(service["unit"][at], 5), "部队"),
        "district_name": state.places.district_name(village),
        "township_name": state.places.township_name(village),
        "phone": st.phone(state, persons),
        "remark": pick(("带病回乡",), np.where(ids % 37 == 0, 0, -1)),
    }


TABLES = (
    SourceTable(
        source="veterans",
        name="service_record",
        key="seq_no",
        columns=tuple((name, "text") for name in COLUMNS),
        every=st.rows_of("service"),
        project=_service,
        person=st.person_of("service"),
        forms={
            "pid": "pid",
            "name": "name",
            "enlisted_on": "date",
            "discharged_on": "date",
            "birth_date": "date",
            "phone": "phone",
            "unit_code": "text",
        },
        stamped=False,
    ),
)


def write(state: State, shown: Shown, folder: Path) -> None:
    """Write the ledger; the same rows and day give the same bytes."""
    with replacing(folder / FILE) as target:
        _write_book(state, shown.whole("service_record"), target)


def _write_book(state: State, rows: pa.Table, target: Path) -> None:
    day = to_date(state.today)
    # Not constant_memory: it writes row by row, and a header merged over two rows would lose columns.
    book = xlsxwriter.Workbook(target, {"strings_to_numbers": False})
    book.set_properties({"created": datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None)})
    title = book.add_format({"bold": True, "align": "center", "font_size": 16})
    header = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
    columns = [rows.column(name).to_pylist() for name in COLUMNS]
    district = np.array(rows.column("district_name").to_pylist(), dtype=object)
    for name in state.places.district_names.to_pylist():
        sheet = book.add_worksheet(name[:31])
        last = len(COLUMNS) - 1
        sheet.merge_range(0, 0, 0, last, f"{state.places.city_name}退役军人服务台账", title)
        sheet.merge_range(1, 0, 1, last, f"填报单位：{name}退役军人事务局    截至日期：{day.isoformat()}")
        _write_header(sheet, header)
        for line, row in enumerate(np.flatnonzero(district == name), start=_FIRST_ROW):
            sheet.write_row(line, 0, [column[row] for column in columns])
    book.close()


def _write_header(sheet: xlsxwriter.worksheet.Worksheet, header: xlsxwriter.format.Format) -> None:
    place = 0
    for group, columns in HEADER:
        if group is None:
            sheet.merge_range(2, place, 3, place, columns[0][0], header)
        else:
            sheet.merge_range(2, place, 2, place + len(columns) - 1, group, header)
            for offset, (label, _) in enumerate(columns):
                sheet.write_string(3, place + offset, label, header)
        place += len(columns)
