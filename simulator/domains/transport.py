"""Transport: vehicles with their inspections, and the licences of those who carry goods and people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from simulator.domains import holders
from simulator.domains.domain import Domain
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import I8, I32, State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import System
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import ZERO, Bytes, Strings, date_array, dates, digits, from_ascii, join, pick

NAME = "transport"
SCHEMA = {
    "vehicle": {
        "person": I32, "firm": I32, "kind": I8, "village": I32, "registered": I32, "inspected_until": I32,
        "scrapped": I32,
    },
    "transport_licence": {
        "kind": I8, "person": I32, "firm": I32, "issued": I32, "until": I32, "revoked": I32,
    },
}  # fmt: skip

VEHICLE_KINDS = ("小型轿车", "小型普通客车", "普通二轮摩托车", "轻型货车", "重型货车", "大型客车", "出租客车")
CAR, VAN, MOTORCYCLE, LIGHT_TRUCK, HEAVY_TRUCK, BUS, TAXI = range(7)
_COMMERCIAL = np.array([False, False, False, False, True, True, True])
LICENCE_KINDS = ("道路货物运输经营许可", "道路旅客运输经营许可", "巡游出租汽车经营许可", "道路运输从业资格")
FREIGHT, PASSENGERS, TAXIS, DRIVER = range(4)
NEEDED = {HEAVY_TRUCK: FREIGHT, BUS: PASSENGERS, TAXI: TAXIS}
_LICENCE_YEARS = np.array([4, 4, 8, 6])
_TRANSPORT_TRADE = 9  # codes.TRADES
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
_MOTORCAR_YEARS = 2
_RENEWABLE_DAYS = 30  # so long before its end an inspection or licence is renewed, if at all


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


def _found(state: State, rates: Rates) -> None:
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    person, firm = state["person"], state["firm"]
    age = (state.today - person["birth"]) / YEAR
    adult = person["resident"] & (age > 20) & (age < 72)
    for kind in (CAR, VAN, MOTORCYCLE, LIGHT_TRUCK, HEAVY_TRUCK, TAXI):
        owners = np.flatnonzero(adult & (rng.random(len(person)) < rate[f"owners_{kind}"])) + 1
        since = person["birth"][owners - 1] + int(18.5 * YEAR)
        _register(state, owners, np.zeros(len(owners), dtype=np.int64), kind, since, rng)
    for kind in (CAR, LIGHT_TRUCK, HEAVY_TRUCK, BUS, TAXI):
        many = rate[f"fleet_{kind}"] * np.where(
            firm["trade"] == _TRANSPORT_TRADE, rate["transport_fleet"], 1.0
        )
        firms = np.repeat(firm.ids, rng.poisson(many))
        _register(
            state, np.zeros(len(firms), dtype=np.int64), firms, kind, firm["established"][firms - 1], rng
        )
    vehicle = state["vehicle"]
    expired = rng.random(len(vehicle)) < rate["inspection_expired"]
    vehicle["inspected_until"][expired] = state.today - rng.integers(1, 400, int(expired.sum()))
    scrapped = np.flatnonzero(rng.random(len(vehicle)) < rate["scrapped_before"])
    vehicle["scrapped"][scrapped] = np.maximum(
        state.today - rng.integers(1, 700, len(scrapped)), vehicle["registered"][scrapped]
    )
    _license_operators(state, rate["licensed"], rng)
    drivers = np.flatnonzero(adult & (age < 60) & (rng.random(len(person)) < rate["drivers"])) + 1
    _license(
        state, DRIVER, drivers, np.zeros(len(drivers), dtype=np.int64), _past(state, DRIVER, drivers, rng)
    )
    licence = state["transport_licence"]
    revoked = np.flatnonzero(rng.random(len(licence)) < rate["revoked_before"])
    licence["revoked"][revoked] = np.maximum(
        state.today - rng.integers(1, 300, len(revoked)), licence["issued"][revoked]
    )


def _register(state: State, persons: Ints, firms: Ints, kind: int, since: Column, rng: Generator) -> None:
    """Register vehicles some time in the last twelve years, but not before their owner could."""
    registered = np.maximum(state.today - rng.integers(20, 4400, len(persons)), since)
    span = 365 if _COMMERCIAL[kind] else _MOTORCAR_YEARS * 365
    state["vehicle"].append(
        person=persons,
        firm=firms,
        kind=kind,
        village=holders.villages(state, persons, firms),
        registered=np.minimum(registered, state.today - 1),
        inspected_until=state.today + rng.integers(1, span, len(persons)),
        scrapped=NEVER,
    )


def _past(state: State, kind: int, holders_: Column, rng: Generator) -> Ints:
    """Return days of issue in the past: some of the licences have run out meanwhile."""
    return state.today - rng.integers(5, int(_LICENCE_YEARS[kind] * 365 * 1.06), len(holders_))


def _license(state: State, kind: int, persons: Column, firms: Column, issued: Column) -> Ints:
    return state["transport_licence"].append(
        kind=kind,
        person=persons,
        firm=firms,
        issued=issued,
        until=np.asarray(issued) + _LICENCE_YEARS[kind] * 365,
        revoked=NEVER,
    )


def _license_operators(state: State, share: float, rng: Generator) -> None:
    """Give most owners of commercial vehicles the licence they need."""
    vehicle = state["vehicle"]
    for kind, needed in NEEDED.items():
        running = (vehicle["kind"] == kind) & (vehicle["scrapped"] == NEVER)
        owners = np.unique(np.stack([vehicle["person"][running], vehicle["firm"][running]]), axis=1)
        owners = owners[:, rng.random(owners.shape[1]) < share].astype(np.int64)
        _license(state, needed, owners[0], owners[1], _past(state, needed, owners[0], rng))


def _change(state: State, rates: Rates) -> None:
    """A day: inspections and licences renewed, vehicles sold, inherited, scrapped and registered."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    _renew(state, rate, rng)
    _hand_over(state, rate, rng)
    vehicle, person = state["vehicle"], state["person"]
    running = np.flatnonzero(vehicle["scrapped"] == NEVER)
    gone = running[rng.random(len(running)) < rate["scrapped"]]
    vehicle["scrapped"][gone] = state.today
    state.touch("transport.vehicle", gone + 1)
    before = len(vehicle)
    age = (state.today - person["birth"]) / YEAR
    buyers = (
        np.flatnonzero(
            person["resident"] & (age > 20) & (age < 65) & (rng.random(len(person)) < rate["bought"])
        )
        + 1
    )
    _register(
        state, buyers, np.zeros(len(buyers), dtype=np.int64), CAR, np.full(len(buyers), state.today), rng
    )
    new = np.arange(before, len(state["vehicle"]))
    state["vehicle"]["registered"][new] = state.today
    state["vehicle"]["inspected_until"][new] = state.today + _MOTORCAR_YEARS * 365
    state.add("transport.vehicle", new + 1)


