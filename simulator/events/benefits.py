"""Subsidy awards, their payments, and assisted households."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import codes
from simulator.calendar import birthday, first_of, month_of
from simulator.events import homes
from simulator.population import YEAR
from simulator.rates import DailyRates, Lateness
from simulator.state import State, late_days, shown_on
from simulator.table import NEVER, Column, Ints, Mask


def award_city(state: State, months: int, spared: Ints) -> None:
    """Write awards and the payments of the last months; ``spared`` persons get no regular benefit."""
    rng = state.rng(20)
    person = state["person"]
    age = (np.minimum(person["died"], state.today) - person["birth"]) / YEAR
    u = rng.random(len(person))
    eighty = birthday(person["birth"], 80)
    _grant(state, np.flatnonzero((age > 80.05) & (u < 0.95)), codes.OLD_AGE, eighty, rng)
    long_ago = state.today - rng.integers(800, 4000, len(person))
    since = np.maximum(long_ago, person["birth"] + 400)
    u = rng.random(len(person))
    _grant(state, np.flatnonzero((age > 5) & (u < 0.018)), codes.DISABILITY, since, rng)
    orphan = (age < 17.9) & (age > 2) & (person["mother"] == 0) & (person["father"] == 0)
    _grant(state, np.flatnonzero(orphan & (u < 0.5)), codes.ORPHAN, since, rng)
    veteran = np.zeros(len(person), dtype=bool)
    veteran[state["service"]["person"] - 1] = True
    veteran[spared - 1] = False
    u = rng.random(len(person))
    regular = (age > 60) & (u < np.where(veteran, 0.05, 0.0008))
    regular[spared - 1] = False
    _grant(state, np.flatnonzero(regular), codes.REGULAR_BENEFIT, since, rng)
    _end_some(state, rng)
    end_due_awards(state)
    this_month = month_of(state.today)
    for month in range(this_month - months + 1, this_month + 1):
        pay(state, month, None, rng)


def _grant(state: State, people: Column, kind: int, since: Column, rng: Generator) -> Ints:
    """Grant awards to persons (positions) from a day each.

    Those who died or left are stopped some time later.
    """
    person, award = state["person"], state["award"]
    gone = np.minimum(person["died"], person["left"])[people].astype(np.int64)
    started = np.minimum(since[people], gone - 1)
    stops = np.where(gone == NEVER, NEVER, gone + rng.integers(1, 60, len(people)))
    reason = np.where(person["died"][people] != NEVER, codes.STOP_DEATH, codes.STOP_LEFT)
    return award.append(
        person=np.asarray(people) + 1,
        kind=kind,
        started=started,
        ended=NEVER,
        reason=0,
        monthly=codes.AWARD_MONTHLY_FEN[kind] + rng.integers(0, 20, len(people)) * 500,
        village=person["village"][people],
        stops=stops,
        stop_reason=np.where(gone == NEVER, 0, reason),
    )


def _end_some(state: State, rng: Generator) -> None:
    """Some awards of the past have ended because their holders no longer qualified."""
    award = state["award"]
    some = np.flatnonzero(
        (award["stops"] == NEVER) & (award["kind"] != codes.OLD_AGE) & (rng.random(len(award)) < 0.04)
    )
    award["stops"][some] = np.maximum(
        state.today - rng.integers(1, 700, len(some)), award["started"][some] + 30
    )
    award["stop_reason"][some] = codes.STOP_UNFIT


def end_due_awards(state: State) -> None:
    """End the awards whose stop is due."""
    award = state["award"]
    due = np.flatnonzero((award["ended"] == NEVER) & (award["stops"] <= state.today))
    award["ended"][due] = award["stops"][due]
    award["reason"][due] = award["stop_reason"][due]
    state.touch("civil_affairs.subsidy_award", due + 1)


def in_force(state: State, day: int) -> Mask:
    """Which awards are in force on a day."""
    award = state["award"]
    return np.asarray((award["started"] <= day) & (award["ended"] > day))


def pay(state: State, month: int, lateness: Lateness | None, rng: Generator) -> None:
    """Pay a month's awards on its first day; some payments reach the source late."""
    first = first_of(month)
    rows = np.flatnonzero(in_force(state, first))
    share, most = (0.0, 1) if lateness is None else (lateness.payment, lateness.days)
    shown = shown_on(np.full(len(rows), first), late_days(len(rows), share, most, rng))
    ids = state["payment"].append(
        award=rows + 1,
        month=month,
        amount=state["award"]["monthly"][rows],
        paid=first,
        shown=shown,
        void=False,
    )
    state.add("civil_affairs.subsidy_payment", ids[shown <= state.today])


