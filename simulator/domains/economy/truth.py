"""What the tests may know of the economy (docs/truth.md)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.calendar import month_number
from simulator.domains.economy import labels, naming
from simulator.state import State
from simulator.table import Column
from simulator.text import date_array, padded, pick, where


def tables(state: State) -> Mapping[str, pa.Table]:
    """Return the truth of organisations, their officers and changes, taxes and credit."""
    return {
        "organisation": _organisation(state),
        "organisation_change": _change(state),
        "officer": _officer(state),
        "taxpayer": _taxpayer(state),
        "tax_payment": _payment(state),
        "credit_record": _record(state),
    }


def _ids(values: Column) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=values == 0)


def _organisation(state: State) -> pa.Table:
    subject = state["subject"]
    return pa.table(
        {
            "organisation_id": subject.ids,
            "kind": pick(labels.KINDS, subject["kind"]),
            "uscc": naming.credit_code(state, subject.ids),
            "registration_no": naming.registration_no(state, subject.ids),
            "name": naming.name(state, subject.ids),
            "established_on": date_array(subject["established"]),
            "ended_on": date_array(subject["ended"]),
            "status": pick(labels.STATES, subject["status"]),
            "head_person_id": subject["head"].astype(np.int64),
            "district_code": state.places.district_code(subject["village"]),
            "unconverted": subject["unconverted"],
        }
    )


def _change(state: State) -> pa.Table:
    change = state["subject_change"]
    renamed = change["item"] == labels.NAME_CHANGED
    brands = [np.where(renamed, change[name], 0) for name in ("old1", "old2")]
    return pa.table(
        {
            "organisation_id": change["subject"].astype(np.int64),
            "item": pick(labels.ITEMS, change["item"]),
            "former_name": where(renamed, naming.called(state, change["subject"], *brands)),
            "changed_on": date_array(change["changed"]),
        }
    )


def _officer(state: State) -> pa.Table:
    officer = state["officer"]
    return pa.table(
        {
            "officer_id": officer.ids,
            "organisation_id": officer["subject"].astype(np.int64),
            "person_id": officer["person"].astype(np.int64),
            "role": pick(labels.ROLES, officer["role"]),
            "share": officer["share"].astype(np.int64),
            "started_on": date_array(officer["started"]),
            "ended_on": date_array(officer["ended"]),
        }
    )


def _taxpayer(state: State) -> pa.Table:
    taxpayer = state["taxpayer"]
    return pa.table(
        {
            "taxpayer_id": taxpayer.ids,
            "organisation_id": taxpayer["subject"].astype(np.int64),
            "by_old_number": taxpayer["old_number"],
            "credit_level": pick(labels.TAX_LEVELS, taxpayer["level"]),
            "arrears": pa.array(taxpayer["owed"] / 100),
            "arrears_since": date_array(taxpayer["owed_since"]),
        }
    )


def _payment(state: State) -> pa.Table:
    payment = state["tax_payment"]
    of = state["taxpayer"]["subject"][payment["taxpayer"] - 1]
    return pa.table(
        {
            "payment_no": payment.ids,
            "organisation_id": of.astype(np.int64),
            "tax": pick(labels.TAX_KINDS, payment["tax"]),
            "period": pc.cast(pa.array(month_number(payment["month"])), pa.string()),
            "amount": pa.array(payment["amount"] / 100),
            "due_on": date_array(payment["due"]),
            "paid_on": date_array(payment["paid"]),
        }
    )


def _record(state: State) -> pa.Table:
    record = state["credit_record"]
    repairs = padded(record["repairs"], 10, "C")
    return pa.table(
        {
            "record_no": padded(record.ids, 10, "C"),
            "organisation_id": _ids(record["subject"]),
            "person_id": _ids(record["person"]),
            "record_kind": pick(labels.RECORD_KINDS, record["kind"]),
            "category": pick(labels.CATEGORIES, record["category"]),
            "decided_on": date_array(record["decided"]),
            "valid_until": date_array(record["until"]),
            "amount": pa.array(record["amount"] / 100),
            "repairs_no": where(record["repairs"] > 0, repairs),
            "written": pick(("code", "earlier number", "former name"), record["written"]),
        }
    )