def _renew(state: State, rate: Mapping[str, float], rng: Generator) -> None:
    vehicle, licence = state["vehicle"], state["transport_licence"]
    due = np.flatnonzero(
        (vehicle["scrapped"] == NEVER) & (vehicle["inspected_until"] <= state.today + _RENEWABLE_DAYS)
    )
    done = due[rng.random(len(due)) < rate["renewed"]]
    years = np.where(_COMMERCIAL[vehicle["kind"][done]], 1, _MOTORCAR_YEARS)
    vehicle["inspected_until"][done] = state.today + years * 365
    state.touch("transport.vehicle", done + 1)
    running = np.flatnonzero(licence["revoked"] == NEVER)
    revoked = running[rng.random(len(running)) < rate["revoked"]]
    licence["revoked"][revoked] = state.today
    due = np.flatnonzero((licence["revoked"] == NEVER) & (licence["until"] <= state.today + _RENEWABLE_DAYS))
    done = due[rng.random(len(due)) < rate["renewed"]]
    licence["until"][done] = state.today + _LICENCE_YEARS[licence["kind"][done]] * 365
    state.touch("transport.licence", np.r_[revoked, done] + 1)
    before = len(licence)
    _license_newcomers(state, rate["newly_licensed"], rng)
    state.add("transport.licence", np.arange(before, len(licence)) + 1)


def _license_newcomers(state: State, share: float, rng: Generator) -> None:
    """License some adults as drivers today."""
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    fit = person["resident"] & (age > 22) & (age < 55)
    drivers = np.flatnonzero(fit & (rng.random(len(person)) < share)) + 1
    _license(
        state, DRIVER, drivers, np.zeros(len(drivers), dtype=np.int64), np.full(len(drivers), state.today)
    )


def _hand_over(state: State, rate: Mapping[str, float], rng: Generator) -> None:
    """Sell some vehicles to other people; heirs take most of those whose owner died today."""
    vehicle, person = state["vehicle"], state["person"]
    running = (vehicle["scrapped"] == NEVER) & (vehicle["person"] > 0)
    adults = np.flatnonzero(person["resident"] & ((state.today - person["birth"]) / YEAR > 20)) + 1
    sold = np.flatnonzero(running & (rng.random(len(vehicle)) < rate["sold"]))
    vehicle["person"][sold] = rng.choice(adults, len(sold))
    dead = state["death"]["person"][state.before["death"] :]
    left = np.flatnonzero(running & np.isin(vehicle["person"], dead))
    heads = state["household"]["head"][person["household"][vehicle["person"][left] - 1] - 1]
    inherited = (heads > 0) & (rng.random(len(left)) < rate["inherited"])
    vehicle["person"][left[inherited]] = heads[inherited]
    changed = np.r_[sold, left[inherited]]
    vehicle["village"][changed] = person["village"][vehicle["person"][changed] - 1]
    state.touch("transport.vehicle", changed + 1)


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


def _truth(state: State) -> dict[str, pa.Table]:
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


DOMAIN = Domain(NAME, SCHEMA, _found, _change, (System("transport", TABLES),), _truth)
