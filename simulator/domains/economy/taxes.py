"""Taxes of firms and shops: who pays under which number, what was paid, what is owed."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator.calendar import first_of, month_of, parts
from simulator.domains.economy import labels
from simulator.domains.economy.register import Rate
from simulator.state import BOOL, I8, I32, I64, Schema, State
from simulator.table import NEVER, Ints

# taxpayer: one row a firm, shop or cooperative. old_number: known by the number before credit codes only.
# month: months since 1970; owed is fen, since the first unpaid due day.
SCHEMA: Schema = {
    "taxpayer": {
        "subject": I32, "old_number": BOOL, "level": I8, "general": BOOL, "monthly": I64, "pays": BOOL,
        "owed": I64, "owed_since": I32,
    },
    "tax_payment": {"taxpayer": I32, "tax": I8, "month": I32, "amount": I64, "due": I32, "paid": I32},
}  # fmt: skip
_DUE_DAY = 28


def found(state: State, rate: Rate, rng: Generator) -> None:
    """Register the taxpayers of a new city and write what they paid in the last months."""
    _register(state, state["subject"].ids, rate, rng)
    month = month_of(state.today)
    for past in range(int(rate["tax_months"]), 0, -1):
        payers = _payers(state, month - past)
        if past == 1:
            payers = payers[payers % _DUE_DAY < _day_of_month(state)]
        _pay(state, payers, month - past, None, rng)
    taxpayer = state["taxpayer"]
    owing = rng.random(len(taxpayer)) < rate["owing"]
    taxpayer["owed"][owing] = taxpayer["monthly"][owing] * rng.integers(1, 7, int(owing.sum()))
    taxpayer["owed_since"][owing] = state.today - rng.integers(20, 200, int(owing.sum()))
    # Who owes has not paid since.
    payment = state["tax_payment"]
    payment.keep(payment["due"] < taxpayer["owed_since"][payment["taxpayer"] - 1])


def change(state: State, rate: Rate, rng: Generator) -> None:
    """Let a day pass: new taxpayers, today's payments, debts made and settled."""
    new = np.arange(state.before["subject"], len(state["subject"])) + 1
    _register(state, new, rate, rng)
    taxpayer = state["taxpayer"]
    month = month_of(state.today) - 1
    payers = _payers(state, month)
    at = payers[payers % _DUE_DAY + 1 == _day_of_month(state)] - 1
    failing = (taxpayer["owed"][at] > 0) | (rng.random(len(at)) < rate["daily_owing"])
    _pay(state, at[~failing] + 1, month, state.today, rng)
    failing = at[failing]
    taxpayer["owed"][failing] += taxpayer["monthly"][failing]
    taxpayer["owed_since"][failing] = np.minimum(taxpayer["owed_since"][failing], state.today)
    debtors = np.flatnonzero(taxpayer["owed"] > 0)
    settled = debtors[rng.random(len(debtors)) < rate["daily_settled"]]
    taxpayer["owed"][settled] = 0
    taxpayer["owed_since"][settled] = NEVER
    judged = np.flatnonzero(rng.random(len(taxpayer)) < rate["daily_levels"])
    taxpayer["level"][judged] = rng.integers(0, len(labels.TAX_LEVELS), len(judged))
    state.touch("taxation.taxpayer", np.r_[failing, settled, judged] + 1)


def _day_of_month(state: State) -> int:
    return int(parts(np.array([state.today]))[2][0])


def _register(state: State, subjects: Ints, rate: Rate, rng: Generator) -> None:
    subject = state["subject"]
    ids = subjects[subject["kind"][subjects - 1] <= labels.COOPERATIVE]
    if not len(ids):
        return
    kind = subject["kind"][ids - 1]
    size = np.where(kind == labels.FIRM, 4.2, 2.4)
    made = state["taxpayer"].append(
        subject=ids,
        old_number=(subject["earlier"][ids - 1] > 0) & (rng.random(len(ids)) < rate["tax_by_old_number"]),
        level=rng.choice(5, size=len(ids), p=(0.25, 0.45, 0.15, 0.1, 0.05)),
        general=(kind == labels.FIRM) & (rng.random(len(ids)) < 0.6),
        monthly=(10 ** rng.normal(size, 0.5, len(ids)) * 100).astype(np.int64),
        pays=rng.random(len(ids)) < np.where(kind == labels.FIRM, 0.95, 0.5),
        owed=0,
        owed_since=NEVER,
    )
    state.add("taxation.taxpayer", made)


def _payers(state: State, month: int) -> Ints:
    """Return who has to pay for a month: firms always, others for the last month of a quarter."""
    taxpayer, subject = state["taxpayer"], state["subject"]
    at = taxpayer["subject"] - 1
    open_ = (subject["established"][at] < first_of(month)) & (subject["ended"][at] > first_of(month + 1))
    due = (subject["kind"][at] == labels.FIRM) | (month % 3 == 2)
    return np.flatnonzero(taxpayer["pays"] & open_ & due) + 1


def _pay(state: State, payers: Ints, month: int, day: int | None, rng: Generator) -> None:
    """Write the payments for a month, made on a day or, without one, around the due day but before today."""
    taxpayer, due = state["taxpayer"], _due(month)
    for tax, share in ((labels.VAT, 1.0), (labels.INCOME_TAX, 0.4), (labels.PERSONAL_TAX, 0.15)):
        some = payers[rng.random(len(payers)) < share]
        late = np.where(
            rng.random(len(some)) < 0.06, rng.integers(1, 12, len(some)), -rng.integers(0, 8, len(some))
        )
        amount = taxpayer["monthly"][some - 1] * (0.6 + 0.8 * rng.random(len(some))) / (tax + 1)
        if len(some):
            made = state["tax_payment"].append(
                taxpayer=some,
                tax=tax,
                month=month,
                amount=amount.astype(np.int64),
                due=due,
                paid=np.minimum(due + late, state.today - 1) if day is None else day,
            )
            state.add("taxation.payment", made)


def _due(month: int) -> int:
    """Return by when the tax of a month is due: near the end of the next."""
    return first_of(month + 1) + _DUE_DAY - 1
