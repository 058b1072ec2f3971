"""What happens at school: rolls, transfers, drop-outs, new school years, and the degrees of adults."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.random import Generator

from simulator.calendar import age_on, to_date, to_days
from simulator.domains.nearby import in_own_district
from simulator.population import YEAR
from simulator.rates import Rates
from simulator.state import I8, I32, Schema, State
from simulator.table import NEVER, Column, Ints

NAME = "schooling"
SCHEMA: Schema = {
    "school": {"village": I32, "stage": I8, "number": I32},
    "enrolment": {"person": I32, "school": I32, "grade": I8, "entered": I32, "ended": I32, "status": I8},
    "degree": {"person": I32, "level": I8, "college": I8, "graduated": I32},
}

STAGES = ("小学", "初中", "高中")
FIRST_GRADE = np.array([1, 7, 10])
LAST_GRADE = np.array([6, 9, 12])
STATES = ("在读", "转出", "辍学", "毕业", "离校")
ACTIVE, TRANSFERRED, DROPPED, GRADUATED, GONE = range(5)
LEVELS = ("大学专科", "大学本科", "硕士研究生", "博士研究生")
COLLEGES = ("山东大学", "中国海洋大学", "鲁东大学", "青岛大学", "职业技术学院", "国家开放大学")
_TOP_GRADE = 12
_SUMMER = 62  # days from 1 July to 1 September
_LEAST = (8, 4, 2)


def found(state: State, rates: Rates) -> None:
    """Open schools, put children on their rolls, and give adults their degrees."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    people = int(state.living().sum())
    for stage, least in enumerate(_LEAST):
        count = max(least, int(people * rate["schools"] / (stage + 1)))
        villages = rng.integers(0, len(state.places.village_township), count)
        state["school"].append(village=villages, stage=stage, number=np.arange(1, count + 1))
    grade = _grades(state, school_year(state.today))
    never = rng.random(len(grade)) < rate["never_enrolled"]
    left_off = (grade > LAST_GRADE[1]) & (rng.random(len(grade)) > rate["to_senior_school"])
    pupils = np.flatnonzero(state.living() & (grade >= 1) & (grade <= _TOP_GRADE) & ~never) + 1
    for stage in range(len(STAGES) - 1):
        _finish_stage(state, pupils[grade[pupils - 1] > LAST_GRADE[stage]], grade, stage, rng)
    _admit(state, pupils[~left_off[pupils - 1]], grade, rng)
    active = _active(state)
    dropping = active[(_stage(state, active) == 1) & (rng.random(len(active)) < rate["dropped"])]
    _end(state, dropping, np.full(len(dropping), state.today - 40), DROPPED)
    moving = np.setdiff1d(active[rng.random(len(active)) < rate["transferred"]], dropping)
    _transfer(state, moving, state.today - rng.integers(5, 130, len(moving)), rng)
    _graduate_adults(state, rates, rng)


def school_year(day: int) -> int:
    """Return the school year of a day, named by the year in which it began on 1 September."""
    when = to_date(day)
    return when.year if when.month >= 9 else when.year - 1


def _begin(year: int) -> int:
    return to_days(date(year, 9, 1))


def _grades(state: State, year: int) -> Ints:
    """Return the grade that fits each person's age in a school year: six at its begin is the first."""
    return age_on(state["person"]["birth"], _begin(year) - 1) - 5


def _entered(state: State, grade: Column, stage: Column) -> Column:
    """Return the 1 September on which pupils of a grade today entered their stage."""
    this_year = school_year(state.today)
    begins = np.array([_begin(this_year - back) for back in range(_TOP_GRADE + 1)])
    return np.asarray(begins[grade - FIRST_GRADE[stage]])


def _finish_stage(state: State, pupils: Ints, grade: Ints, stage: int, rng: Generator) -> None:
    """Write the finished time at an earlier stage; it ended on 1 July before the next one began."""
    own, this = grade[pupils - 1], np.full(len(pupils), stage)
    state["enrolment"].append(
        person=pupils,
        school=_schools(state, pupils, this, rng),
        grade=LAST_GRADE[stage],
        entered=_entered(state, own, this),
        ended=_entered(state, own, this + 1) - _SUMMER,
        status=GRADUATED,
    )


def _admit(state: State, pupils: Ints, grade: Ints, rng: Generator) -> Ints:
    own = grade[pupils - 1]
    stage = np.searchsorted(LAST_GRADE, own)
    return state["enrolment"].append(
        person=pupils,
        school=_schools(state, pupils, stage, rng),
        grade=own,
        entered=_entered(state, own, stage),
        ended=NEVER,
        status=ACTIVE,
    )


def _schools(state: State, pupils: Ints, stage: Column, rng: Generator) -> Ints:
    """Return a school of the right stage in each pupil's district."""
    school, chosen = state["school"], np.zeros(len(pupils), dtype=np.int64)
    village = state.person("village", pupils)
    for number in range(len(STAGES)):
        of_stage, mine = np.flatnonzero(school["stage"] == number), np.flatnonzero(stage == number)
        chosen[mine] = of_stage[in_own_district(state, school["village"][of_stage], village[mine], rng)] + 1
    return chosen


def _active(state: State) -> Ints:
    return np.flatnonzero(state["enrolment"]["status"] == ACTIVE) + 1


def _stage(state: State, enrolments: Column) -> Column:
    rows = state["enrolment"]
    return np.asarray(state["school"]["stage"][rows["school"][enrolments - 1] - 1])


