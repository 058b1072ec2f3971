"""Plants for consistency 一致性 between tables and columns: S03 names, S04 deaths, S05 sums, S06 layers."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from good_rows import pid
from toy_source import Row

from plants.consistency import old_number, two_residents
from plants.loads import CONSERVED, NOT_CONSERVED
from plants.record import Ask, Draft, Recipe, Recipes

# --- S03 -------------------------------------------------------------------------------------------------


def _registered_as(registered: str, here: str, why: str, *also: str) -> Recipe:
    """`{0}` is the given name, another one for each person."""

    def recipe(ask: Ask) -> Draft:
        given = (ask.row["name"] or "王明")[1:]
        names = registered.format(given), here.format(given)
        beside = tuple(
            (table, it | {"name": names[0]} if table == "police__resident" else it)
            for table, it in ask.beside
        )
        return Draft(why, (ask.row | {"name": names[1]},), beside, also, case=names)

    return recipe


_OTHER_NAMES = [
    _registered_as("王{}", "李{}", "another surname"),
    _registered_as("王{}", "王{}明", "a character more"),
    _registered_as("王{}明", "王{}", "a character less"),
    _registered_as("王{}云", "王{}芸", "a character of the same sound"),
    _registered_as("王建{}", "王{}建", "characters exchanged"),
    _registered_as("买买提·{}", "买买提{}", "without its middle dot"),
    _registered_as("欧阳{}", "欧{}", "half a surname"),
    _registered_as("王{}", "{}王", "the surname behind"),
    _registered_as("张{}", "章{}", "a surname of the same sound"),
    _registered_as("买买提·{}", "{}·买买提", "the father's name before"),
    _registered_as("艾力·{}", "艾力·{}·买买提", "a name more"),
    _registered_as("王{}", "王{0}{0}", "a character twice"),
    _registered_as("陈𠀀{}", "陈□{}", "a rare character lost"),
    _registered_as("李{}", "李{}1", "a digit behind"),
]
_SAME_NAMES = [
    _registered_as("王{}", "王{}", "the same name"),
    _registered_as("买买提·{}", "买买提•{}", "another middle dot"),
    _registered_as("买买提・{}", "买买提.{}", "two other middle dots"),
    _registered_as("王{}", " 王 {} ", "spaces"),
    _registered_as("王{}明", "王\u3000{}明", "a full-width space", "N08"),
    _registered_as("陈𠀀{}", "陈𠀀{}", "a rare character"),
    _registered_as("王{}", "王\u200b{}", "a zero-width space", "N08"),
    _registered_as("王\u00a0{}", "王{}", "a space that does not break"),
    _registered_as("艾力‧{}", "艾力∙{}", "middle dots of two more kinds"),
    _registered_as("艾力．{}", "艾力·{}", "a full-width full stop for a middle dot", "N08"),
    _registered_as("王{}\t", "王{}", "a tab behind", "N08"),
]


def _blank_name(ask: Ask) -> Draft:
    blank = (None, "", " ", "\u3000", "\u200b")[ask.turn % 5]
    case = (ask.table, blank)
    return ask.change({"name": blank}, "no name is no other name", also=("C01", "N08", "U04"), case=case)


def _two_names_registered(ask: Ask) -> Draft:
    """The register holds the person twice; one of the rows has this name."""
    registered = next(it for table, it in ask.beside if table == "police__resident")
    former = registered | {
        "resident_id": str(ask.fresh.number()),
        "name": "赵" + (ask.row["name"] or "")[1:],
        "status": "0",
        "household_no": f"H7{ask.fresh.number()}",
    }
    beside = (*ask.beside, ("police__resident", former))
    return Draft("the name of one of his rows", (ask.row,), beside, case=(former["name"], ask.row["name"]))


# --- S04 -------------------------------------------------------------------------------------------------


def _death(ask: Ask, number: int, day: date) -> tuple[tuple[str, Row], ...]:
    row, beside = ask.fresh.row_of("health__death", number)
    died = {"died_on": day.isoformat(), "registered_on": (day + timedelta(1)).isoformat()}
    return (*beside, ("health__death", row | died))


_DIED = [
    *(date(2025, 5, 30), date(2025, 6, 1), date(2024, 2, 29), date(2025, 6, 30), date(2024, 12, 31)),
    *(date(2024, 1, 1) + timedelta(11 * step) for step in range(40)),
]


def _s04_row(ask: Ask, number: int, day: date, *, fault: bool) -> tuple[Row, str]:
    """The row of somebody who died on a day: contradicting that, or just not."""
    step = ask.turn
    if ask.table == "civil_affairs__subsidy_payment":
        months = 1 + step % 3 if fault else -(step % 3)
        month = day.month - 1 + months
        paid = f"{day.year + month // 12}{1 + month % 12:02d}"
        return {"pid": pid(number), "month": paid}, f"paid {months} months after the month of death"
    if ask.table == "medical_insurance__settlement":
        days = 31 + step % 60 if fault else 30 - step % 40
        settled = (day + timedelta(days)).isoformat()
        return {"settled_on": settled, "admitted_on": "2024-01-01"}, f"settled {days} days after death"
    if ask.table == "social_security__insurance":
        drawing: Row = {"status": "领取", "monthly_benefit": f"{180 + step}.50", "ended_on": None}
        left: Row = {"status": ("停保", "参保")[step % 2], "ended_on": day.isoformat()}
        return (drawing, "still draws a pension") if fault else (left, "no longer draws a pension")
    if ask.table == "police__cancellation":
        return {"reason": "死亡" if fault or step % 2 else "迁出"}, "cancelled"
    return {"status": "1" if fault else "0"}, "alive in the register" if fault else "dead in the register"


def _of_the_dead(ask: Ask, *, fault: bool) -> Draft:
    number, day = ask.fresh.number(), _DIED[ask.turn % len(_DIED)]
    row, _ = ask.fresh.row_of(ask.table, number)
    changes, why = _s04_row(ask, number, day, fault=fault)
    beside = _death(ask, number, day)
    if ask.table == "police__resident":
        beside = tuple(it for it in beside if it[0] != "police__resident")
    elif ask.table == "police__cancellation" and (fault or changes["reason"] == "迁出"):
        beside = (("police__resident", ask.fresh.resident(number)),)
    case = (ask.table, day, *sorted(changes.items()))
    return Draft(why, (row | changes,), beside + _referred(ask, number), case=case)


def _referred(ask: Ask, number: int) -> tuple[tuple[str, Row], ...]:
    """The award that a payment is of."""
    _, beside = ask.fresh.row_of(ask.table, number)
    return tuple(it for it in beside if it[0] == "civil_affairs__subsidy_award")


def _contradicts_death(ask: Ask) -> Draft:
    return _of_the_dead(ask, fault=True)


def _agrees_with_death(ask: Ask) -> Draft:
    return _of_the_dead(ask, fault=False)


def _lives(ask: Ask) -> Draft:
    return ask.change({}, "nobody died", case=ask.table)


def _namesake_died(ask: Ask) -> Draft:
    day = _DIED[ask.turn % len(_DIED)]
    death = _death(ask, ask.fresh.number(), day)
    namesake = ask.row.get("name") or "王明"
    beside = [(table, row | {"name": namesake}) for table, row in death]
    case = (ask.table, day)
    return Draft("somebody of the same name died", (ask.row,), (*ask.beside, *beside), case=case)


# --- S05, S06 --------------------------------------------------------------------------------------------


def _sum(off: str, why: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        fund, own = (
            Decimal(ask.draw.randrange(1, 500_000)) / 100,
            Decimal(ask.draw.randrange(0, 90_000)) / 100,
        )
        parts: Row = {"fund_paid": f"{fund:.2f}", "self_paid": f"{own:.2f}"}
        return ask.change(parts | {"total_amount": f"{fund + own + Decimal(off):.2f}"}, why)

    return recipe


def _part_unknown(ask: Ask) -> Draft:
    missing = ("fund_paid", "self_paid", "total_amount")[ask.turn // 2 % 3]
    paid = f"{5000 + ask.turn}.00"
    amounts: Row = {"total_amount": paid, "fund_paid": paid, "self_paid": paid, missing: None}
    return ask.change(amounts, "a part is not said", also=("C01",))


def _other_notation(ask: Ask) -> Draft:
    whole = 1 + ask.turn
    parts: Row = {"fund_paid": f"{whole},000.5", "self_paid": "０.5", "total_amount": f" {whole}001"}
    return ask.change(parts, "the same sum, written otherwise")


def _of_the_base(recipe: Recipe) -> Recipe:
    """Of the binding that leads to the base, not of the one from landing to staging."""
    return lambda ask: recipe(ask) if ask.column else None


def _lost(ask: Ask) -> Draft:
    return ask.change({}, "its identity did not reach the base", case=ask.row["pid"])


def _kept(ask: Ask) -> Draft:
    return ask.change({}, "its identity reached the base", case=ask.row["pid"])


def _twice(ask: Ask) -> Draft:
    return two_residents(ask, {"status": "0"}, "two rows of one identity")


def _once_old(ask: Ask) -> Draft:
    changes: Row = {"status": "0", "pid": old_number(ask.row["pid"] or "")}
    return two_residents(ask, changes, "one identity, in its old form and its new")


def _quarantined(ask: Ask) -> Draft:
    garbage = (None, f"不详{ask.turn}", f"xBT{ask.turn:06d}", f"370602{ask.turn}")[ask.turn // 4 % 4]
    return ask.change({"pid": garbage}, "set apart, as it has no number", also=("C01", "N01"))


RECIPES = {
    "S03": Recipes(_OTHER_NAMES, [*_SAME_NAMES, _blank_name, _two_names_registered]),
    "S04": Recipes(
        [_contradicts_death],
        [*[_agrees_with_death, _namesake_died, _agrees_with_death] * 4, _lives],
        each=24,
    ),
    "S05": Recipes(
        [
            _sum(off, f"{off} too much")
            for off in ("0.01", "-0.01", "1", "-1", "100", "0.10", "-0.50", "999.99")
        ],
        [_sum("0", "right to the cent"), _part_unknown, _sum("0", "right to the cent"), _other_notation],
    ),
    "S06": Recipes(
        [*NOT_CONSERVED, _of_the_base(_lost)],
        [*CONSERVED, *map(_of_the_base, (_kept, _twice, _once_old, _quarantined))],
        each=4,
    ),
}
