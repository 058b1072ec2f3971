"""Plants for N03: region codes that nobody gave out, and codes on days before and after they stood.

A row about an event is judged by the event's day, any other by today. Each plant has a district of its own.
"""

from __future__ import annotations

from datetime import date, timedelta

from good_rows import TOWNSHIP, VILLAGE
from own_warehouse import TODAY
from toy_source import Row

from plants.record import Ask, Draft, Recipe, Recipes

_MOVED = {
    "to_village_code": {"move_type": "迁入", "from_village_code": None},
    "from_village_code": {"move_type": "迁出", "to_village_code": None},
}
# The event's day, and what must not be after it.
_EVENT = {
    "agriculture__subsidy": ("paid_on", ""),
    "civil_affairs__assisted_household": ("ended_on", "approved_on"),
    "police__move": ("moved_on", ""),
    "transport__vehicle": ("scrapped_on", "registered_on"),
}
_LONG_AGO = "2001-03-01"
_DAYS = (1, 2, 30, 365, 4000)
Beside = tuple[str, Row]


def _place(ask: Ask, code: str, why: str, *history: Beside, day: date | None = None) -> Draft:
    """The row at a place, on a day if it is about an event."""
    short = code[:9] if ask.column == "township_code" else code
    changes = {**_MOVED.get(ask.column, {}), ask.column: short}
    if day is not None:
        event, earlier = _EVENT[ask.table]
        changes |= {event: day.isoformat()} | ({earlier: _LONG_AGO} if earlier else {})
    return Draft(why, (ask.row | changes,), (*ask.beside, *history), case=(short, day, why))


def _of_event(recipe: Recipe) -> Recipe:
    return lambda ask: recipe(ask) if ask.table in _EVENT else None


def _of_today(recipe: Recipe) -> Recipe:
    return lambda ask: None if ask.table in _EVENT else recipe(ask)


def _own_place(ask: Ask) -> str:
    """Code of a place of which no other row speaks: a township where the column has townships."""
    return f"4{ask.fresh.number():05d}101" + ("000" if ask.column == "township_code" else "001")


def _day(ask: Ask) -> date:
    return date(2003, 1, 15) + timedelta(ask.draw.randrange(7000))


def listed(code: str) -> Row:
    """The list's row of a code."""
    level = "district" if code.endswith("000000") else "township" if code.endswith("000") else "village"
    upper = f"{TOWNSHIP}000" if level == "village" else "370600000000"
    return {"code": code, "name": "东山", "level": level, "parent_code": upper}


def _listed(code: str) -> Beside:
    return "region_codes__division", listed(code)


def _change(old: str, until: date, new: str, names: tuple[str, str]) -> Beside:
    return "region_codes__change", {
        "old_code": old, "old_name": names[0], "valid_until": until.isoformat(),
        "new_code": new, "new_name": names[1], "what": "变更",
    }  # fmt: skip


def _renumbered(code: str, until: date) -> tuple[Beside, ...]:
    """A unit that goes on under its name has this code since the day after."""
    return _listed(code), _change(f"3{code[1:]}", until, code, ("东山乡", "东山镇"))


# --- faults ----------------------------------------------------------------------------------------------


def _unknown(ask: Ask) -> Draft:
    place = (VILLAGE[:6], VILLAGE[:4], "1101", "3706", VILLAGE[:8], "3702")[ask.turn % 6]
    rest = f"9{ask.turn:03d}99999"[: 12 - len(place)]
    return _place(ask, (place + rest).ljust(12, "9"), "a code nobody ever gave out")


def _one_digit_off(ask: Ask) -> Draft:
    position = ask.draw.choice(range(2, 8))
    wrong = ask.draw.choice([it for it in "456789" if it != VILLAGE[position]])
    return _place(ask, VILLAGE[:position] + wrong + VILLAGE[position + 1 :], "one digit of a village misread")


