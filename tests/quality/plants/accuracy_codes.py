"""Plants for accuracy 准确性: the codes. A01 check digits, A02 birth dates, A03 credit codes."""

from __future__ import annotations

from good_rows import organisation_code, uscc
from stdnum.cn import uscc as uscc_oracle
from toy_source import resident_id

from plants.record import Ask, Draft, Recipe, Recipes

_ANOTHER_PERSON = ("S", "R", "A04", "N02")
"""What a row may rightly fail whose person was exchanged."""


def _checked(body: str) -> str:
    """A body of 17 digits with its check digit (GB 11643)."""
    return resident_id(int(body[14:]), body[6:14], body[:6])


def number_of_birth(ask: Ask, day: str) -> str:
    """A right number of somebody born on a day, YYYYMMDD, which need not exist; no two alike."""
    return resident_id(ask.turn % 1000, day, f"3706{13 + ask.draw.randrange(80)}")


# --- A01 -------------------------------------------------------------------------------------------------


def _other_check_digit(ask: Ask) -> Draft:
    wrong = ask.draw.choice([it for it in "0123456789X" if it != ask.good[17]])
    return ask.put(ask.good[:17] + wrong, "another check digit")


def _other_digit(ask: Ask) -> Draft:
    place = ask.draw.choice([0, 1, 2, 3, 4, 5, 14, 15, 16])
    wrong = ask.draw.choice([it for it in "123456789" if it != ask.good[place]])
    return ask.put(ask.good[:place] + wrong + ask.good[place + 1 :], f"digit {place + 1} misread")


def _transposed(ask: Ask) -> Draft | None:
    # Digits are weighed 7 9 10 5 8 4 2 …: exchanging unequal neighbours always shows.
    places = [it for it in (0, 1, 2, 3, 4, 14, 15) if ask.good[it] != ask.good[it + 1]]
    place = ask.draw.choice(places)
    code = ask.good
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    return ask.put(swapped, f"digits {place + 1} and {place + 2} exchanged")


def _other_birthday(ask: Ask) -> Draft:
    code = ask.good
    others = (code[:12] + f"{day:02d}" + code[14:] for day in range(1, 29))
    wrong = [it for it in others if _checked(it[:17]) != it]
    return ask.put(ask.draw.choice(wrong), "another birthday, the same check digit")


def _person(ask: Ask, code: str, why: str, *more: str) -> Draft:
    return ask.put(code, why, also=(*_ANOTHER_PERSON, *more))


def _ends_with_x(ask: Ask) -> Draft:
    day = ask.good[6:14]
    serials = range(ask.turn % 500, 1000)
    code = next(it for it in (resident_id(n, day, "370613") for n in serials) if it.endswith("X"))
    return _person(ask, code, "check digit X")


def _one_digit_away(ask: Ask) -> Draft:
    place = ask.draw.choice([0, 1, 2, 3, 4, 5, 14, 15, 16])
    digit = ask.draw.choice([it for it in "123456789" if it != ask.good[place]])
    return _person(
        ask, _checked(ask.good[:place] + digit + ask.good[place + 1 : 17]), "valid, one digit away"
    )


def _small_x(ask: Ask) -> Draft:
    draft = _ends_with_x(ask)
    code = draft.rows[0][ask.column] or ""
    return _person(ask, code.lower(), "a small x, which is a matter of form", "N01")


def _spaced(ask: Ask) -> Draft:
    return ask.put(f" {ask.good[:6]} {ask.good[6:]}", "spaces are a matter of form", also=("N01",))


def _full_width(ask: Ask) -> Draft:
    wide = ask.good.translate({ord(it): 0xFF10 + int(it) for it in "0123456789"})
    return ask.put(wide, "full width is a matter of form", also=("N01",))


def _without_check_digit(ask: Ask) -> Draft | None:
    if ask.table == "market_regulation__officer" or ask.good[6:8] != "19":
        return None
    old = ask.good[:6] + ask.good[8:17]
    return _person(ask, old, "fifteen digits have no check digit", "N01", "C01", "C03")


