"""Plants for accuracy 准确性: A04, A06 dates; A05, A07 amounts; codes and points elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from own_warehouse import TODAY
from toy_source import Row

from plants.accuracy_codes import number_of_birth
from plants.points import A08
from plants.record import Ask, Draft, Recipe, Recipes

# --- A04 -------------------------------------------------------------------------------------------------

# The start of each end; of `admitted_on` the end is `settled_on`.
_START: dict[tuple[str, str], str] = {
    ("agriculture__land_contract", "term_to"): "term_from",
    ("civil_affairs__assisted_household", "ended_on"): "approved_on",
    ("civil_affairs__subsidy_award", "ended_on"): "started_on",
    ("disabled_federation__certificate", "valid_until"): "issued_on",
    ("funeral__cremation", "cremated_on"): "died_on",
    ("health__birth", "registered_on"): "born_on",
    ("health__death", "registered_on"): "died_on",
    ("licence_register__licence", "valid_until"): "issued_on",
    ("police__household_member", "left_on"): "joined_on",
    ("social_security__employment", "ended_on"): "started_on",
    ("social_security__insurance", "ended_on"): "started_on",
    ("transport__licence", "valid_until"): "issued_on",
    ("veterans__service_record", "discharged_on"): "enlisted_on",
}


def _ends(days: int) -> Recipe:
    """An end so many days after its start."""
    why = f"ends {abs(days)} days before its start" if days < 0 else f"ends {days} days after its start"

    def recipe(ask: Ask) -> Draft:
        return ask.change(_ending(ask, days), why, also=("C03",), case=days)

    return recipe


def _ends_by_turn(first: int, step: int) -> Recipe:
    """An end ever further from its start."""
    return lambda ask: _ends(first + step * ask.turn)(ask)


def _ending(ask: Ask, days: int) -> Row:
    if (ask.table, ask.column) == ("medical_insurance__settlement", "admitted_on"):
        return {"admitted_on": _after(ask.row["settled_on"], -days)}
    if ask.table == "health__death" and not ask.column:
        return {"died_on": _after(_birth_in(ask.row["pid"]), days)}
    if ask.table == "veterans__service_record" and not ask.column:
        birth = date.fromisoformat(_birth_in(ask.row["pid"]))
        fourteen = birth.replace(year=birth.year + 14).isoformat()
        return {"enlisted_on": _after(fourteen, days), "discharged_on": _after(fourteen, days + 730)}
    return {ask.column: _after(ask.row[_START[ask.table, ask.column]], days)}


def _after(day: str | None, days: int) -> str:
    return (date.fromisoformat(day or "") + timedelta(days)).isoformat()


def _birth_in(pid: str | None) -> str:
    code = pid or ""
    return f"{code[6:10]}-{code[10:12]}-{code[12:14]}"


# --- A05 -------------------------------------------------------------------------------------------------

# (whether zero is allowed, the most that is).
_CAPS: dict[tuple[str, str], tuple[bool, str | None]] = {
    ("agriculture__land_contract", "area_mu"): (False, "10000"),
    ("agriculture__subsidy", "claimed_mu"): (False, "10000"),
    ("agriculture__subsidy", "amount"): (False, "1000000"),
    ("civil_affairs__assisted_household", "monthly_amount"): (False, "20000"),
    ("civil_affairs__subsidy_award", "monthly_amount"): (False, "20000"),
    ("civil_affairs__subsidy_payment", "amount"): (False, "20000"),
    ("medical_insurance__settlement", "total_amount"): (True, "1000000"),
    ("social_security__insurance", "monthly_benefit"): (False, "50000"),
}
_NO_CAP = (True, None)


def _amount(ask: Ask, value: Decimal | str, why: str) -> Draft:
    drawing = {"status": "领取"} if ask.column == "monthly_benefit" else {}
    return ask.change({ask.column: str(value)} | drawing, why, also=("S05", "A07", "N07"), case=str(value))


def _beyond(step: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        cap = _CAPS.get((ask.table, ask.column), _NO_CAP)[1]
        return _amount(ask, Decimal(cap) + Decimal(step), f"{step} beyond the cap") if cap else None

    return recipe


def _ever_further_beyond(ask: Ask) -> Draft | None:
    return _beyond(f"{ask.turn * ask.turn + 1}.{ask.turn % 100:02d}")(ask)


def _ever_less(ask: Ask) -> Draft:
    minus = ("-", "－")[ask.turn % 2]
    return _amount(ask, f"{minus}{ask.turn * ask.turn}.{1 + ask.turn % 99:02d}", "less than nothing")


def _within(step: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        cap = _CAPS.get((ask.table, ask.column), _NO_CAP)[1]
        return _amount(ask, Decimal(cap) - Decimal(step), f"{step} within the cap") if cap else None

    return recipe


def _negative(value: str) -> Recipe:
    return lambda ask: _amount(ask, value, "less than nothing")


def _zero(ask: Ask) -> Draft | None:
    allowed = _CAPS.get((ask.table, ask.column), _NO_CAP)[0]
    return None if allowed else _amount(ask, ("0", "0.00", "0.0")[ask.turn % 3], "nothing at all")


def _zero_is_allowed(ask: Ask) -> Draft | None:
    allowed = _CAPS.get((ask.table, ask.column), _NO_CAP)[0]
    return _amount(ask, ("0", "0.00")[ask.turn % 2], "nothing, which may be") if allowed else None


def _small(value: str) -> Recipe:
    return lambda ask: _amount(ask, value, "little, but something")


def _some(ask: Ask) -> Draft:
    """An amount under every cap, in one of the forms that sources write."""
    form = ("{:.2f}", "{:,.2f}", " {:.1f} ", "{:.0f}", "{:.2e}")[ask.turn % 5]
    value = form.format(1000.25 + 37 * ask.turn)
    wide = value.translate({ord(it): ord(it) + 0xFEE0 for it in "0123456789"})
    return _amount(ask, wide if ask.turn % 7 == 0 else value, "an amount, however written")


# --- A06 -------------------------------------------------------------------------------------------------


def _in_days(days: int, form: str = "%Y-%m-%d") -> Recipe:
    day = (TODAY + timedelta(days)).strftime(form)
    why = f"{days} days ahead" if days > 0 else f"{-days} days ago"

    def recipe(ask: Ask) -> Draft:
        changes: Row = {ask.column: day}
        number = next((it for it in ("pid", "child_pid") if it in ask.row), "")
        if ask.column in ("birth_date", "born_on"):
            changes[number] = number_of_birth(ask, (TODAY + timedelta(days)).strftime("%Y%m%d"))
        return ask.change(changes, why, also=("A04", "S0", "R01", "C0"), case=day)

    return recipe


def _in_days_by_turn(first: int, step: int) -> Recipe:
    """A day ever further from today, in the forms of dates in turns."""
    forms = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日")
    return lambda ask: _in_days(first + step * ask.turn, forms[ask.turn % 4])(ask)


# --- A07 -------------------------------------------------------------------------------------------------

_MEDIAN, _MAD = Decimal(1000), Decimal(10)


def _off(steps: Callable[[Ask], Decimal], why: str) -> Recipe:
    """An amount so many median deviations off the median of its kind of subsidy."""

    def recipe(ask: Ask) -> Draft:
        beside = tuple(
            (table, row | {"subsidy_kind": "孤儿补助"} if table.endswith("award") else row)
            for table, row in ask.beside
        )
        sign = 1 if ask.turn % 2 else -1
        amount = f"{_MEDIAN + sign * steps(ask) * _MAD:.2f}"
        paid = ask.row | {"amount": amount}
        return Draft(why, (paid,), beside + (_typical(ask) if ask.turn == 0 else ()), case=amount)

    return recipe


def _typical(ask: Ask) -> tuple[tuple[str, Row], ...]:
    """800 months of one award: half 5 off the median of 1000, half 10, above as often as below.

    With at most 300 plants further off, the median deviation of all is 10.
    """
    row, beside = ask.fresh.row("civil_affairs__subsidy_payment")
    award = [
        (table, it | {"subsidy_kind": "孤儿补助"} if table.endswith("award") else it) for table, it in beside
    ]
    months = [f"{1950 + month // 12}{1 + month % 12:02d}" for month in range(800)]
    amounts = ("995.00", "1005.00", "990.00", "1010.00")
    paid = [
        row | {"payment_id": str(ask.fresh.number()), "month": month, "amount": amounts[position % 4]}
        for position, month in enumerate(months)
    ]
    return (*award, *(("civil_affairs__subsidy_payment", it) for it in paid))


RECIPES = {
    "A04": Recipes(
        [_ends(-1), *[_ends_by_turn(-2, -17)] * 8],
        [_ends(0), *[_ends_by_turn(1, 1)] * 8],
        each=9,
    ),
    "A05": Recipes(
        [
            _beyond("0.01"),
            _negative("-0.01"),
            _zero,
            *[_ever_less, _ever_further_beyond] * 4,
        ],
        [_within("0"), _small("0.01"), _within("0.01"), _zero_is_allowed, *[_some] * 8],
        each=12,
    ),
    "A06": Recipes(
        [
            _in_days(1),
            _in_days_by_turn(2, 1),
            _in_days_by_turn(3, 97),
            _in_days_by_turn(2, 1),
        ],
        [_in_days(0), *[_in_days_by_turn(-1, -1)] * 3],
        each=4,
    ),
    "A07": Recipes(
        [
            _off(lambda _: Decimal("6.001"), "just over six median deviations"),
            *[_off(lambda ask: Decimal(6) + Decimal(ask.draw.randrange(1, 3000)) / 1000, "over six")] * 5,
            *[_off(lambda ask: Decimal(ask.draw.randrange(1000, 9500)) / 100, "far off")] * 5,
        ],
        [
            _off(lambda _: Decimal(6), "six median deviations"),
            _off(lambda _: Decimal("5.999"), "a cent less"),
            *[_off(lambda ask: Decimal(4) + Decimal(ask.draw.randrange(2000)) / 1000, "between four and six")]
            * 9,
        ],
        each=140,
    ),
    "A08": A08,
}
