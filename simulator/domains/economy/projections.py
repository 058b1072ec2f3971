"""What the four systems of the economy show of the truth."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import codes
from simulator.calendar import month_number
from simulator.domains.economy import credit, labels, naming
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.enterprise_registry import capital_text
from simulator.systems.source_table import Columns
from simulator.table import Ints
from simulator.text import Strings, amounts, dates, padded, pick, where


def _described(state: State, ids: Ints) -> Columns:
    """Return what every register says of an organisation."""
    subject, at = state["subject"], ids - 1
    return {
        "uscc": naming.credit_code(state, ids),
        "name": naming.name(state, ids),
        "established_on": dates(subject["established"][at]),
        "status": pick(labels.STATES, subject["status"][at]),
        "address": naming.address(state, subject["village"][at], subject["house"][at]),
        "representative_name": st.name(state, subject["head"][at]),
    }


def entity(state: State, ids: Ints) -> Columns:
    """Return firms, shops and cooperatives as the market regulator writes them."""
    subject, at = state["subject"], ids - 1
    kind, form = subject["kind"][at], subject["form"][at].astype(np.int64)
    described = _described(state, ids)
    firm = np.maximum(subject["firm"][at], 1) - 1
    is_firm = kind == labels.FIRM
    capital = np.where(is_firm, state["firm"]["capital"][firm], subject["capital"][at])
    currency = np.where(is_firm, state["firm"]["currency"][firm], 0)
    firm_type = pick(codes.FIRM_TYPES, form % len(codes.FIRM_TYPES))
    return described | {
        "uscc": where(~subject["unconverted"][at], described["uscc"]),
        "registration_no": naming.registration_no(state, ids),
        "entity_kind": pick(labels.KINDS, kind),
        "legal_form": pc.if_else(pa.array(is_firm), firm_type, pick(labels.KINDS, kind)),
        "representative_pid": st.pid(state, subject["head"][at]),
        "ended_on": dates(subject["ended"][at]),
        "capital": capital_text(capital, currency, np.zeros(len(at))),
        "industry": pick(codes.TRADES, subject["trade"][at]),
    }


def officer(state: State, ids: Ints) -> Columns:
    """Return the offices that persons hold."""
    officer, at = state["officer"], ids - 1
    return {
        "entity_id": pc.cast(pa.array(officer["subject"][at].astype(np.int64)), pa.string()),
        "pid": st.pid(state, officer["person"][at]),
        "name": st.name(state, officer["person"][at]),
        "role": pick(labels.ROLES, officer["role"][at]),
        "share": where(officer["share"][at] > 0, pc.cast(pa.array(officer["share"][at]), pa.string())),
        "started_on": dates(officer["started"][at]),
        "ended_on": dates(officer["ended"][at]),
    }


def change(state: State, ids: Ints) -> Columns:
    """Return registered changes, before and after."""
    change, at = state["subject_change"], ids - 1
    subject, item = change["subject"][at], change["item"][at]
    return {
        "entity_id": pc.cast(pa.array(subject.astype(np.int64)), pa.string()),
        "uscc": naming.credit_code(state, subject),
        "item": pick(labels.ITEMS, item),
        "before": _said(state, subject, item, change["old1"][at], change["old2"][at]),
        "after": _said(state, subject, item, change["new1"][at], change["new2"][at]),
        "changed_on": dates(change["changed"][at]),
    }


def _said(state: State, subject: Ints, item: Ints, first: Ints, second: Ints) -> Strings:
    """Return what a change wrote: a name, an address or a person's name."""
    is_name, is_address = item == labels.NAME_CHANGED, item == labels.ADDRESS_CHANGED
    brands = [np.where(is_name, part, 0) for part in (first, second)]
    village, house = (np.where(is_address, part, 0) for part in (first, second))
    head = np.where(item == labels.HEAD_CHANGED, first, 1)
    named = naming.called(state, subject, *brands)
    placed = naming.address(state, village, house)
    return pc.if_else(
        pa.array(is_name), named, pc.if_else(pa.array(is_address), placed, st.name(state, head))
    )


