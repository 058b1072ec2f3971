"""What organisations are called, numbered and addressed as, today and before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator import codes, identity
from simulator.domains.economy import labels
from simulator.events.firms import BRANDS
from simulator.state import State
from simulator.table import Column, Ints, Mask
from simulator.text import Strings, join, pick, where


def credit_code(state: State, ids: Column) -> Strings:
    """Return the credit codes of organisations."""
    subject, at = state["subject"], np.asarray(ids) - 1
    return identity.credit_codes(subject["district"][at], subject["serial"][at], subject["prefix"][at])


def registration_no(state: State, ids: Column) -> Strings:
    """Return the numbers before credit codes; null where there is none."""
    earlier = state["subject"]["earlier"][np.asarray(ids) - 1]
    return where(earlier > 0, identity.registration_numbers(earlier))


def name(state: State, ids: Column) -> Strings:
    """Return today's names."""
    subject, at = state["subject"], np.asarray(ids) - 1
    return called(state, ids, subject["brand1"][at], subject["brand2"][at])


def name_on(state: State, ids: Column, days: Column) -> Strings:
    """Return the name each organisation had on a day: that before its next change, or today's."""
    subject, change = state["subject"], state["subject_change"]
    renamed = np.flatnonzero(change["item"] == labels.NAME_CHANGED)
    order = renamed[np.lexsort((change["changed"][renamed], change["subject"][renamed]))]
    if not len(order):
        return name(state, ids)
    moments = change["subject"][order].astype(np.int64) * 10**6 + change["changed"][order]
    place = np.searchsorted(moments, np.asarray(ids, dtype=np.int64) * 10**6 + days, side="right")
    following = order[np.minimum(place, len(order) - 1)]
    at = np.asarray(ids) - 1
    before = (place < len(order)) & (change["subject"][following] == ids)
    brands = [
        np.where(before, change[f"old{part}"][following], subject[f"brand{part}"][at]) for part in (1, 2)
    ]
    return called(state, ids, *brands)


def called(state: State, ids: Column, brand1: Column, brand2: Column) -> Strings:
    """Return names with given brands; public bodies have none."""
    subject, places, at = state["subject"], state.places, np.asarray(ids) - 1
    kind, form, village = subject["kind"][at], subject["form"][at].astype(np.int64), subject["village"][at]
    city = places.city_name.rstrip("市")
    brand = join(pick(BRANDS, np.asarray(brand1)), pick(BRANDS, np.asarray(brand2)))
    trade = pick(codes.TRADES, subject["trade"][at])
    registered = pick(places.district_names, _district(state, at))
    names = {
        labels.FIRM: join(city, brand, trade, pick(codes.FIRM_FORMS, form % len(codes.FIRM_FORMS))),
        labels.SELF_EMPLOYED: join(registered, brand, pick(labels.SHOPS, form % len(labels.SHOPS))),
        labels.COOPERATIVE: join(registered, brand, trade, "农民专业合作社"),
        labels.SOCIAL: join(city, brand, trade, pick(labels.SOCIAL_NAMES, form % 3)),
        labels.INSTITUTION: _institution(state, village, form),
        labels.GOVERNMENT: _office(state, village, form),
    }
    found = pa.nulls(len(at), pa.string())
    for number, text in names.items():
        found = pc.if_else(pa.array(kind == number), text, found)
    return found


def _district(state: State, at: Ints) -> Ints:
    """Return the district in whose code an organisation is registered, whatever its address is today."""
    numbers = state.places.district_numbers
    return np.where(
        state["subject"]["kind"][at] == labels.FIRM, 0, _position(numbers, state["subject"]["district"][at])
    )


def _position(numbers: Ints, codes_of: Column) -> Ints:
    order = np.argsort(numbers)
    return order[np.minimum(np.searchsorted(numbers[order], codes_of), len(numbers) - 1)]


def _institution(state: State, village: Column, form: Ints) -> Strings:
    kinds = len(labels.INSTITUTION_NAMES)
    ordinal = pick(("", *(f"第{number}" for number in range(2, 60))), np.minimum(form // kinds, 58))
    return join(state.places.township_name(village), ordinal, pick(labels.INSTITUTION_NAMES, form % kinds))


def _office(state: State, village: Column, form: Ints) -> Strings:
    bureau = join(state.places.district_name(village), pick(labels.BUREAUS, (form - 1) % len(labels.BUREAUS)))
    return pc.if_else(pa.array(form > 0), bureau, join(state.places.township_name(village), "人民政府"))


def address(state: State, villages: Column, houses: Column) -> Strings:
    """Return addresses: with or without the city, with or without the village."""
    places, style = state.places, np.asarray(houses) % 3
    city = pick((places.city_name, ""), (style > 0).astype(np.int64))
    town = join(places.district_name(villages), places.township_name(villages))
    place = pc.if_else(pa.array(style == 1), places.full_name(villages), town)
    return join(city, place, pc.cast(pa.array(np.asarray(houses)), pa.string()), "号")


def of_kinds(state: State, *kinds: int) -> Mask:
    """Say which organisations are of one of the kinds."""
    return np.asarray(np.isin(state["subject"]["kind"], kinds))
