"""Good rows without end: each about people, households, firms and places of which no other row speaks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from good_rows import MAKERS, TOWNSHIP, VILLAGE, born, name, pid, sex
from toy_source import Row, resident_id

FIRST = 1_000
"""The first two numbers of a fresh row; those before are the good rows'."""


def _household(number: int) -> Row:
    return {"household_no": f"H9{number}", "relation": "01"}


def _birth(number: int) -> Row:
    born = f"2025-{1 + number // 1000 % 12:02d}-{1 + number // 12_000:02d}"
    child = resident_id(number % 1000, born.replace("-", ""))
    return {"child_pid": child, "born_on": born, "registered_on": "2026-01-02"}


def _couple(number: int) -> Row:
    return {
        "kind": "结婚",
        "registered_on": "2018-01-01",
        "husband_name": name(number + 1),
        "husband_pid": pid(number + 1),
        "wife_name": name(number),
        "wife_pid": pid(number),
    }


# Where the good rows of a table refer to each other, these stand for themselves.
_ALONE: dict[str, Callable[[int], Row]] = {
    "police__resident": _household,
    "health__birth": _birth,
    "health__death": lambda number: {"pid": pid(number), "name": name(number), "sex": sex(number)},
    "civil_affairs__subsidy_payment": lambda number: {
        "award_no": f"A{number}",
        "pid": pid(number),
        "amount": "300.00",
    },
    "marriage_registry__registration": _couple,
    "medical_insurance__settlement": lambda number: {"pid": pid(number), "name": name(number)},
    "funeral__cremation": lambda number: {
        "pid": pid(number),
        "name": name(number),
        "sex": "女",
        "birth_date": born(number),
    },
    "region_codes__division": lambda number: {
        "code": f"370602{number:06d}",
        "level": "village",
        "parent_code": f"{TOWNSHIP}000",
    },
    "region_codes__change": lambda number: {"old_code": f"370603{number:06d}", "new_code": VILLAGE},
    "marriage_archive__record": lambda number: {"archive_no": f"1990-{number:05d}-001"},
}

# Whose person must be in the register, and in which column he stands.
_REGISTERED = {
    "police__household_member": "pid",
    "police__move": "pid",
    "police__cancellation": "pid",
    "civil_affairs__assisted_household": "head_pid",
    "civil_affairs__assisted_person": "pid",
    "civil_affairs__subsidy_award": "pid",
    "health__birth": "mother_pid",
    "health__death": "pid",
    "social_security__insurance": "pid",
    "social_security__employment": "pid",
    "veterans__service_record": "pid",
}
_REFERRED = {
    "civil_affairs__assisted_person": "civil_affairs__assisted_household",
    "civil_affairs__subsidy_payment": "civil_affairs__subsidy_award",
}

Beside = tuple[tuple[str, Row], ...]


class Fresh:
    """Gives rows and people nobody else has."""

    def __init__(self) -> None:
        self._numbers = count(FIRST, 2)

    def number(self) -> int:
        """An even number, of a woman; the next one, of a man, is nobody else's either."""
        return next(self._numbers)

    def row(self, table: str) -> tuple[Row, Beside]:
        """A good row, and the rows of other tables that it refers to."""
        return self.row_of(table, self.number())

    def row_of(self, table: str, number: int) -> tuple[Row, Beside]:
        """A good row about this number."""
        row = MAKERS[table](number) | _ALONE.get(table, lambda _: {})(number)
        beside: list[tuple[str, Row]] = []
        if table in _REFERRED:
            other, others = self.row_of(_REFERRED[table], number)
            beside = [(_REFERRED[table], other), *others]
        elif table in _REGISTERED:
            beside = [("police__resident", self.resident(number, living=table != "health__death"))]
        return row, tuple(beside)

    def resident(self, number: int, *, living: bool = True) -> Row:
        """The register's row about a person."""
        return MAKERS["police__resident"](number) | _household(number) | {"status": "1" if living else "0"}
