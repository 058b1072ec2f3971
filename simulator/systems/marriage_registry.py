"""Marriage registry: registrations since 2016 (behind an HTTP API, nation).

Keys: 2·marriage, +1 for a divorce.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from simulator.calendar import to_days
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, Lateness, SourceTable
from simulator.table import Column, Ints, Mask
from simulator.text import dates, join, pick

SINCE = to_days(date(2016, 1, 1))


def _every(state: State) -> Ints:
    ids = state["marriage"].ids
    return np.sort(np.concatenate([ids * 2, ids * 2 + 1]))


def _events(state: State, keys: Ints) -> tuple[Column, Column]:
    """Return the day registered and the day shown of each key."""
    marriage, at, ending = state["marriage"], keys // 2 - 1, keys % 2 == 1
    # A widowhood is no registration: its end is never shown.
    happened = np.where(ending, marriage["ended"][at], marriage["registered"][at])
    return happened, np.where(ending, marriage["end_shown"][at], marriage["shown"][at])


def _visible(state: State, keys: Ints) -> Mask:
    happened, shown = _events(state, keys)
    return np.asarray((happened >= SINCE) & (shown <= state.today))


def _late(state: State, before: Mapping[str, int]) -> Lateness:
    new = np.arange(before["marriage"] + 1, len(state["marriage"]) + 1)
    happened, shown = _events(state, new * 2)
    late = (shown > happened) & (happened >= SINCE)
    return Lateness((new * 2)[late], happened[late], shown[late])


def _registration(state: State, keys: Ints) -> Columns:
    marriage, at = state["marriage"], keys // 2 - 1
    husband, wife = marriage["husband"][at], marriage["wife"][at]
    office = np.where(keys % 2 == 1, marriage["end_office"][at], marriage["office"][at])
    return {
        "kind": pick(("结婚", "离婚"), keys % 2),
        "registered_on": dates(_events(state, keys)[0]),
        "husband_name": st.name(state, husband),
        "husband_pid": st.pid(state, husband),
        "wife_name": st.name(state, wife),
        "wife_pid": st.pid(state, wife),
        "office": join(state.places.district_name(office), "民政局婚姻登记处"),
    }


def _husband(state: State, keys: Ints) -> Ints:
    return state["marriage"]["husband"][keys // 2 - 1].astype(np.int64)


TABLES = (
    SourceTable(
        source="marriage_registry",
        name="registration",
        key="registration_no",
        columns=st.columns(
            "registration_no kind registered_on husband_name husband_pid wife_name wife_pid office "
            "updated_at:timestamp"
        ),
        every=_every,
        project=_registration,
        person=_husband,
        visible=_visible,
        key_text=st.numbered("J"),
        late=_late,
        forms={"husband_pid": "pid", "wife_pid": "pid"},
    ),
)
