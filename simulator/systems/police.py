"""Police: residents, household membership, moves, cancellations (PostgreSQL, province)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import codes
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, Lateness, SourceTable
from simulator.table import NEVER, Ints, Mask
from simulator.text import dates, join, padded, pick

HOUSEHOLD_DIGITS = 9


def household_no(state: State, households: Ints) -> pa.Array:
    """Return household numbers as the police write them."""
    return padded(households, HOUSEHOLD_DIGITS, "H")


def cancelled(state: State, persons: Ints) -> Mask:
    """Who is cancelled in the police's books: a death they know of, or a departure."""
    at = persons - 1
    known = np.full(len(state["person"]), NEVER, dtype=np.int64)
    death = state["death"]
    known[death["person"] - 1] = death["police_shown"]
    return np.asarray((known[at] <= state.today) | (state["person"]["left"][at] <= state.today))


def _resident(state: State, ids: Ints) -> Columns:
    person, at = state["person"], ids - 1
    village, house = person["village"][at], person["house"][at]
    return {
        "pid": st.pid(state, ids),
        "name": st.name(state, ids),
        "sex": st.sex(state, ids),
        "birth_date": dates(person["birth"][at]),
        "nation": pick(codes.NATIONS, person["nation"][at]),
        "hukou_type": pick(("2", "1"), person["rural"][at].astype(np.int64)),
        "household_no": household_no(state, person["household"][at]),
        "relation": pick(codes.RELATIONS, person["relation"][at]),
        "village_code": state.places.village_code(village),
        "address": join(state.places.full_name(village), pc.cast(pa.array(house), pa.string()), "号"),
        "phone": st.phone(state, ids),
        "status": pick(("1", "0"), cancelled(state, ids).astype(np.int64)),
    }


def _member(state: State, ids: Ints) -> Columns:
    member, at = state["member"], ids - 1
    return {
        "household_no": household_no(state, member["household"][at]),
        "pid": st.pid(state, member["person"][at]),
        "relation": pick(codes.RELATIONS, member["relation"][at]),
        "joined_on": dates(member["joined"][at]),
        "left_on": dates(st.known_end(state, member["left"][at])),
    }


def _move(state: State, ids: Ints) -> Columns:
    move, at = state["move"], ids - 1
    return {
        "pid": st.pid(state, move["person"][at]),
        "move_type": pick(codes.MOVE_KINDS, move["kind"][at]),
        "from_village_code": state.places.village_code(move["origin"][at]),
        "to_village_code": state.places.village_code(move["target"][at]),
        "moved_on": dates(move["moved"][at]),
    }


def _cancellation(state: State, ids: Ints) -> Columns:
    person, at = state["person"], ids - 1
    died = person["died"][at]
    return {
        "pid": st.pid(state, ids),
        "name": st.name(state, ids),
        "reason": pick(("死亡", "迁出"), (died == NEVER).astype(np.int64)),
        "cancelled_on": dates(np.minimum(died, person["left"][at])),
    }


def _late_cancellations(state: State, before: Mapping[str, int]) -> Lateness:
    death = state["death"]
    new = np.arange(before["death"], len(death))
    new = new[death["police_shown"][new] > death["died"][new]]
    return Lateness(death["person"][new].astype(np.int64), death["died"][new], death["police_shown"][new])


def _self(state: State, ids: Ints) -> Ints:
    return ids


TABLES = (
    SourceTable(
        source="police",
        name="resident",
        key="resident_id",
        columns=st.columns(
            "resident_id:bigint pid name sex birth_date nation hukou_type household_no relation "
            "village_code address phone status updated_at:timestamp"
        ),
        every=st.rows_of("person"),
        project=_resident,
        person=_self,
        forms={
            "pid": "pid",
            "name": "name",
            "birth_date": "date",
            "hukou_type": "code",
            "nation": "code",
            "phone": "phone",
            "address": "text",
            "village_code": "text",
        },
    ),
    SourceTable(
        source="police",
        name="household_member",
        key="member_id",
        columns=st.columns(
            "member_id:bigint household_no pid relation joined_on left_on updated_at:timestamp"
        ),
        every=st.rows_of("member"),
        project=_member,
        person=st.person_of("member"),
        forms={"pid": "pid", "joined_on": "date"},
    ),
    SourceTable(
        source="police",
        name="move",
        key="move_id",
        columns=st.columns(
            "move_id:bigint pid move_type from_village_code to_village_code moved_on updated_at:timestamp"
        ),
        every=st.rows_of("move"),
        project=_move,
        person=st.person_of("move"),
        visible=st.shown_by_today("move"),
        late=st.late_rows("move", "moved"),
        forms={"pid": "pid"},
    ),
    SourceTable(
        source="police",
        name="cancellation",
        key="cancellation_id",
        columns=st.columns("cancellation_id:bigint pid name reason cancelled_on updated_at:timestamp"),
        every=st.rows_of("person"),
        project=_cancellation,
        person=_self,
        visible=cancelled,
        late=_late_cancellations,
        forms={"pid": "pid", "name": "name"},
    ),
)