def change_awards(state: State, daily: DailyRates, lateness: Lateness, rng: Generator) -> None:
    """A day of the subsidy office: new awards, ends, the month's payments, voided payments."""
    person, award = state["person"], state["award"]
    _grow_up(state)
    running = rng.permutation(np.flatnonzero(in_force(state, state.today) & (award["stops"] == NEVER)))
    ending = running[: rng.poisson(len(running) * daily.award_ends)]
    award["stops"][ending], award["stop_reason"][ending] = state.today, codes.STOP_UNFIT
    end_due_awards(state)
    today = np.full(len(person), state.today)
    eighty = np.flatnonzero(person["resident"] & (birthday(person["birth"], 80) == state.today))
    ids = [_grant(state, eighty, codes.OLD_AGE, today, rng)]
    holders = award["person"][award["ended"] == NEVER]
    free = person["resident"].copy()
    free[holders - 1] = False
    new = rng.permutation(np.flatnonzero(free & (state.today - person["birth"] > 5 * YEAR)))
    new = new[: rng.poisson(int(state.living().sum()) * daily.new_awards)]
    ids.append(_grant(state, new, codes.DISABILITY, today, rng))
    veterans = np.intersect1d(state["service"]["person"] - 1, np.flatnonzero(free))
    old = veterans[(state.today - person["birth"][veterans]) > 60.5 * YEAR]
    ids.append(
        _grant(
            state, rng.permutation(old)[: rng.poisson(len(old) * 0.001)], codes.REGULAR_BENEFIT, today, rng
        )
    )
    state.add("civil_affairs.subsidy_award", np.concatenate(ids))
    if first_of(month_of(state.today)) == state.today:
        pay(state, month_of(state.today), lateness, rng)
    _void_payments(state, daily, rng)


def _grow_up(state: State) -> None:
    award, person = state["award"], state["person"]
    orphans = np.flatnonzero((award["kind"] == codes.ORPHAN) & (award["ended"] == NEVER))
    adult = orphans[birthday(person["birth"][award["person"][orphans] - 1], 18) <= state.today]
    award["stops"][adult], award["stop_reason"][adult] = state.today, codes.STOP_ADULT


def _void_payments(state: State, daily: DailyRates, rng: Generator) -> None:
    payment = state["payment"]
    recent = (
        (payment["month"] >= month_of(state.today) - 1) & ~payment["void"] & (payment["shown"] <= state.today)
    )
    rows = rng.permutation(np.flatnonzero(recent))
    rows = rows[: rng.poisson(len(rows) * daily.voided_payments)]
    payment["void"][rows] = True
    state.remove("civil_affairs.subsidy_payment", rows + 1)


def assist_city(state: State) -> None:
    """Write the assisted households of a new city."""
    rng = state.rng(21)
    household = state["household"]
    chance = np.where(household["rural"], 0.022, 0.009)
    homes_ = np.flatnonzero((household["head"] > 0) & (rng.random(len(household)) < chance)) + 1
    cases = _open_cases(state, homes_, state.today - rng.integers(10, 2000, len(homes_)), rng)
    ended = cases[rng.random(len(cases)) < 0.12]
    case = state["case"]
    case["ended"][ended - 1] = np.minimum(
        case["approved"][ended - 1] + rng.integers(5, 700, len(ended)), state.today
    )


def _open_cases(state: State, households: Column, approved: Column, rng: Generator) -> Ints:
    if not len(households):
        return np.empty(0, dtype=np.int64)
    household, person = state["household"], state["person"]
    kind = rng.choice(3, size=len(households), p=(0.72, 0.12, 0.16))
    cases = state["case"].append(
        household=households,
        head=household["head"][households - 1],
        kind=kind,
        village=household["village"][households - 1],
        approved=approved,
        ended=NEVER,
        monthly=np.array(codes.CASE_MONTHLY_FEN)[kind],
    )
    case_of = np.zeros(len(household) + 1, dtype=np.int64)
    case_of[households] = cases
    people = homes.people_of(state, households)
    rows = state["case_person"].append(case=case_of[person["household"][people - 1]], person=people)
    state.add("civil_affairs.assisted_household", cases)
    state.add("civil_affairs.assisted_person", rows)
    return cases


def change_cases(state: State, daily: DailyRates, rng: Generator) -> None:
    """New assisted households, and ends: some at random, and those without a living resident."""
    case, household = state["case"], state["household"]
    running = np.flatnonzero(case["ended"] == NEVER)
    empty = household["head"][case["household"][running] - 1] == 0
    ending = running[empty | (rng.random(len(running)) < daily.case_ends)]
    case["ended"][ending] = state.today
    state.touch("civil_affairs.assisted_household", ending + 1)
    free = np.setdiff1d(np.flatnonzero(household["head"] > 0) + 1, case["household"])
    count = rng.poisson(int(state.living().sum()) * daily.new_cases)
    chosen = np.sort(rng.permutation(free)[:count])
    _open_cases(state, chosen, np.full(len(chosen), state.today), rng)
