"""Which registrations the archive holds, in which form each was written, and when it was digitised."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.calendar import parts, to_days
from simulator.domains import forgotten
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import I8, I32, State
from simulator.table import NEVER, Column, Ints

KINDS = ("结婚", "离婚", "复婚")
MARRIED, DIVORCED, REMARRIED = range(3)
FIRST, END = to_days(date(1957, 1, 1)), to_days(date(2016, 1, 1))
# How a registrar wrote down when somebody was born, and the number.
WHOLE_DATE, ONLY_YEAR, ONLY_AGE = range(3)
NO_NUMBER, FIFTEEN, EIGHTEEN = range(3)
_PIECES = 200  # registrations bound into one volume
_OLD_SCANS = to_days(date(2013, 1, 1))
# Marriages by era: the first number in people's hands, then the long one on every certificate.
_CARDS, _LONG, _RELIABLE = (
    to_days(date(year, month, 1)) for year, month in ((1985, 1), (1999, 10), (2004, 1))
)
_LOOSE = to_days(date(1981, 1, 1))  # until then ages and years were often enough

# A party is a person's id, or the negative number of a forgotten one; "shown" is the day from which the
# digitised row is there, "old_shown" that of an earlier, poorer digitisation (NEVER: there was none).
SCHEMA = {
    "archive": {
        "marriage": I32, "kind": I8, "registered": I32, "husband": I32, "wife": I32,
        "husband_village": I32, "wife_village": I32, "husband_birth_form": I8, "wife_birth_form": I8,
        "husband_id_form": I8, "wife_id_form": I8, "husband_work": I8, "wife_work": I8, "volume": I32,
        "piece": I32, "shown": I32, "old_shown": I32,
    }
}  # fmt: skip


def found(state: State, rates: Rates) -> None:
    """Fill the archive of a new city; it gets no other registrations afterwards."""
    rng, rate = state.rng_of("archive"), rates.of("archive")
    known = _of_marriages(state)
    rows = np.concatenate([known, _of_the_forgotten(state, rate, rng, known.shape[1])], axis=1)
    marriage, kind, registered, husband, wife = rows[:, np.lexsort((rows[3], rows[1], rows[2]))]
    volume, piece = _bound(registered)
    home = _homes(state, husband, registered, rng)
    state["archive"].append(
        marriage=marriage,
        kind=kind,
        registered=registered,
        husband=husband,
        wife=wife,
        husband_village=home,
        wife_village=_maiden_homes(state, home, rng),
        volume=volume,
        piece=piece,
        **_forms(registered, rng),
        **_digitised(state, rate, len(kind), rng),
    )


def change(state: State, rates: Rates) -> None:
    """Let the scans arrive that are digitised today."""
    archive = state["archive"]
    for table, column in (("record", "shown"), ("old_record", "old_shown")):
        state.add(f"marriage_archive.{table}", np.flatnonzero(archive[column] == state.today) + 1)


def _of_marriages(state: State) -> Ints:
    """Return marriage, kind, day, husband and wife (rows) of the registrations of known couples."""
    marriage = state["marriage"]
    ids = marriage.ids
    divorced = marriage["end_kind"] == codes.DIVORCED
    days = np.concatenate([marriage["registered"], np.where(divorced, marriage["ended"], NEVER)])
    kinds = np.repeat([MARRIED, DIVORCED], len(ids))
    kept = np.flatnonzero((days >= FIRST) & (days < END))
    of = np.concatenate([ids, ids])[kept]
    return np.stack([of, kinds[kept], days[kept], marriage["husband"][of - 1], marriage["wife"][of - 1]])


def _of_the_forgotten(state: State, rate: dict[str, float], rng: Generator, known: int) -> Ints:
    """Return the same for couples who are nowhere else: weddings, some divorces, some second weddings."""
    share = rate["forgotten_rows"]
    divorcing = rate["forgotten_divorced"]
    each = 1 + divorcing * (1 + rate["forgotten_remarried"])
    couples = max(2, round(known * share / (1 - share) / each))
    wed = FIRST + ((END - FIRST) * rng.beta(1.1, 2.2, couples)).astype(np.int64)
    districts = state.places.district_numbers
    men, women = (
        forgotten.remember(
            state,
            districts[rng.integers(0, len(districts), couples)],
            wed - ((youngest + rng.gamma(2.0, spread, couples)) * YEAR).astype(np.int64),
            np.full(couples, sex),
            rng,
        )
        for sex, youngest, spread in ((1, 22.1, 1.8), (2, 20.1, 1.6))
    )
    parted = np.where(rng.random(couples) < divorcing, wed + rng.integers(300, 6000, couples), NEVER)
    remarrying = (rng.random(couples) < rate["forgotten_remarried"]) & (parted < END)
    again = np.where(remarrying, parted + rng.integers(60, 2000, couples), NEVER)
    days = np.concatenate([wed, parted, again])
    kinds = np.repeat([MARRIED, DIVORCED, REMARRIED], couples)
    kept = np.flatnonzero(days < END)
    nobody = np.zeros(len(kept), dtype=np.int64)
    return np.stack([nobody, kinds[kept], days[kept], np.tile(men, 3)[kept], np.tile(women, 3)[kept]])


def _bound(registered: Ints) -> tuple[Ints, Ints]:
    """Return volume and piece of registrations in order of their days; each year begins with volume 1."""
    year = parts(registered)[0]
    number = np.arange(len(year)) - np.searchsorted(year, year)
    return number // _PIECES + 1, number % _PIECES + 1


def _homes(state: State, husbands: Ints, registered: Ints, rng: Generator) -> Ints:
    """Return where husbands lived: at their first known place, else (they came later) anywhere."""
    residence = state["residence"]
    first = np.full(len(state["person"]), -1, dtype=np.int64)
    since = np.full(len(state["person"]), NEVER, dtype=np.int64)
    # Backwards, so that of several stays the first is what is kept.
    order = np.lexsort((-residence["start"].astype(np.int64), residence["person"]))
    at = residence["person"][order] - 1
    first[at], since[at] = residence["village"][order], residence["start"][order]
    known = husbands > 0
    at = np.where(known, husbands - 1, 0)
    anywhere = rng.integers(0, len(state.places.village_township), len(husbands))
    return np.where(known & (since[at] <= registered), first[at], anywhere)


def _maiden_homes(state: State, home: Ints, rng: Generator) -> Ints:
    """Return where wives lived before: half of them in the husband's village, the others in his district."""
    district = np.asarray(state.places.village_district)
    order = np.argsort(district, kind="stable")
    begin = np.searchsorted(district[order], district[home])
    size = np.searchsorted(district[order], district[home], side="right") - begin
    other = order[begin + (size * rng.random(len(home))).astype(np.int64)]
    return np.where(rng.random(len(home)) < 0.5, home, other)


