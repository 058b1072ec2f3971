"""Plants for consistency 一致性: S01 number and person, S02 old and new number."""

from __future__ import annotations

from datetime import date, timedelta

from good_rows import name
from toy_source import Row, resident_id

from plants.record import Ask, Draft, Recipes

# --- S01 -------------------------------------------------------------------------------------------------

_NUMBER_OF = {"husband_birth_date": "husband_pid", "wife_birth_date": "wife_pid"}


def _number_column(ask: Ask) -> str:
    return "child_pid" if ask.table == "health__birth" else _NUMBER_OF.get(ask.column, "pid")


def _number(ask: Ask) -> str:
    return ask.row[_number_column(ask)] or ""


def _contradicted(ask: Ask) -> Draft:
    if ask.column == "sex":
        return _other_sex(ask)
    birth = date.fromisoformat(f"{_number(ask)[6:10]}-{_number(ask)[10:12]}-{_number(ask)[12:14]}")
    days = (1, -1, 2, 30, -31, 365, -3653, 3652, 29, -7)[ask.turn % 10]
    return ask.put((birth + timedelta(days)).isoformat(), f"{days} days from the date in the number")


def _other_sex(ask: Ask) -> Draft:
    """A woman's number (the seventeenth digit is even) in a man's row, or the other way round."""
    code = _number(ask)
    serial = int(code[14:17]) ^ (ask.turn % 2)
    wrong = ("男", "1")[ask.turn // 2 % 2] if serial % 2 == 0 else ("女", "2")[ask.turn // 2 % 2]
    changes: Row = {"sex": wrong, _number_column(ask): resident_id(serial, code[6:14], "370615")}
    return ask.change(changes, "the number is of the other sex")


def _same_sex(ask: Ask) -> Draft:
    code = _number(ask)
    serial = int(code[14:17]) ^ (ask.turn % 2)
    right = ("女", "2", "F")[ask.turn // 2 % 3] if serial % 2 == 0 else ("男", "1", "M")[ask.turn // 2 % 3]
    changes: Row = {"sex": right, _number_column(ask): resident_id(serial, code[6:14], "370616")}
    return ask.change(changes, "the number is of this sex", also=("R01",))


def _sex_unknown(ask: Ask) -> Draft | None:
    if ask.column != "sex":
        return None
    code = _number(ask)
    unsaid = ("0", "9", "未知", "未说明")[ask.turn // 2 % 4]
    changes: Row = {
        "sex": unsaid,
        _number_column(ask): resident_id(int(code[14:17]) ^ (ask.turn % 2), code[6:14], "370621"),
    }
    return ask.change(changes, "no sex is said", also=("N02", "R01"))


def _same_birth(ask: Ask) -> Draft:
    if ask.column == "sex":
        return _same_sex(ask)
    code = _number(ask)
    form = ("{}-{}-{}", "{}{}{}", "{}/{}/{}", "{}年{}月{}日", "{}.{}.{}")[ask.turn // 2 % 5]
    return ask.put(form.format(code[6:10], code[10:12], code[12:14]), "the date in the number")


def _leap_day(ask: Ask) -> Draft | None:
    if ask.column == "sex":
        return None
    year = (1952, 1956, 1960, 1964, 1968, 1972, 1976, 1980)[ask.turn // 2 % 8]
    code = resident_id(2 * ask.turn % 1000, f"{year}0229", "370617")
    also = ("R01", "S03", "A04")
    return ask.change(
        {ask.column: f"{year}-02-29", _number_column(ask): code}, "born on a leap day", also=also
    )


# --- S02 -------------------------------------------------------------------------------------------------


def old_number(code: str) -> str:
    """A number in the form before 1999."""
    return code[:6] + code[8:17]


def two_residents(ask: Ask, changes: Row, why: str, *also: str) -> Draft:
    """The same person twice in the register, but for what is changed."""
    number = str(ask.fresh.number())
    second = ask.row | {"resident_id": number, "household_no": f"H8{number}"} | changes
    case = (ask.row["pid"], *sorted(changes.items()))
    return Draft(why, (ask.row, second), (), ("N01", *also), case=case)


def _other_old_number(ask: Ask) -> Draft:
    serial = (int((ask.row["pid"] or "")[14:17]) + 2 * (1 + ask.turn % 100)) % 1000
    day = (ask.row["birth_date"] or "").replace("-", "")
    return two_residents(
        ask, {"pid": old_number(resident_id(serial, day, "370690"))}, "the old number is of another serial"
    )


def _old_number_elsewhere(ask: Ask) -> Draft:
    day = (ask.row["birth_date"] or "").replace("-", "")
    other = old_number(resident_id(int((ask.row["pid"] or "")[14:17]), day, f"3706{20 + ask.turn % 60}"))
    return two_residents(ask, {"pid": other}, "the old number is of another region")


def _own_old_number(ask: Ask) -> Draft:
    changes: Row = {"pid": old_number(ask.row["pid"] or "")}
    return two_residents(ask, changes, "the same number, old and new", "U02")


def _namesake(ask: Ask) -> Draft:
    other = ask.fresh.number()
    code = old_number(resident_id(ask.turn * 14 % 1000, _day(ask), "370691"))
    changes: Row = {"name": name(other), "pid": code}
    return two_residents(ask, changes, "another name on the same birthday")


def _born_otherwise(ask: Ask) -> Draft:
    birth = date.fromisoformat(ask.row["birth_date"] or "") + timedelta(1 + ask.turn % 20)
    changes: Row = {
        "birth_date": birth.isoformat(),
        "pid": old_number(resident_id(2 * ask.turn % 1000, f"{birth:%Y%m%d}", "370692")),
    }
    return two_residents(ask, changes, "the same name, born another day")


def _day(ask: Ask) -> str:
    return (ask.row["birth_date"] or "").replace("-", "")


def _in_another_village(ask: Ask) -> Draft:
    changes: Row = {
        "village_code": f"3706020010{2 + ask.turn % 80:02d}",
        "pid": old_number(resident_id(ask.turn * 6 % 1000, _day(ask), "370693")),
    }
    return two_residents(ask, changes, "the same name and birthday in another village")


RECIPES = {
    "S01": Recipes([_contradicted], [_same_birth, _leap_day, _sex_unknown, _same_birth]),
    "S02": Recipes(
        [_other_old_number, _old_number_elsewhere],
        [_own_old_number, _namesake, _born_otherwise, _in_another_village],
    ),
}
