"""Public credit: rewards, penalties and listings of people and organisations, and what was repaired."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.domains.economy import labels
from simulator.domains.economy.register import Rate, adults
from simulator.state import I8, I32, I64, Schema, State
from simulator.table import NEVER, Column, Ints

# Either a subject or a person. written: how the record names an organisation. repairs: the record it mends.
SCHEMA: Schema = {
    "credit_record": {
        "subject": I32, "person": I32, "kind": I8, "category": I8, "decided": I32, "until": I32,
        "amount": I64, "repairs": I32, "written": I8,
    },
}  # fmt: skip
BY_CODE, BY_OLD_NUMBER, BY_FORMER_NAME = range(3)
_KINDS = np.array(labels.CATEGORY_KINDS)
_PERSONS = np.array([1, 6, 7])  # categories of people; organisations have all but 见义勇为
_ORGANISATIONS = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9])


def found(state: State, rate: Rate, rng: Generator) -> None:
    """Write the records of the last years."""
    subjects = state["subject"].ids
    subjects = subjects[rng.random(len(subjects)) < rate["recorded_subjects"]]
    subjects = np.sort(np.concatenate([subjects, subjects[rng.random(len(subjects)) < 0.3]]))
    persons = adults(state, int(state.living().sum() * rate["recorded_persons"]), rng)
    begun = np.r_[state["subject"]["established"][subjects - 1], np.zeros(len(persons), dtype=np.int32)]
    ago = rng.integers(5, 1200, len(begun))
    days = np.maximum(state.today - ago, begun + 1)
    known = days < state.today
    made = _record(
        state,
        np.r_[subjects, np.zeros(len(persons), dtype=np.int64)][known],
        np.r_[np.zeros(len(subjects), dtype=np.int64), persons][known],
        days[known],
        rng,
    )
    _repair(state, made[rng.random(len(made)) < rate["repaired"]], None, rng)


def change(state: State, rate: Rate, rng: Generator) -> None:
    """Let a day pass: new records, some mended."""
    running = np.flatnonzero(state["subject"]["ended"] == NEVER) + 1
    subjects = rng.permutation(running)[: rng.poisson(len(running) * rate["daily_records"])]
    persons = adults(state, int(rng.poisson(state.living().sum() * rate["daily_person_records"])), rng)
    count = len(subjects) + len(persons)
    _record(
        state,
        np.r_[subjects, np.zeros(len(persons), dtype=np.int64)],
        np.r_[np.zeros(len(subjects), dtype=np.int64), persons],
        np.full(count, state.today),
        rng,
    )
    record = state["credit_record"]
    bad = np.flatnonzero(
        np.isin(record["kind"], (labels.PENALTY, labels.DISHONEST)) & (record["decided"] < state.today)
    )
    bad = bad[~np.isin(bad + 1, record["repairs"])] + 1
    _repair(state, bad[rng.random(len(bad)) < rate["daily_repaired"]], state.today, rng)


def _record(state: State, subjects: Ints, persons: Ints, days: Column, rng: Generator) -> Ints:
    count = len(subjects)
    if not count:
        return np.empty(0, dtype=np.int64)
    category = np.where(subjects > 0, rng.choice(_ORGANISATIONS, count), rng.choice(_PERSONS, count))
    # Nothing is decided twice of one subject on one day: a second such row could only be a repeated one.
    once = np.sort(np.unique(np.stack((subjects, persons, days, category)), axis=1, return_index=True)[1])
    subjects, persons, days, category = (it[once] for it in (subjects, persons, days, category))
    count = len(once)
    kind = _KINDS[category]
    until = np.where(
        kind == labels.DISHONEST, days + 730, np.where(kind == labels.PENALTY, days + 1095, NEVER)
    )
    made = state["credit_record"].append(
        subject=subjects,
        person=persons,
        kind=kind,
        category=category,
        decided=days,
        until=until,
        amount=np.where(kind == labels.PENALTY, rng.integers(2, 500, count) * 10_000, 0),
        repairs=0,
        written=_written(state, subjects, days, rng),
    )
    state.add("credit.record", made)
    return made


def _written(state: State, subjects: Ints, days: Column, rng: Generator) -> Ints:
    """Draw how each record names its organisation: by an older number, or only by the name it then had."""
    subject, change = state["subject"], state["subject_change"]
    earlier = subject["earlier"][np.maximum(subjects, 1) - 1] > 0
    old = (subjects > 0) & earlier & (rng.random(len(subjects)) < 0.25)
    named = change["item"] == labels.NAME_CHANGED
    renamed_on = np.zeros(len(subject) + 1, dtype=np.int64)
    renamed_on[change["subject"][named]] = change["changed"][named]
    renamed = (renamed_on[subjects] > days) & (rng.random(len(subjects)) < 0.5)
    return np.where(renamed, BY_FORMER_NAME, np.where(old, BY_OLD_NUMBER, BY_CODE))


def _repair(state: State, records: Ints, day: int | None, rng: Generator) -> None:
    """Mend penalties and listings, some days after them or today."""
    record, at = state["credit_record"], records - 1
    at = at[np.isin(record["kind"][at], (labels.PENALTY, labels.DISHONEST))]
    when = record["decided"][at] + rng.integers(60, 500, len(at)) if day is None else np.full(len(at), day)
    at, when = at[when <= state.today], when[when <= state.today]
    if len(at):
        made = record.append(
            subject=record["subject"][at], person=record["person"][at], kind=labels.REPAIR,
            category=record["category"][at], decided=when, until=NEVER, amount=0, repairs=at + 1,
            written=record["written"][at],
        )  # fmt: skip
        state.add("credit.record", made)