def _forms(registered: Ints, rng: Generator) -> dict[str, Column]:
    """Return how births and numbers of both parties were written, by the customs of the time."""
    columns: dict[str, Column] = {}
    for party in ("husband", "wife"):
        u = rng.random(len(registered))
        year, age = np.where(registered < _LOOSE, [[0.15], [0.12]], [[0.085], [0.005]])
        columns[f"{party}_birth_form"] = np.where(
            u < year, ONLY_YEAR, np.where(u < year + age, ONLY_AGE, WHOLE_DATE)
        )
        u = rng.random(len(registered))
        short = np.where((registered >= _CARDS) & (registered < _LONG), 0.5, 0.0)
        long = np.select(
            [registered < _CARDS, registered < _LONG, registered < _RELIABLE], [0.0, 0.01, 0.85], 0.97
        )
        columns[f"{party}_id_form"] = np.where(
            u < long, EIGHTEEN, np.where(u < long + short, FIFTEEN, NO_NUMBER)
        )
        columns[f"{party}_work"] = rng.integers(0, 100, len(registered))
    return columns


def _digitised(state: State, rate: dict[str, float], count: int, rng: Generator) -> dict[str, Column]:
    """Return when each row was digitised: most long ago, the rest by and by; some once before, poorly."""
    u = rng.random(count)
    past = state.today - rng.integers(1, 900, count)
    coming = state.today + np.ceil(rng.exponential(rate["days_to_digitise"], count)).astype(np.int64)
    old = _OLD_SCANS + rng.integers(0, 700, count)
    return {
        "shown": np.where(u < rate["not_yet_digitised"], coming, past),
        "old_shown": np.where(rng.random(count) < rate["digitised_twice"], old, NEVER),
    }
