"""Who is certified as disabled, and which rural households are watched lest they fall back into poverty."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.events import homes
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import BOOL, I8, I32, Schema, State
from simulator.table import NEVER, Column, Ints

NAME = "welfare"
SCHEMA: Schema = {
    "certificate": {
        "person": I32, "kind": I8, "grade": I8, "issued": I32, "valid_until": I32, "revoked": I32,
        "revokes": I32,
    },
    "monitored": {
        "person": I32, "household": I32, "head": I32, "kind": I8, "risk": I8, "village": I32,
        "identified": I32, "cleared": I32, "numberless": BOOL, "year_only": BOOL, "known_place": I8,
    },
}  # fmt: skip

DISABILITIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_DISABILITY_SHARES = (0.13, 0.2, 0.03, 0.4, 0.09, 0.1, 0.05)
GRADES = ("1", "2", "3", "4")
MONITORED_KINDS = ("脱贫不稳定户", "边缘易致贫户", "突发严重困难户")
RISKS = ("因病", "因残", "因学", "因灾", "缺劳动力")
_TEN_YEARS = 3652


def found(state: State, rates: Rates) -> None:
    """Certify the disabled and begin the ledger."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    person, award = state["person"], state["award"]
    age = (np.minimum(person["died"], state.today) - person["birth"]) / YEAR
    chance = rate["disabled"] * np.interp(age, [0, 3, 30, 60, 85], [0.0, 0.3, 0.6, 1.4, 2.6])
    supported = award["person"][(award["kind"] == codes.DISABILITY) & (award["ended"] == NEVER)]
    chance[supported - 1] = rate["supported_certified"]
    here = (person["left"] == NEVER) & (age > 1)
    people = np.flatnonzero(here & (rng.random(len(person)) < chance))
    ids = _certify(state, people + 1, _some_days_ago(state, people, rng), rng)
    certificate = state["certificate"]
    gone = person["died"][people] != NEVER
    certificate["revokes"][ids[gone] - 1] = _revoked_after(state, person["died"][people[gone]], rates, rng)
    _revoke_due(state)
    households = state["household"]
    chosen = np.flatnonzero(
        (households["head"] > 0) & households["rural"] & (rng.random(len(households)) < rate["monitored"])
    )
    ids = _watch(state, chosen + 1, state.today - rng.integers(30, 1500, len(chosen)), rates, rng)
    _clear(state, state["monitored"]["household"][ids - 1], 0.35, rng)


def _some_days_ago(state: State, people: Column, rng: Generator) -> Column:
    person = state["person"]
    latest = np.minimum(person["died"][people], state.today).astype(np.int64) - 1
    return np.asarray(
        np.maximum(latest - rng.integers(5, _TEN_YEARS + 300, len(people)), person["birth"][people] + 200)
    )


def _certify(state: State, persons: Column, issued: Column, rng: Generator) -> Ints:
    count = len(persons)
    return state["certificate"].append(
        person=persons,
        kind=rng.choice(len(DISABILITIES), size=count, p=_DISABILITY_SHARES),
        grade=rng.choice(4, size=count, p=(0.14, 0.26, 0.28, 0.32)),
        issued=issued,
        valid_until=np.asarray(issued) + _TEN_YEARS,
        revoked=NEVER,
        revokes=NEVER,
    )


def _revoked_after(state: State, deaths: Column, rates: Rates, rng: Generator) -> Column:
    """Return when the certificates of the dead are revoked: within 90 days, some never."""
    when = deaths + rng.integers(1, 90, len(deaths))
    return np.where(rng.random(len(deaths)) < rates.of(NAME)["never_revoked"], NEVER, when)


def _revoke_due(state: State) -> None:
    certificate = state["certificate"]
    due = np.flatnonzero((certificate["revoked"] == NEVER) & (certificate["revokes"] <= state.today))
    certificate["revoked"][due] = certificate["revokes"][due]
    state.touch("disabled_federation.certificate", due + 1)


def _watch(state: State, households: Column, identified: Column, rates: Rates, rng: Generator) -> Ints:
    """Enter the members of households into the ledger; of some no number is known."""
    rate = rates.of(NAME)
    people = homes.people_of(state, households)
    if not len(people):
        return np.empty(0, dtype=np.int64)
    home = state.person("household", people)
    first = np.searchsorted(households, home)
    kind, risk = rng.integers(0, 3, len(households)), rng.integers(0, len(RISKS), len(households))
    numberless = rng.random(len(people)) < rate["numberless"]
    return state["monitored"].append(
        person=people,
        household=home,
        head=state["household"]["head"][home - 1],
        kind=kind[first],
        risk=risk[first],
        village=state.person("village", people),
        identified=np.asarray(identified)[first],
        cleared=NEVER,
        numberless=numberless,
        year_only=numberless & (rng.random(len(people)) < rate["year_only"]),
        known_place=rng.choice([12, 9, 0], size=len(people), p=(0.85, 0.1, 0.05)),
    )


def _clear(state: State, households: Column, share: float, rng: Generator) -> None:
    """Strike some of the households watched off the list, all members on one day."""
    rows = state["monitored"]
    households = np.unique(households)
    chosen = households[rng.random(len(households)) < share]
    at = np.flatnonzero((rows["cleared"] == NEVER) & np.isin(rows["household"], chosen))
    days = state.today if state.meta.step else np.minimum(rows["identified"][at] + 400, state.today)
    rows["cleared"][at] = days
    state.touch("rural_revitalisation.monitored_person", at + 1)


def change(state: State, rates: Rates) -> None:
    """Let a day of both offices pass."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    certificate, person = state["certificate"], state["person"]
    dead = state["death"]["person"][state.before["death"] :]
    hit = np.flatnonzero((certificate["revokes"] == NEVER) & np.isin(certificate["person"], dead))
    certificate["revokes"][hit] = _revoked_after(
        state, person["died"][certificate["person"][hit] - 1], rates, rng
    )
    _revoke_due(state)
    in_force = np.flatnonzero(
        (certificate["revokes"] == NEVER) & (rng.random(len(certificate)) < rate["regraded"])
    )
    certificate["grade"][in_force] = (certificate["grade"][in_force] + 3) % 4
    state.touch("disabled_federation.certificate", in_force + 1)
    free = np.setdiff1d(np.flatnonzero(state.living()) + 1, certificate["person"])
    new = np.sort(rng.permutation(free)[: rng.poisson(len(free) * rate["new_certificates"])])
    state.add("disabled_federation.certificate", _certify(state, new, np.full(len(new), state.today), rng))
    _change_ledger(state, rates, rng)


def _change_ledger(state: State, rates: Rates, rng: Generator) -> None:
    rate, rows = rates.of(NAME), state["monitored"]
    household = state["household"]
    lived_in = np.flatnonzero((household["head"] > 0) & household["rural"]) + 1
    free = np.setdiff1d(lived_in, rows["household"])
    new = np.sort(rng.permutation(free)[: rng.poisson(len(free) * rate["newly_monitored"])])
    ids = _watch(state, new, np.full(len(new), state.today), rates, rng)
    state.add("rural_revitalisation.monitored_person", ids)
    rows = state["monitored"]
    watched = rows["household"][(rows["cleared"] == NEVER) & (rows["identified"] < state.today)]
    _clear(state, watched, rate["cleared"], rng)