def _end(state: State, enrolments: Ints, days: Column, status: int) -> None:
    rows, at = state["enrolment"], enrolments - 1
    rows["ended"][at] = np.maximum(days, rows["entered"][at] + 1)
    rows["status"][at] = status
    state.touch("education.enrolment", enrolments)


def _transfer(state: State, enrolments: Ints, days: Column, rng: Generator) -> None:
    """Let pupils change to another school of their stage: one roll ends, another begins on the same day."""
    rows, at = state["enrolment"], enrolments - 1
    persons, stage, grade = rows["person"][at].astype(np.int64), _stage(state, enrolments), rows["grade"][at]
    target = _schools(state, persons, stage, rng)
    other = target != rows["school"][at]
    _end(state, enrolments[other], np.asarray(days)[other], TRANSFERRED)
    new = rows.append(
        person=persons[other],
        school=target[other],
        grade=grade[other],
        entered=rows["ended"][at[other]],
        ended=NEVER,
        status=ACTIVE,
    )
    state.add("education.enrolment", new)


def _graduate_adults(state: State, rates: Rates, rng: Generator) -> None:
    rate, person = rates.of(NAME), state["person"]
    age = (state.today - person["birth"]) / YEAR
    young = rate["degrees"]
    chance = np.interp(age, [22, 23, 35, 60, 75], [0.0, young, young, 0.05, 0.01])
    graduates = np.flatnonzero((person["left"] == NEVER) & (rng.random(len(age)) < chance)) + 1
    level = rng.choice(len(LEVELS), size=len(graduates), p=(0.47, 0.45, 0.07, 0.01))
    _confer(state, graduates, level, rng)
    bachelors = graduates[(level == 2) & (age[graduates - 1] > 27)]
    _confer(state, bachelors, np.ones(len(bachelors), dtype=np.int64), rng)


def _confer(state: State, persons: Ints, level: Column, rng: Generator) -> Ints:
    """Confer degrees in June of the year in which their level is usually reached."""
    births = to_date(0).year + np.floor(state.person("birth", persons) / YEAR).astype(np.int64)
    years = births + np.array([21, 22, 25, 29])[level] + rng.integers(0, 2, len(persons))
    junes = np.array([to_days(date(year, 6, 20)) for year in range(1930, to_date(state.today).year + 1)])
    at = np.clip(years - 1930, 0, len(junes) - 1)
    return state["degree"].append(
        person=persons,
        level=level,
        college=rng.integers(0, len(COLLEGES), len(persons)),
        graduated=np.minimum(junes[at], state.today - 1),
    )


def change(state: State, rates: Rates) -> None:
    """Let a school day pass."""
    rate, rng = rates.of(NAME), state.rng_of(NAME)
    _follow_lives(state)
    if to_date(state.today).month == 9 and to_date(state.today).day == 1:
        _new_year(state, rates, rng)
    active = _active(state)
    u = rng.random(len(active))
    moved = state["move"]["person"][state.before["move"] :]
    moving = (u < rate["daily_transfers"]) | np.isin(state["enrolment"]["person"][active - 1], moved)
    dropping = ~moving & (_stage(state, active) == 1) & (u > 1 - rate["daily_dropped"])
    _end(state, active[dropping], np.full(int(dropping.sum()), state.today), DROPPED)
    _transfer(state, active[moving], np.full(int(moving.sum()), state.today), rng)
    age = (state.today - state["person"]["birth"]) / YEAR
    young = np.flatnonzero(state.living() & (age > 23) & (age < 40)) + 1
    late = young[rng.random(len(young)) < rate["daily_degrees"]]
    state.add("education.degree", _confer(state, late, np.zeros(len(late), dtype=np.int64), rng))


def _follow_lives(state: State) -> None:
    """Take those who died or left the city off the rolls; a household joined may bring another hukou."""
    joined = state["member"]["person"][state.before["member"] :]
    state.touch("education.enrolment", np.flatnonzero(np.isin(state["enrolment"]["person"], joined)) + 1)
    active = _active(state)
    gone = active[~state.living()[state["enrolment"]["person"][active - 1] - 1]]
    _end(state, gone, np.full(len(gone), state.today), GONE)


def _new_year(state: State, rates: Rates, rng: Generator) -> None:
    """Move everybody up a grade; graduates go to the next stage, and six-year-olds come to school."""
    rate, rows = rates.of(NAME), state["enrolment"]
    active = _active(state)
    last = rows["grade"][active - 1] == LAST_GRADE[_stage(state, active)]
    leaving, staying = active[last], active[~last]
    graded = np.zeros(len(state["person"]), dtype=np.int64)
    graded[rows["person"][leaving - 1] - 1] = rows["grade"][leaving - 1] + 1
    _end(state, leaving, np.full(len(leaving), state.today - _SUMMER), GRADUATED)
    rows["grade"][staying - 1] += 1
    state.touch("education.enrolment", staying)
    first = (_grades(state, school_year(state.today)) == 1) & state.living()
    first &= rng.random(len(graded)) >= rate["never_enrolled"]
    graded[first] = 1
    stays = (graded != FIRST_GRADE[2]) | (rng.random(len(graded)) < rate["to_senior_school"])
    next_ = np.flatnonzero((graded > 0) & (graded <= _TOP_GRADE) & stays & state.living()) + 1
    state.add("education.enrolment", _admit(state, next_, graded, rng))