def _not_yet(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    day = last - timedelta((0, *_DAYS[:3])[ask.turn % 4])
    return _place(ask, code, "a code of today that did not exist yet", *_renumbered(code, last), day=day)


def _of_a_district_not_yet(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    district = code[:6] + "000000"
    why = "a place in a district that was not set up yet"
    return _place(ask, code, why, _listed(code), *_renumbered(district, last), day=last)


def _no_more(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    why = "a code that had been abolished before the event"
    history = _change(code, last, VILLAGE, ("旧村", "新村"))
    return _place(ask, code, why, history, day=last + timedelta(_DAYS[ask.turn % 4]))


def _of_a_district_no_more(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    history = _change(code[:6] + "000000", last, VILLAGE[:6] + "000000", ("旧县", "芝罘区"))
    return _place(ask, code, "a place in a county already abolished", history, day=last + timedelta(1))


def _abolished(ask: Ask) -> Draft:
    code = _own_place(ask)
    history = _change(code, TODAY - timedelta(_DAYS[ask.turn % 5]), VILLAGE, ("旧村", "新村"))
    return _place(ask, code, "a code that stood until lately, of what is there today", history)


def _of_a_district_abolished(ask: Ask) -> Draft:
    code = _own_place(ask)
    last = TODAY - timedelta(_DAYS[ask.turn % 5])
    history = _change(code[:6] + "000000", last, VILLAGE[:6] + "000000", ("旧县", "芝罘区"))
    return _place(ask, code, "a place of today in a county that is gone", history)


# --- near misses -----------------------------------------------------------------------------------------


def _known(ask: Ask) -> Draft:
    return _place(ask, f"3706020010{1 + ask.turn % 90:02d}", "a village of today")


def _stood_then(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    history = _change(code, last, VILLAGE, ("旧村", "新村"))
    day = last - timedelta((0, *_DAYS[:3])[ask.turn % 4])
    return _place(ask, code, "abolished since, in force on the event's day", history, day=day)


def _of_a_district_then(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    history = _change(code[:6] + "000000", last, VILLAGE[:6] + "000000", ("旧县", "芝罘区"))
    return _place(ask, code, "a place in a county that there was", history, day=last)


def _just_in_force(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    day = last + timedelta(_DAYS[ask.turn % 4])
    return _place(ask, code, "in force since that day or a little before", *_renumbered(code, last), day=day)


def _took_in_another(ask: Ask) -> Draft:
    code, last = _own_place(ask), _day(ask)
    history = _listed(code), _change(f"3{code[1:]}", last, code, ("西山村", "东山村"))
    return _place(ask, code, "stood before it took in a neighbour", *history, day=last - timedelta(9))


def _until_today(ask: Ask) -> Draft:
    code = _own_place(ask)
    history = _change(code, TODAY + timedelta((0, *_DAYS)[ask.turn % 6]), VILLAGE, ("旧村", "新村"))
    return _place(ask, code, "to be abolished, but in force today", history)


def _since_today(ask: Ask) -> Draft:
    code = _own_place(ask)
    return _place(ask, code, "in force since today", *_renumbered(code, TODAY - timedelta(1)))


def _still_going_on(ask: Ask) -> Draft | None:
    if ask.table not in ("civil_affairs__assisted_household", "transport__vehicle"):
        return None
    return ask.change({_EVENT[ask.table][0]: None}, "goes on, at a place of today")


N03 = Recipes(
    faults=[
        _unknown,
        _one_digit_off,
        *map(_of_event, (_not_yet, _no_more, _of_a_district_not_yet, _of_a_district_no_more)),
        *map(_of_today, (_abolished, _of_a_district_abolished)),
    ],
    near_misses=[
        _known,
        _still_going_on,
        *map(_of_event, (_stood_then, _just_in_force, _of_a_district_then, _took_in_another)),
        *map(_of_today, (_until_today, _since_today)),
    ],
    each=60,
)