# --- A02 -------------------------------------------------------------------------------------------------

_SHORT_MONTHS = ("04", "06", "09", "11")
_NO_DAYS = [
    "20260116", "19000229", "21000229", "20230229", "20260201",
    *(f"{year}0229" for year in range(1950, 2000) if year % 4),
    *(f"{1951 + 3 * number}{month}31" for number, month in enumerate(_SHORT_MONTHS * 5)),
    *(f"{1960 + number}02{30 + number % 2}" for number in range(20)),
    *(f"{1970 + number}{13 + 4 * number}01" for number in range(20)),
    *(f"{1985 + number}{1 + number % 12:02d}{32 + 5 * number}" for number in range(12)),
    "19850001", "19850100", "19700000", "19999999", "20270115", "20991231",
]  # fmt: skip
_LONG_MONTHS = ("01", "03", "05", "07", "08", "10", "12")
_DAYS = [
    "20260115", "20000229", "19000101", "19000228", "20260101", "19491001",
    *(f"{year}0229" for year in range(1904, 2025, 4)),
    *(f"{1930 + number}0228" for number in range(25)),
    *(f"{1921 + 2 * number}{month}31" for number, month in enumerate(_LONG_MONTHS * 4)),
    *(f"{1952 + 3 * number}{month}30" for number, month in enumerate(_SHORT_MONTHS * 5)),
    *(f"{1960 + number}{1 + number % 12:02d}01" for number in range(20)),
]  # fmt: skip


def _impossible_birth(day: str) -> Recipe:
    return lambda ask: ask.put(number_of_birth(ask, day), f"nobody was born on {day}", case=day)


def _possible_birth(day: str) -> Recipe:
    also = (*_ANOTHER_PERSON, "C01", "C03", "U02")
    return lambda ask: ask.put(number_of_birth(ask, day), f"{day} is a day", also=also, case=day)


# --- A03 -------------------------------------------------------------------------------------------------

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _other_check_character(ask: Ask) -> Draft:
    wrong = ask.draw.choice([it for it in _ALPHABET if it != ask.good[17]])
    return ask.put(ask.good[:17] + wrong, "another check character")


def _other_character(ask: Ask) -> Draft:
    place = ask.draw.choice(range(8, 17))
    wrong = ask.draw.choice([it for it in _ALPHABET if it != ask.good[place]])
    return ask.put(ask.good[:place] + wrong + ask.good[place + 1 :], f"character {place + 1} misread")


def _exchanged_characters(ask: Ask) -> Draft:
    code = ask.good
    place = ask.draw.choice([it for it in range(8, 16) if code[it] != code[it + 1]])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    return ask.put(swapped, f"characters {place + 1} and {place + 2} exchanged")


def _registered_by(prefix: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        code = organisation_code(ask.fresh.number(), prefix)
        return ask.put(code, f"a right code that begins with {prefix}")

    return recipe


def _one_character_away(ask: Ask) -> Draft:
    place = ask.draw.choice(range(8, 17))
    other = ask.draw.choice([it for it in _ALPHABET if it != ask.good[place]])
    body = ask.good[:place] + other + ask.good[place + 1 : 17]
    return ask.put(body + str(uscc_oracle.calc_check_digit(body)), "right, one character away")


def _code_with_spaces(ask: Ask) -> Draft | None:
    return ask.put(f" {uscc(ask.fresh.number())} ", "spaces are a matter of form", also=("N02",))


RECIPES = {
    "A01": Recipes(
        [_other_check_digit, _other_digit, _transposed, _other_birthday],
        [_ends_with_x, _one_digit_away, _small_x, _spaced, _full_width, _without_check_digit],
    ),
    "A02": Recipes([_impossible_birth(day) for day in _NO_DAYS], [_possible_birth(day) for day in _DAYS]),
    "A03": Recipes(
        [_other_check_character, _other_character, _exchanged_characters],
        [
            *map(_registered_by, ("11", "12", "13", "31", "51", "52", "53", "92", "93", "N2", "A1", "Y1")),
            _one_character_away,
            _code_with_spaces,
        ],
    ),
}