def social(state: State, ids: Ints) -> Columns:
    """Return social organisations."""
    form = state["subject"]["form"][ids - 1].astype(np.int64)
    return _described(state, ids) | {"form": pick(labels.SOCIAL_FORMS, form % 3)}


def institution(state: State, ids: Ints) -> Columns:
    """Return public institutions and bodies of government."""
    subject, at = state["subject"], ids - 1
    kind = subject["kind"][at]
    funding = np.where(kind == labels.GOVERNMENT, 2, subject["form"][at] % 2)
    return _described(state, ids) | {
        "kind": pick(labels.KINDS, kind),
        "funding": pick(labels.FUNDINGS, funding),
    }


def _number(state: State, taxpayers: Ints) -> Strings:
    """Return the numbers taxpayers are known by: the credit code or the number before it."""
    taxpayer, at = state["taxpayer"], taxpayers - 1
    subject = taxpayer["subject"][at]
    old = pa.array(taxpayer["old_number"][at])
    return pc.if_else(old, naming.registration_no(state, subject), naming.credit_code(state, subject))


def taxpayer(state: State, ids: Ints) -> Columns:
    """Return taxpayers and what they owe."""
    taxpayer, at = state["taxpayer"], ids - 1
    of = taxpayer["subject"][at].astype(np.int64)
    described = _described(state, of)
    owed = taxpayer["owed"][at]
    return {
        "taxpayer_no": _number(state, ids),
        "name": described["name"],
        "taxpayer_kind": pick(labels.TAXPAYER_KINDS, 1 - taxpayer["general"][at].astype(np.int64)),
        "credit_level": pick(labels.TAX_LEVELS, taxpayer["level"][at]),
        "registered_on": described["established_on"],
        "status": pick(labels.STATES, state["subject"]["status"][of - 1]),
        "address": described["address"],
        "arrears": amounts(owed),
        "arrears_since": dates(taxpayer["owed_since"][at]),
    }


def payment(state: State, ids: Ints) -> Columns:
    """Return payments of tax."""
    payment, at = state["tax_payment"], ids - 1
    payer = payment["taxpayer"][at].astype(np.int64)
    return {
        "taxpayer_no": _number(state, payer),
        "taxpayer_name": naming.name_on(state, state["taxpayer"]["subject"][payer - 1], payment["paid"][at]),
        "tax": pick(labels.TAX_KINDS, payment["tax"][at]),
        "period": pc.cast(pa.array(month_number(payment["month"][at])), pa.string()),
        "amount": amounts(payment["amount"][at]),
        "due_on": dates(payment["due"][at]),
        "paid_on": dates(payment["paid"][at]),
    }


def record(state: State, ids: Ints) -> Columns:
    """Return records of credit, of persons and organisations."""
    record, at = state["credit_record"], ids - 1
    subject, person = record["subject"][at].astype(np.int64), record["person"][at]
    of = np.maximum(subject, 1)
    is_person, written = subject == 0, record["written"][at]
    numbers = pc.if_else(
        pa.array(written == credit.BY_OLD_NUMBER),
        naming.registration_no(state, of),
        naming.credit_code(state, of),
    )
    numbers = where(written != credit.BY_FORMER_NAME, numbers)
    kind = np.where(is_person, len(labels.KINDS), state["subject"]["kind"][of - 1])
    named = naming.name_on(state, of, record["decided"][at])
    repaired = np.maximum(record["repairs"][at], 1)
    mends = padded(repaired, 10, "C")
    return {
        "subject_kind": pick((*labels.KINDS, "自然人"), kind),
        "subject_code": pc.if_else(pa.array(is_person), st.pid(state, person), numbers),
        "subject_name": pc.if_else(pa.array(is_person), st.name(state, person), named),
        "record_kind": pick(labels.RECORD_KINDS, record["kind"][at]),
        "category": pick(labels.CATEGORIES, record["category"][at]),
        "authority": pick(labels.AUTHORITIES, record["category"][at]),
        "decided_on": dates(record["decided"][at]),
        "valid_until": dates(record["until"][at]),
        "amount": where(record["amount"][at] > 0, amounts(record["amount"][at])),
        "repairs_no": where(record["repairs"][at] > 0, mends),
    }
