"""Insurance, employment and military service."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.calendar import parts
from simulator.population import YEAR
from simulator.rates import DailyRates, Lateness
from simulator.state import State, late_days, shown_on
from simulator.table import NEVER, Column, Ints, Mask


def insure_city(state: State, never_employees: Ints) -> None:
    """Write the insurance of a new city; ``never_employees`` have a resident's pension at most."""
    rng = state.rng(10)
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    people = np.flatnonzero((age >= 20) & (rng.random(len(age)) < 0.93))
    u = rng.random(len(people))
    employee = (u < np.where(person["rural"][people], 0.18, 0.72)) & ~np.isin(people + 1, never_employees)
    _insure(state, people, employee, rng)
    switched = people[employee & (rng.random(len(people)) < 0.12)]
    ended = state.today - rng.integers(400, 4000, len(switched))
    started = np.minimum(person["birth"][switched] + int(18 * YEAR), ended - 100)
    state["insurance"].append(
        person=switched + 1,
        kind=codes.RESIDENT_PENSION,
        status=codes.STOPPED,
        started=started,
        ended=ended,
        benefit=0,
    )


def _insure(state: State, people: Column, employee: Mask, rng: Generator) -> Ints:
    """Insure people (positions) since some time in the past; the dead are stopped on their day of death."""
    person = state["person"]
    birth = person["birth"][people].astype(np.int64)
    retirement = np.where(employee & (person["sex"][people] == 2), 55, 60)
    drawing = birth + (retirement * YEAR).astype(np.int64) <= state.today
    died = person["died"][people]
    status = np.where(died != NEVER, codes.STOPPED, np.where(drawing, codes.DRAWING, codes.PAYING))
    since = np.maximum(birth + int(18 * YEAR), state.today - rng.integers(30, 12000, len(people)))
    since = np.minimum(since, np.minimum(died, state.today) - 1)
    benefit = np.where(
        employee, rng.integers(220_000, 650_000, len(people)), rng.integers(16_000, 42_000, len(people))
    )
    return state["insurance"].append(
        person=np.asarray(people) + 1,
        kind=np.where(employee, codes.EMPLOYEE_PENSION, codes.RESIDENT_PENSION),
        status=status,
        started=since,
        ended=died,
        benefit=np.where(drawing, benefit, 0),
    )


def employ_city(state: State) -> None:
    """Write the jobs of a new city: a current one for most paying employees, and former ones."""
    rng = state.rng(11)
    person, insurance = state["person"], state["insurance"]
    age = (state.today - person["birth"]) / YEAR
    paying = np.zeros(len(person), dtype=bool)
    current = insurance["status"] == codes.PAYING
    paying[insurance["person"][current & (insurance["kind"] == codes.EMPLOYEE_PENSION)] - 1] = True
    u = rng.random(len(person))
    works = (person["died"] == NEVER) & (age > 20) & (age < 60) & (u < np.where(paying, 0.92, 0.06))
    people = np.flatnonzero(works)
    started = np.maximum(
        person["birth"][people] + int(18 * YEAR), state.today - rng.integers(20, 5000, len(people))
    )
    state["employment"].append(
        person=people + 1,
        firm=_employers(state, len(people), rng),
        started=started,
        ended=NEVER,
        shown=started,
        void=False,
    )
    former = rng.random(len(people)) < 0.3
    ended = started[former] - rng.integers(1, 200, int(former.sum()))
    began = ended - rng.integers(60, 1500, len(ended))
    state["employment"].append(
        person=people[former] + 1,
        firm=_employers(state, len(ended), rng),
        started=began,
        ended=ended,
        shown=began,
        void=False,
    )


def _employers(state: State, count: int, rng: Generator) -> Ints:
    """Draw firms, the first ones far larger than the last."""
    firms = len(state["firm"])
    return np.minimum((firms * rng.random(count) ** 2).astype(np.int64), firms - 1) + 1


def enlist_city(state: State, sixties: Ints) -> None:
    """Write the service records of a new city; ``sixties`` are conscripts for certain."""
    rng = state.rng(12)
    person = state["person"]
    age = (state.today - person["birth"]) / YEAR
    chance = np.where(
        person["sex"] == 1,
        np.interp(age, [20, 21, 54, 55, 85, 96], [0, 0.02, 0.02, 0.075, 0.075, 0.04]),
        0.0012,
    )
    chance[(age < 21) | (person["sex"] == 0)] = 0.0
    chosen = rng.random(len(person)) < chance
    chosen[sixties - 1] = True
    people = np.flatnonzero(chosen)
    kind = rng.choice(4, size=len(people), p=(0.78, 0.1, 0.06, 0.06))
    kind[np.isin(people + 1, sixties)] = codes.CONSCRIPT
    year = parts(person["birth"][people])[0] + rng.integers(18, 22, len(people))
    first = (
        ((year - 1970) * 12 + np.where(year >= 2013, 8, 11)).astype("datetime64[M]").astype("datetime64[D]")
    )
    enlisted = first.astype(np.int64) + rng.integers(0, 20, len(people))
    least, most = np.array([2, 5, 12, 8]), np.array([5, 12, 17, 26])
    served = rng.integers(least[kind], most[kind]) * YEAR + rng.integers(-10, 60, len(people))
    discharged = enlisted + served.astype(np.int64)
    out = discharged < np.minimum(person["died"][people], state.today) - 30
    people, kind = people[out], kind[out]
    home = person["village"][people]
    state["service"].append(
        person=people + 1,
        enlisted=enlisted[out],
        discharged=discharged[out],
        kind=kind,
        unit=rng.integers(10_000, 99_999, len(people)),
        place=np.where(
            rng.random(len(people)) < 0.9,
            home,
            rng.integers(0, len(state.places.village_township), len(people)),
        ),
    )


