"""Plants for conformity 规范性: N01, N02, N04; regions and texts elsewhere."""

from __future__ import annotations

from good_rows import organisation_code
from toy_source import Row, resident_id

from plants.code_sets import CODES
from plants.record import Ask, Draft, Recipe, Recipes
from plants.regions import N03

_WIDE = {ord(it): ord(it) + 0xFEE0 for it in "0123456789X"}

# --- N01 -------------------------------------------------------------------------------------------------

_BOTH_FORMS = (
    "agriculture__land_contract", "agriculture__subsidy", "funeral__cremation", "licence_register__licence",
    "marriage_archive__record", "transport__licence", "transport__vehicle",
)  # fmt: skip
_PARENT = {"civil_affairs__assisted_household": "head_pid", "health__birth": "father_pid"}


def _number(ask: Ask, code: str, why: str) -> Draft:
    """A number of no person at all, where the binding is the table's; else of this row's in another form."""
    return ask.change({ask.column or _PARENT[ask.table]: code}, why, also=("S", "R", "A04", "U02"))


def _pid(ask: Ask) -> str:
    return ask.row[ask.column or _PARENT[ask.table]] or ""


def _form(dress: str, why: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        return _number(ask, dress.format(_pid(ask)), why) if ask.column else None

    return recipe


def _garbled(ask: Ask) -> Draft:
    code = (
        f"xBT{ask.turn:06d}", _pid(ask)[:17], _pid(ask) + "0", _pid(ask)[:16] + "XX",
        f"军字第{ask.turn:06d}号",
        f"H{ask.turn:08d}", _pid(ask)[:14], "3706" + "*" * 10 + "1234",
    )[ask.turn // 2 % 8]  # fmt: skip
    return _number(ask, code, "no number of a resident")


def _small_x(ask: Ask) -> Draft | None:
    return _number(ask, _with_x(ask).lower(), "a small x") if ask.column else None


def _with_x(ask: Ask) -> str:
    serials = range(ask.turn * 7 % 500, 1000)
    return next(it for it in (resident_id(n, _pid(ask)[6:14], "370614") for n in serials) if it[-1] == "X")


def _full_width(ask: Ask) -> Draft | None:
    return _number(ask, _pid(ask).translate(_WIDE), "full-width digits") if ask.column else None


def _fifteen(ask: Ask) -> Draft | None:
    old = _pid(ask)[:6] + _pid(ask)[8:17]
    return None if ask.table in _BOTH_FORMS or not ask.column else _number(ask, old, "fifteen digits")


def _fifteen_allowed(ask: Ask) -> Draft | None:
    old = _pid(ask)[:6] + _pid(ask)[8:17]
    return _number(ask, old, "fifteen digits of old paper") if ask.table in _BOTH_FORMS else None


def _parted(mark: str) -> Recipe:
    """Marks between region, birth date and serial."""

    def recipe(ask: Ask) -> Draft | None:
        code = _pid(ask)
        parts = mark.join((code[:6], code[6:14], code[14:]))
        return _number(ask, parts, f"{mark!r} within the number") if ask.column else None

    return recipe


def _in_digits_from(first: int, why: str) -> Recipe:
    """The digits of another script, which begin at a code point."""
    digits = {ord("0") + digit: first + digit for digit in range(10)}

    def recipe(ask: Ask) -> Draft | None:
        return _number(ask, _pid(ask).translate(digits), why) if ask.column else None

    return recipe


def _looks_like_x(letter: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        return _number(ask, _with_x(ask)[:17] + letter, "a letter like X") if ask.column else None

    return recipe


def _as_it_should_be(ask: Ask) -> Draft:
    return ask.change({}, "eighteen digits", case=_pid(ask))


def _large_x(ask: Ask) -> Draft:
    return _number(ask, _with_x(ask), "a large X")


def _no_number(ask: Ask) -> Draft:
    blank = (None, "", " ", "\u3000", "\t", "\u200b")[ask.turn % 6]
    changes: Row = {ask.column or _PARENT[ask.table]: blank}
    place = (ask.table, ask.column, blank)
    return ask.change(changes, "blank is no form", also=("C0", "R", "U02"), case=place)


# --- N02 -------------------------------------------------------------------------------------------------

_CREDIT_CODE = ("enterprise_registry__enterprise", "uscc")
_CODE_OF = "licence_register__licence"
_DIVISION = (("region_codes__division", "code"), ("region_codes__change", "old_code"))


def _valid_code(ask: Ask) -> Draft:
    also = ("S", "C0", "A05", "R03", "U02", "R04")
    if ask.table == "enterprise_registry__enterprise":
        prefix = ("91", "92", "93", "N2")[ask.turn % 4]
        return ask.change({"uscc": organisation_code(ask.fresh.number(), prefix)}, "a credit code", also=also)
    if (ask.table, ask.column) in _DIVISION:
        return ask.put(f"370{100_000_000 + ask.turn * 977_777:09d}", "twelve digits", also=("R02",))
    if (ask.table, ask.column) == (_CODE_OF, "type_code"):
        return ask.put(("111", "001", "999", "A12")[ask.turn % 2], "three digits", also=also)
    codes = CODES[ask.table, ask.column]
    return ask.put(codes[ask.turn % len(codes)], "a value of the code set", also=also)


def _code_with_space(ask: Ask) -> Draft | None:
    if ask.table == "enterprise_registry__enterprise":
        return None
    return ask.put(f" {ask.good} ", "spaces around a value of the code set", also=("N08",))


def _code_in_disguise(ask: Ask) -> Draft | None:
    if ask.table == "enterprise_registry__enterprise":
        return None
    wide = ask.good.translate(_WIDE)
    return ask.put(f"{wide}\u200b", "full-width digits, and a zero-width space", also=("N08",))


_NOT_CODES = (
    "Z", "9X", "其他的", "99999", "不明", "-1", "?", "Ｚ", "男女", "00", "1.0", "二", "l", "O", "0x1", "٣",
    "１２３４５６", "²", "1,2", "1/2",
)  # fmt: skip


def _not_a_code(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        if (ask.table, ask.column) == (_CODE_OF, "type_code"):
            return None if value.isdigit() and len(value) == 3 else ask.put("1 类", "no type code")
        return ask.change({ask.column or "uscc": value}, "outside the code set")

    return recipe


def _one_too_many(ask: Ask) -> Draft | None:
    if (ask.table, ask.column) == (_CODE_OF, "type_code"):
        return None
    return ask.change({ask.column or "uscc": f"{ask.row[ask.column or 'uscc']}·"}, "a character too many")


# --- N04 -------------------------------------------------------------------------------------------------

_NO_DATES = [
    "2025-02-30", "2023-02-29", "1900-02-29", "2025-13-01", "2025-00-10", "2025-04-31", "2025-06-00",
    "20251332",
    "20250230", "2025/2/30", "2025年2月30日", "2025.11.31", "25-01-01", "1/2/2020", "Jan 3 2020",
    "二〇二〇年一月",
    "不详", "去年", "2025-1o-01", "45678", "2025-02-30 00:00:00", "202513", "0000-00-00", "2025--01",
    "2025-01-01-01",
]  # fmt: skip
_NO_MONTHS = [
    "202513", "202500", "2025", "25-01", "2025-13", "2025年", "一月", "2025-0", "20250101", "2025/01/01",
    "不详",
    "JAN25", "0", "2025-1-1", "000000",
]  # fmt: skip
_YEAR_ALLOWED = ("birth_date", "husband_birth_date", "wife_birth_date")
_YEAR_TABLES = ("agriculture__land_contract", "funeral__cremation", "marriage_archive__record")


_NO_DATES += [
    *(f"{1990 + 3 * number}-{month}-31" for number, month in enumerate(("04", "06", "09", "11") * 3)),
    *(f"{year}年2月29日" for year in range(2001, 2024) if year % 4),
    *(f"{1980 + number}{13 + number}01" for number in range(20)),
    *(f"{2000 + number}/{1 + number % 12}/{32 + number}" for number in range(20)),
    *(f"{1985 + number}.02.30" for number in range(15)),
    *(f"{day:02d}/{month:02d}/2024" for day, month in ((1, 2), (13, 5), (31, 1), (12, 12))),
    "２０２５－０２－３０", "2025\u200b-02-30", "2025-02 30", "民国九十年", "贰零贰伍年", "昨天", "2025年春",
    "٢٠٢٥-٠١-٠١",
]  # fmt: skip


def _is_month(ask: Ask) -> bool:
    return len(ask.good.replace("-", "")) == 6


def _no_date(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        if _is_month(ask):
            value_here = _NO_MONTHS[ask.turn % len(_NO_MONTHS)]
            return ask.put(value_here, "no month")
        return ask.put(value, "no date")

    return recipe


_OUT_OF_ARCHIVE = ("1949-09-30", "2016-01-01", "1899-05-05", "2025-01-01")


def _out_of_archive(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        if (ask.table, ask.column) != ("marriage_archive__record", "registered_on"):
            return None
        return ask.put(value, "before the archive begins, or after it ends")

    return recipe


_DATE_FORMS = (
    "{y}{m}{d}", "{y}/{M}/{D}", "{y}年{M}月{D}日", "{y}.{m}.{d}", "{y}-{m}-{d} 00:00:00", " {y}-{m}-{d} ",
    "{y}-{M}-{D}", "{y}年{m}月{d}日", "{y}-{m}-{d}T08:00:00", "{y}－{m}－{d}",
)  # fmt: skip


def _written(form: str) -> Recipe:
    """The same date, written in another of the forms in use."""

    def recipe(ask: Ask) -> Draft | None:
        good = ask.good if "-" in ask.good or _is_month(ask) else "2025-03-09"
        if _is_month(ask):
            good = good.replace("-", "")
            return ask.put(f"{good[:4]}-{good[4:6]}" if ask.turn % 2 else good[:6], "a month")
        year, month, day = good.split("-")
        names = {"y": year, "m": month, "d": day, "M": month.lstrip("0"), "D": day.lstrip("0")}
        return ask.put(form.format(**names), "the same date in another form", also=("C03",))

    return recipe


def _year_alone(ask: Ask) -> Draft | None:
    if ask.table not in _YEAR_TABLES or ask.column not in _YEAR_ALLOWED:
        return None
    return ask.put(ask.good[:4], "old paper has years", also=("C01",))


def _for_ever(ask: Ask) -> Draft | None:
    if (ask.table, ask.column) != ("licence_register__licence", "valid_until"):
        return None
    return ask.put("长期", "valid for ever")


def _archive_border(ask: Ask) -> Draft | None:
    if (ask.table, ask.column) != ("marriage_archive__record", "registered_on"):
        return None
    return ask.put(("1949-10-01", "2015-12-31")[ask.turn % 2], "a border of the archive", also=("A0", "S"))


RECIPES = {
    "N01": Recipes(
        [
            _garbled,
            _form(" {}", "a space before"),
            _form("{} ", "a space behind"),
            _small_x,
            _form("{0:.6} {0}", "no number"),
            _full_width,
            _fifteen,
            _form("'{}", "a quote of a spreadsheet"),
            _form("ID{}", "letters before"),
            _form("{}\u200b", "a zero-width character behind"),
            _form("{0}\n", "a line break behind"),
            *map(_parted, (" ", "-", "\u00a0", "\u200d", ".", "·")),
            _in_digits_from(0x0660, "Arabic digits"),
            _in_digits_from(0x0F20, "Tibetan digits"),
            _in_digits_from(0x1D7CE, "digits of formulas"),
            *map(_looks_like_x, "Х×Χ*xＸ"),
        ],
        [_as_it_should_be, _large_x, _no_number, _fifteen_allowed],
    ),
    "N02": Recipes(
        [*map(_not_a_code, _NOT_CODES), _one_too_many],
        [_valid_code, _code_in_disguise, _code_with_space],
        each=3,
        placed=True,
    ),
    "N03": N03,
    "N04": Recipes(
        [*map(_no_date, _NO_DATES), *map(_out_of_archive, _OUT_OF_ARCHIVE)],
        [
            _year_alone,
            _for_ever,
            _archive_border,
            *map(_written, _DATE_FORMS),
        ],
    ),
}
