"""Plants for association 关联性: R01 subject, R02 parent, R03 head, R04 representative, R05 marriage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from good_rows import name, pid
from toy_source import Row, resident_id

from plants.record import Ask, Draft, Recipe, Recipes
from plants.regions import listed

# --- R01 -------------------------------------------------------------------------------------------------

_CASE = "civil_affairs__assisted_household"
_SUBJECT = {_CASE: "head_pid", "health__birth": "mother_pid"}


def _unregistered(ask: Ask) -> Draft:
    """The row as it is, without what it refers to."""
    if ask.column:
        return Draft("refers to nothing", (ask.row,), _without(ask, ask.column), case=ask.good)
    beside = tuple(it for it in ask.beside if "_resident" not in it[0] and it[0] != _CASE)
    if ask.table == "civil_affairs__assisted_person":
        case, others = ask.fresh.row(_CASE)
        beside = ((_CASE, case | {"case_no": ask.row["case_no"]}), *others)
    return Draft("the person is in no register", (ask.row,), beside, case=_subject(ask))


def _subject(ask: Ask) -> str | None:
    return ask.row[ask.column or _SUBJECT.get(ask.table, "pid")]


def _without(ask: Ask, column: str) -> tuple[tuple[str, Row], ...]:
    return tuple(it for it in ask.beside if it[1].get(column) != ask.row[column])


def _misread_reference(ask: Ask) -> Draft:
    if ask.column:
        return ask.put(f"{ask.good}{ask.turn % 10}", "refers to what has one digit less")
    column = _SUBJECT.get(ask.table, "pid")
    code = ask.row[column] or ""
    other = resident_id((int(code[14:17]) + 2) % 1000, code[6:14], "370618")
    return ask.change({column: other}, "the number is of a neighbour whom no register has")


def _registered(ask: Ask) -> Draft:
    return ask.change({}, "what it refers to is there", case=_subject(ask))


def _registered_otherwise(ask: Ask) -> Draft:
    """The register writes the number in its old form, or says that its person is gone."""
    if ask.column:
        return ask.put(f" {ask.good} ", "what it refers to is there")
    old = ask.turn // 2 % 2 == 0
    beside = tuple(
        (table, (row | {"pid": _old(row["pid"] or "")} if old else row | {"status": "0"}))
        if table == "police__resident"
        else (table, row)
        for table, row in ask.beside
    )
    why = "the register has the old number" if old else "the register has him as gone"
    return Draft(why, (ask.row,), beside, ("S04", "N01"), case=(why, _subject(ask)))


def _old(code: str) -> str:
    return code[:6] + code[8:17]


def _no_reference(ask: Ask) -> Draft:
    column = ask.column or _SUBJECT.get(ask.table, "pid")
    blank = (None, "", " ", "\u3000", "\t")[ask.turn % 5]
    also = ("C0", "S", "A0", "U0", "N01")
    return ask.change({column: blank}, "refers to nobody", also=also, case=(ask.table, column, blank))


# --- R02 -------------------------------------------------------------------------------------------------

_UNKNOWN_PARENT = (
    "370688000000",
    "370602999000",
    "110101001000",
    "3706020010",
    "370602001999",
    "上级",
    None,
    "",
)


def _no_parent(ask: Ask) -> Draft:
    if ask.table == "region_codes__change":
        return ask.put(f"37069{ask.turn:07d}", "no such successor")
    level = ("village", "township", "district")[ask.turn // 11 % 3]
    unknown = (*_UNKNOWN_PARENT, *(f"3706{ask.turn:02d}9{zeros}" for zeros in ("99999", "00000", "99000")))
    parent = unknown[ask.turn % len(unknown)]
    return ask.change({"level": level, "parent_code": parent}, "the parent does not exist")


def _parent(ask: Ask) -> Draft:
    if ask.table == "region_codes__change":
        return ask.put(f"3706020010{1 + ask.turn % 90:02d}", "the successor is a village of today")
    number = ask.turn // 6
    own = f"37{ask.turn:04d}"
    cases: list[tuple[Row, str]] = [
        ({"level": "village", "parent_code": f"{own}001000"}, "a village of its township"),
        ({"level": "township", "parent_code": f"{own}000000"}, "a township of its district"),
        ({"level": "village", "parent_code": f" {own}001000\u200b"}, "a parent in disguise"),
        ({"level": "province", "parent_code": (None, "", " ")[number % 3]}, "a province has no parent"),
        ({"level": "city", "parent_code": f"99{number:02d}00000000"}, "a city's province need not be listed"),
        ({"level": "district", "parent_code": "370600000000"}, "a district of its city"),
    ]
    changes, why = cases[ask.turn % len(cases)]
    draft = ask.change(changes, why, case=(ask.row["code"], *changes.values()))
    uppers = (listed(f"{own}001000"), listed(f"{own}000000")) if ask.turn % 6 < 3 else ()
    return replace(draft, beside=(*draft.beside, *(("region_codes__division", it) for it in uppers)))


# --- R03 -------------------------------------------------------------------------------------------------


_HEADS, _OTHERS = ("01", "02"), ("10", "20", "30", "31", "42", "51", "63", "97")


def _household(relations: Sequence[str], why: str, status: str = "1" * 99) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        members = tuple(zip(relations, status, strict=False))
        rows = tuple(
            ask.fresh.resident(ask.fresh.number(), living=alive == "1")
            | {"household_no": ask.row["household_no"], "relation": relation}
            for relation, alive in members
        )
        return Draft(why, rows, case=members)

    return recipe


def _others(ask: Ask) -> list[str]:
    """One to six members who are no heads."""
    return ask.draw.choices(_OTHERS, k=1 + ask.turn % 6)


def _headless(ask: Ask) -> Draft | None:
    return _household(_others(ask), "members without a head")(ask)


def _many_heads(ask: Ask) -> Draft | None:
    members = [*_others(ask), *ask.draw.choices(_HEADS, k=2 + ask.turn % 2)]
    ask.draw.shuffle(members)
    return _household(members, "heads, among others")(ask)


def _head_gone(ask: Ask) -> Draft | None:
    others = _others(ask)
    return _household([_HEADS[ask.turn % 2], *others], "the head is gone", "0" + "1" * 9)(ask)


def _one_head(ask: Ask) -> Draft | None:
    members = [*_others(ask), ask.draw.choice(_HEADS)]
    ask.draw.shuffle(members)
    return _household(members, "a head among others")(ask)


def _new_head(ask: Ask) -> Draft | None:
    return _household([*_HEADS, *_others(ask)], "a new head, the former is gone", "01" + "1" * 9)(ask)


def _all_gone(ask: Ask) -> Draft | None:
    return _household([*_others(ask), *_HEADS], "a household that is gone", "0" * 9)(ask)


# --- R04, R05 --------------------------------------------------------------------------------------------


def _represented(why: str, *, dead: bool, status: str = "存续", by: str = "both") -> Recipe:
    def recipe(ask: Ask) -> Draft:
        number = ask.fresh.number()
        row, beside = ask.fresh.row_of("health__death", number)
        named: Row = {
            "representative_name": None if by == "number" else name(number),
            "representative_pid": None if by == "name" else pid(number),
            "status": status,
        }
        died = (*beside, ("health__death", row)) if dead else ()
        return Draft(why, (ask.row | named,), died, case=(why, *named.values()))

    return recipe


def _nobody(status: str, why: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        blanks = (None, "", " ", "\u3000", "\t", "\n", "\u200b")
        name_blank, number_blank = blanks[ask.turn % 7], blanks[ask.turn // 7 % 7]
        nobody: Row = {
            "representative_name": name_blank,
            "representative_pid": number_blank,
            "status": status,
        }
        return ask.change(nobody, why)

    return recipe


def _records(*steps: tuple[str, int], why: str, who: str = "same", spread: int = 0) -> Recipe:
    """What the registry holds of a couple, so many days after a day; the first row is asked about.

    With each turn the others are `spread` days further away.
    """

    def recipe(ask: Ask) -> Draft:
        first = date(2017, 1, 1) + timedelta(ask.draw.randrange(1500))
        rows = []
        for kind, days in steps:
            day = first + timedelta(
                days + (spread * ask.turn if days > 0 else -spread * ask.turn if days else 0)
            )
            number = {"registration_no": f"R{ask.fresh.number()}"}
            rows.append(ask.row | number | {"kind": kind, "registered_on": day.isoformat()})
        if who == "other":
            rows[1:] = [row | {"wife_pid": pid(ask.fresh.number())} for row in rows[1:]]
        case = (why, *(row["registered_on"] for row in rows))
        return Draft(why, (rows[0],), tuple((ask.table, row) for row in rows[1:]), ("U02",), case=case)

    return recipe


RECIPES = {
    "R01": Recipes([_unregistered, _misread_reference], [_registered, _registered_otherwise, _no_reference]),
    "R02": Recipes([_no_parent], [_parent], each=75),
    "R03": Recipes(
        [
            _household(("01", "01"), "two heads"),
            _household(("20",), "a child alone"),
            *[_headless, _many_heads, _head_gone] * 6,
        ],
        [
            _household(("01",), "somebody alone"),
            _household(("20", "01"), "the head stands last"),
            *[_one_head, _new_head, _all_gone] * 6,
        ],
        each=130,
    ),
    "R04": Recipes(
        [
            _represented("the representative is dead", dead=True),
            _nobody("存续", "no representative"),
            _represented("the representative is dead", dead=True, by="number"),
        ],
        [
            _represented("the representative lives", dead=False),
            _represented("a firm struck off", dead=True, status="注销"),
            _nobody("吊销", "a firm whose licence was revoked"),
            _represented("only a name", dead=False, by="name"),
            _represented("only a number", dead=False, by="number"),
            _represented("somebody of his name died", dead=True, by="name"),
        ],
    ),
    "R05": Recipes(
        [
            _records(("离婚", 0), ("结婚", 1), why="they married a day later"),
            _records(("离婚", 0), ("结婚", 400), why="they married a year or more later", spread=3),
            _records(
                ("离婚", 0), ("结婚", 30), ("离婚", 60), why="they divorced before they married", spread=1
            ),
            _records(("离婚", 0), ("结婚", 10), ("结婚", 900), why="two marriages, both later"),
        ],
        [
            _records(("离婚", 0), ("结婚", 0), why="married on the same day"),
            _records(("离婚", 0), ("结婚", -1), why="married the day before"),
            _records(("离婚", 0), ("结婚", -400), ("结婚", 30), why="married before, and again", spread=2),
            _records(("离婚", 0), why="married before the registry begins"),
            _records(("离婚", 0), ("结婚", 30), why="the husband married another one later", who="other"),
            _records(("离婚", 0), ("离婚", -30), ("结婚", -60), why="married and divorced before", spread=1),
        ],
    ),
}
