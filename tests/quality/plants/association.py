"""Plants for association 关联性: R01 subject, R02 parent, R03 head, R04 representative, R05 marriage."""

from __future__ import annotations

from datetime import date, timedelta

from good_rows import name, pid
from toy_source import Row, resident_id

from plants.record import Ask, Draft, Recipe, Recipes

# --- R01 -------------------------------------------------------------------------------------------------

_CASE = "civil_affairs__assisted_household"
_SUBJECT = {_CASE: "head_pid", "health__birth": "mother_pid"}


def _unregistered(ask: Ask) -> Draft:
    """The row as it is, without what it refers to."""
    if ask.column:
        return Draft("refers to nothing", (ask.row,), _without(ask, ask.column))
    beside = tuple(it for it in ask.beside if "_resident" not in it[0] and it[0] != _CASE)
    if ask.table == "civil_affairs__assisted_person":
        case, others = ask.fresh.row(_CASE)
        beside = ((_CASE, case | {"case_no": ask.row["case_no"]}), *others)
    return Draft("the person is in no register", (ask.row,), beside)


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
    return ask.change({}, "what it refers to is there")


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
    return Draft(why, (ask.row,), beside, ("S04", "N01"))


def _old(code: str) -> str:
    return code[:6] + code[8:17]


def _no_reference(ask: Ask) -> Draft:
    column = ask.column or _SUBJECT.get(ask.table, "pid")
    return ask.change({column: None}, "refers to nobody", also=("C0", "S", "A0", "U0", "N01"))


# --- R02 -------------------------------------------------------------------------------------------------

_UNKNOWN_PARENT = ("370688000000", "370602999000", "110101001000", "3706020010", "370602001999", "上级")


def _no_parent(ask: Ask) -> Draft:
    if ask.table == "region_codes__change":
        return ask.put(f"37069{ask.turn:07d}", "no such successor")
    level = ("village", "township", "district")[ask.turn // 2 % 3]
    parent = (*_UNKNOWN_PARENT, None, "")[ask.turn % 8]
    return ask.change({"level": level, "parent_code": parent}, "the parent does not exist")


def _parent(ask: Ask) -> Draft:
    if ask.table == "region_codes__change":
        return ask.put(f"3706020010{1 + ask.turn % 90:02d}", "the successor is a village of today")
    cases: list[tuple[Row, str]] = [
        ({"level": "village", "parent_code": "370602001000"}, "a village of its township"),
        ({"level": "township", "parent_code": "370602000000"}, "a township of its district"),
        ({"level": "district", "parent_code": "370600000000"}, "a district of its city"),
        ({"level": "province", "parent_code": None}, "a province has no parent"),
        ({"level": "city", "parent_code": "990000000000"}, "a city's province need not be listed"),
        ({"level": "village", "parent_code": " 370602001000"}, "a space before the parent"),
    ]
    changes, why = cases[ask.turn // 2 % len(cases)]
    return ask.change(changes, why)


# --- R03 -------------------------------------------------------------------------------------------------


def _household(relations: tuple[str, ...], why: str, status: str = "1" * 9) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        rows = tuple(
            ask.fresh.resident(ask.fresh.number(), living=alive == "1")
            | {"household_no": ask.row["household_no"], "relation": relation}
            for relation, alive in zip(relations, status, strict=False)
        )
        return Draft(why, rows)

    return recipe


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
        return Draft(why, (ask.row | named,), (*beside, ("health__death", row)) if dead else ())

    return recipe


def _nobody(status: str, why: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        blank = (None, "", " ")[ask.turn % 3]
        nobody: Row = {"representative_name": blank, "representative_pid": blank, "status": status}
        return ask.change(nobody, why)

    return recipe


def _records(*steps: tuple[str, int], why: str, who: str = "same") -> Recipe:
    """What the registry holds of a couple, so many days after a day; the first row is asked about."""

    def recipe(ask: Ask) -> Draft:
        first = date(2017, 1, 1) + timedelta(ask.draw.randrange(1500))
        rows = []
        for kind, days in steps:
            day = first + timedelta(days)
            number = {"registration_no": f"R{ask.fresh.number()}"}
            rows.append(ask.row | number | {"kind": kind, "registered_on": day.isoformat()})
        if who == "other":
            rows[1:] = [row | {"wife_pid": pid(ask.fresh.number())} for row in rows[1:]]
        return Draft(why, (rows[0],), tuple((ask.table, row) for row in rows[1:]), ("U02",))

    return recipe


RECIPES = {
    "R01": Recipes([_unregistered, _misread_reference], [_registered, _registered_otherwise, _no_reference]),
    "R02": Recipes([_no_parent], [_parent]),
    "R03": Recipes(
        [
            _household(("10", "20"), "a couple's child and wife, no head"),
            _household(("01", "01"), "two heads"),
            _household(("01", "10", "20"), "the head is gone", "011"),
            _household(("01", "02", "10"), "two heads of two kinds"),
            _household(("20",), "a child alone"),
            _household(("01", "01", "01"), "three heads"),
        ],
        [
            _household(("01",), "somebody alone"),
            _household(("02", "10"), "a head and his wife"),
            _household(("01", "01", "10"), "a new head, the former is gone", "101"),
            _household(("10", "20"), "a household that is gone", "00"),
            _household(("01", "10", "20", "30", "51"), "five in three generations"),
            _household(("20", "01"), "the head stands last"),
        ],
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
            _records(("离婚", 0), ("结婚", 400), why="they married a year later"),
            _records(("离婚", 0), ("结婚", 30), ("离婚", 60), why="they divorced before they married"),
            _records(("离婚", 0), ("结婚", 10), ("结婚", 900), why="two marriages, both later"),
        ],
        [
            _records(("离婚", 0), ("结婚", 0), why="married on the same day"),
            _records(("离婚", 0), ("结婚", -1), why="married the day before"),
            _records(("离婚", 0), ("结婚", -400), ("结婚", 30), why="married before, and again"),
            _records(("离婚", 0), why="married before the registry begins"),
            _records(("离婚", 0), ("结婚", 30), why="the husband married another one later", who="other"),
            _records(("离婚", 0), ("离婚", -30), ("结婚", -60), why="married and divorced before"),
        ],
    ),
}