def change_jobs(state: State, daily: DailyRates, lateness: Lateness, rng: Generator) -> None:
    """Some leave one employer for another today, some begin to work.

    A job was never held after all (voided).
    """
    employment, person = state["employment"], state["person"]
    living = int(state.living().sum())
    running = (employment["ended"] == NEVER) & ~employment["void"] & (employment["shown"] <= state.today)
    rows = rng.permutation(np.flatnonzero(running & person["resident"][employment["person"] - 1]))
    rows = rows[: rng.poisson(living * daily.job_changes)]
    employment["ended"][rows] = state.today
    state.touch("social_security.employment", rows + 1)
    _hire(state, employment["person"][rows], lateness, rng)
    age = (state.today - person["birth"]) / YEAR
    busy = np.zeros(len(person), dtype=bool)
    busy[employment["person"][(employment["ended"] == NEVER) & ~employment["void"]] - 1] = True
    free = rng.permutation(np.flatnonzero(person["resident"] & ~busy & (age > 20) & (age < 55)))
    _hire(state, free[: rng.poisson(living * daily.new_jobs)] + 1, lateness, rng)
    voided = rng.permutation(np.flatnonzero(~employment["void"] & (employment["shown"] <= state.today)))
    voided = voided[: rng.poisson(len(employment) * daily.voided_jobs)]
    employment["void"][voided] = True
    state.remove("social_security.employment", voided + 1)


def _hire(state: State, persons: Column, lateness: Lateness, rng: Generator) -> None:
    """Give persons a job from today. Lateness only where no employee pension hangs on it."""
    insurance = state["insurance"]
    pensioned = insurance["person"][
        (insurance["kind"] == codes.EMPLOYEE_PENSION) & (insurance["status"] != codes.STOPPED)
    ]
    late = late_days(len(persons), lateness.employment, lateness.days, rng)
    late = np.where(np.isin(persons, pensioned), 0, late)
    shown = shown_on(np.full(len(persons), state.today), late)
    ids = state["employment"].append(
        person=persons,
        firm=_employers(state, len(persons), rng),
        started=state.today,
        ended=NEVER,
        shown=shown,
        void=False,
    )
    state.add("social_security.employment", ids[shown == state.today])


def change_insurance(state: State, daily: DailyRates, rng: Generator) -> None:
    """Benefits are adjusted, some stop paying or begin to draw, and some newcomers are insured."""
    insurance, person = state["insurance"], state["person"]
    alive = person["resident"][insurance["person"] - 1]
    drawing = rng.permutation(np.flatnonzero(alive & (insurance["status"] == codes.DRAWING)))
    adjusted = drawing[: rng.poisson(len(insurance) * daily.benefit_changes)]
    insurance["benefit"][adjusted] += rng.integers(500, 20_000, len(adjusted))
    paying = rng.permutation(np.flatnonzero(alive & (insurance["status"] == codes.PAYING)))
    changed = paying[: rng.poisson(len(insurance) * daily.insurance_changes)]
    old = (state.today - person["birth"][insurance["person"][changed] - 1]) / YEAR >= 60
    insurance["status"][changed] = np.where(old, codes.DRAWING, codes.STOPPED)
    insurance["benefit"][changed] = np.where(old, 20_000, 0)
    insurance["ended"][changed] = np.where(old, NEVER, state.today)
    state.touch("social_security.insurance", np.r_[adjusted, changed] + 1)
    age = (state.today - person["birth"]) / YEAR
    insured = np.zeros(len(person), dtype=bool)
    insured[insurance["person"][insurance["status"] != codes.STOPPED] - 1] = True
    free = rng.permutation(np.flatnonzero(person["resident"] & ~insured & (age > 18) & (age < 59)))
    new = free[: rng.poisson(len(insurance) * daily.insurance_changes)]
    ids = state["insurance"].append(
        person=new + 1,
        kind=(rng.random(len(new)) < 0.5).astype(np.int8),
        status=codes.PAYING,
        started=state.today,
        ended=NEVER,
        benefit=0,
    )
    state.add("social_security.insurance", ids)
