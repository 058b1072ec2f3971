"""What the register of vehicles and road transport shows: plates, numbers, rows, and the truth of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulator.domains import holders
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.table import Column, Ints, Mask
from simulator.text import ZERO, Bytes, Strings, date_array, dates, digits, from_ascii, join, pick

VEHICLE_KINDS = ("小型轿车", "小型普通客车", "普通二轮摩托车", "轻型货车", "重型货车", "大型客车", "出租客车")
CAR, VAN, MOTORCYCLE, LIGHT_TRUCK, HEAVY_TRUCK, BUS, TAXI = range(7)
_COMMERCIAL = np.array([False, False, False, False, True, True, True])
LICENCE_KINDS = ("道路货物运输经营许可", "道路旅客运输经营许可", "巡游出租汽车经营许可", "道路运输从业资格")
FREIGHT, PASSENGERS, TAXIS, DRIVER = range(4)
_PLATE_LETTERS = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", dtype=np.uint8)
_PLATE_STEP = 7_654_321  # prime to 34**5, so that numbers are scattered but never met twice
_PROVINCES = dict(
    zip(
        (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
         53, 54, 61, 62, 63, 64, 65),
        "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新",
        strict=True,
    )
)  # fmt: skip


def commercial(kinds: Column) -> Mask:
    """Which kinds of vehicle may only carry others' goods or people with a licence."""
    return np.asarray(_COMMERCIAL[kinds])


def plate(state: State, vehicles: Column) -> Strings:
    """Return plates: province, the city's letter, five letters or digits."""
    code = state.places.district_codes[0].as_py()
    city = _PROVINCES.get(int(code[:2]), "鲁") + chr(ord("A") + max(int(code[2:4]), 1) - 1)
    rest = np.asarray(vehicles, dtype=np.int64) * _PLATE_STEP % 34**5
    letters: Bytes = np.empty((len(rest), 5), dtype=np.uint8)
    for place in range(4, -1, -1):
        rest, digit = np.divmod(rest, 34)
        letters[:, place] = _PLATE_LETTERS[digit]
    return join(city, from_ascii(letters))


def licence_no(state: State, keys: Ints, of: Ints) -> Strings:
    """Write the city's code and ten digits, as licences of road transport are numbered."""
    head = np.frombuffer(state.places.district_codes[0].as_py()[:4].encode(), dtype=np.uint8)
    matrix: Bytes = np.empty((len(keys), 14), dtype=np.uint8)
    matrix[:, :4], matrix[:, 4:] = head, digits(keys, 10) + ZERO
    return from_ascii(matrix)


def _vehicle(state: State, ids: Ints) -> Columns:
    vehicle, at = state["vehicle"], ids - 1
    return {
        "plate_no": plate(state, ids),
        "vehicle_kind": pick(VEHICLE_KINDS, vehicle["kind"][at]),
        "usage": pick(("非营运", "营运"), commercial(vehicle["kind"][at]).astype(np.int64)),
        **holders.named(state, "owner", vehicle["person"][at], vehicle["firm"][at]),
        "township_code": state.places.township_code(vehicle["village"][at]),
        "registered_on": dates(vehicle["registered"][at]),
        "inspection_valid_until": dates(vehicle["inspected_until"][at]),
        "scrapped_on": dates(vehicle["scrapped"][at]),
    }


def _licence(state: State, ids: Ints) -> Columns:
    licence, at = state["transport_licence"], ids - 1
    return {
        "licence_kind": pick(LICENCE_KINDS, licence["kind"][at]),
        **holders.named(state, "holder", licence["person"][at], licence["firm"][at]),
        "issued_on": dates(licence["issued"][at]),
        "valid_until": dates(licence["until"][at]),
        "revoked_on": dates(licence["revoked"][at]),
    }


TABLES = (
    SourceTable(
        source="transport",
        name="vehicle",
        key="vehicle_id",
        columns=st.columns(
            "vehicle_id:bigint plate_no vehicle_kind usage owner_pid owner_name owner_uscc township_code "
            "registered_on inspection_valid_until scrapped_on updated_at:timestamp"
        ),
        every=st.rows_of("vehicle"),
        project=_vehicle,
        person=st.person_of("vehicle"),
        forms={
            "owner_pid": "pid", "owner_name": "name", "owner_uscc": "uscc", "township_code": "text",
            "registered_on": "date", "inspection_valid_until": "date",
        },
    ),
    SourceTable(
        source="transport",
        name="licence",
        key="licence_no",
        columns=st.columns(
            "licence_no licence_kind holder_pid holder_name holder_uscc issued_on valid_until revoked_on "
            "updated_at:timestamp"
        ),
        every=st.rows_of("transport_licence"),
        project=_licence,
        person=st.person_of("transport_licence"),
        key_text=licence_no,
        forms={"holder_pid": "pid", "holder_name": "name", "holder_uscc": "uscc", "issued_on": "date"},
    ),
)  # fmt: skip


def _ids(values: Column) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values == 0)


def truth(state: State) -> dict[str, pa.Table]:
    vehicle, licence = state["vehicle"], state["transport_licence"]
    return {
        "vehicle": pa.table(
            {
                "vehicle_id": vehicle.ids,
                "plate_no": plate(state, vehicle.ids),
                "vehicle_kind": pick(VEHICLE_KINDS, vehicle["kind"]),
                "commercial": commercial(vehicle["kind"]),
                "owner_person_id": _ids(vehicle["person"]),
                "owner_uscc": holders.uscc(state, vehicle["firm"]),
                "township_code": state.places.township_code(vehicle["village"]),
                "registered_on": date_array(vehicle["registered"]),
                "inspection_valid_until": date_array(vehicle["inspected_until"]),
                "scrapped_on": date_array(vehicle["scrapped"]),
            }
        ),
        "transport_licence": pa.table(
            {
                "licence_no": licence_no(state, licence.ids, licence.ids),
                "licence_kind": pick(LICENCE_KINDS, licence["kind"]),
                "holder_person_id": _ids(licence["person"]),
                "holder_uscc": holders.uscc(state, licence["firm"]),
                "issued_on": date_array(licence["issued"]),
                "valid_until": date_array(licence["until"]),
                "revoked_on": date_array(licence["revoked"]),
            }
        ),
    }
