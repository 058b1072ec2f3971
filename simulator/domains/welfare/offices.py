"""The federation's certificates (nation, HTTP API) and the ledger of those watched (nation, Excel)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import codes
from simulator.calendar import compact
from simulator.domains.welfare.life import DISABILITIES, GRADES, MONITORED_KINDS, RISKS
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown, System
from simulator.table import Ints
from simulator.text import date_array, dates, padded, pick, where
from simulator.writers import write_excel


def _certificate(state: State, ids: Ints) -> Columns:
    rows, at = state["certificate"], ids - 1
    return {
        "pid": st.pid(state, rows["person"][at]),
        "name": st.name(state, rows["person"][at]),
        "sex": st.sex(state, rows["person"][at]),
        "disability_kind": pick(DISABILITIES, rows["kind"][at]),
        "grade": pick(GRADES, rows["grade"][at]),
        "issued_on": dates(rows["issued"][at]),
        "valid_until": dates(rows["valid_until"][at]),
        "revoked_on": dates(rows["revoked"][at]),
    }


def _monitored(state: State, ids: Ints) -> Columns:
    rows, at = state["monitored"], ids - 1
    persons, village = rows["person"][at], rows["village"][at]
    birth, known = state.person("birth", persons), rows["known_place"][at]
    year = padded(compact(birth) // 10_000, 4)
    place = pc.if_else(
        pa.array(known == 12),
        state.places.village_code(village),
        where(known == 9, state.places.township_code(village)),
    )
    return {
        "person_no": padded(ids, 10, "FP"),
        "household_no": padded(rows["household"][at], 10, "FH"),
        "name": st.name(state, persons),
        "sex": pick(codes.SEX_NAMES, state.person("sex", persons)),
        "birth_date": pc.if_else(pa.array(rows["year_only"][at]), year, dates(birth)),
        "pid": where(~rows["numberless"][at], st.pid(state, persons)),
        "head_name": where(rows["head"][at] != persons, st.name(state, rows["head"][at])),
        "district_name": state.places.district_name(village),
        "township_name": state.places.township_name(village),
        "village_code": place,
        "kind": pick(MONITORED_KINDS, rows["kind"][at]),
        "risk": pick(RISKS, rows["risk"][at]),
        "identified_on": dates(rows["identified"][at]),
        "cleared_on": dates(rows["cleared"][at]),
    }


CERTIFICATE = SourceTable(
    source="disabled_federation",
    name="certificate",
    key="certificate_no",
    columns=st.columns(
        "certificate_no pid name sex disability_kind grade issued_on valid_until revoked_on "
        "updated_at:timestamp"
    ),
    every=st.rows_of("certificate"),
    project=_certificate,
    person=st.person_of("certificate"),
    key_text=st.numbered("CJ"),
    forms={
        "pid": "pid",
        "name": "name",
        "sex": "code",
        "grade": "code",
        "issued_on": "date",
        "valid_until": "date",
    },
)
HEADER = (
    ("人员编号", "person_no"), ("户编号", "household_no"), ("姓名", "name"), ("性别", "sex"),
    ("出生日期", "birth_date"), ("证件号码", "pid"), ("户主姓名", "head_name"), ("县区", "district_name"),
    ("乡镇", "township_name"), ("行政村代码", "village_code"), ("监测对象类别", "kind"),
    ("返贫致贫风险", "risk"), ("识别监测时间", "identified_on"), ("风险消除时间", "cleared_on"),
)  # fmt: skip
MONITORED = SourceTable(
    source="rural_revitalisation",
    name="monitored_person",
    key="person_no",
    columns=tuple((name, "text") for _, name in HEADER),
    every=st.rows_of("monitored"),
    project=_monitored,
    person=st.person_of("monitored"),
    key_text=st.numbered("FP"),
    forms={
        "pid": "pid",
        "name": "name",
        "sex": "text",
        "head_name": "name",
        "identified_on": "date",
        "risk": "text",
    },
    stamped=False,
)


def write_ledger(state: State, shown: Shown, folder: Path) -> None:
    """Write the ledger, a sheet a district; where no number is known, clerks write nothing or 无."""
    rows = shown.whole("monitored_person")
    households = rows["household_no"].to_pylist()
    word = pa.array(["无" if it.endswith(("1", "4", "7")) else None for it in households], pa.string())
    rows = rows.set_column(rows.schema.get_field_index("pid"), "pid", pc.coalesce(rows["pid"], word))
    sheets = {
        name: (rows.filter(pc.equal(rows["district_name"], name)), HEADER)
        for name in state.places.district_names.to_pylist()
    }
    title = f"{state.places.city_name}防返贫监测对象台账"
    write_excel(sheets, folder / "防返贫监测对象台账.xlsx", title=title)


def truth(state: State) -> Mapping[str, pa.Table]:
    """Return what the tests may know."""
    certificate, rows = state["certificate"], state["monitored"]
    return {
        "certificate": pa.table(
            {
                "certificate_no": padded(certificate.ids, 10, "CJ"),
                "person_id": certificate["person"].astype(np.int64),
                "disability_kind": pick(DISABILITIES, certificate["kind"]),
                "grade": pick(GRADES, certificate["grade"]),
                "issued_on": date_array(certificate["issued"]),
                "valid_until": date_array(certificate["valid_until"]),
                "revoked_on": date_array(certificate["revoked"]),
            }
        ),
        "monitored": pa.table(
            {
                "person_no": padded(rows.ids, 10, "FP"),
                "person_id": rows["person"].astype(np.int64),
                "kind": pick(MONITORED_KINDS, rows["kind"]),
                "risk": pick(RISKS, rows["risk"]),
                "identified_on": date_array(rows["identified"]),
                "cleared_on": date_array(rows["cleared"]),
                "has_number": ~rows["numberless"],
            }
        ),
    }


SYSTEMS = (
    System("disabled_federation", (CERTIFICATE,)),
    System("rural_revitalisation", (MONITORED,), write_ledger),
)
