"""Plants for uniqueness 唯一性: U01 primary keys, U02 business keys, U03 several numbers, U04 periods."""

from __future__ import annotations

from datetime import date, timedelta

from toy_source import Row, resident_id

from plants.record import Ask, Draft, Recipe, Recipes

# --- U01 -------------------------------------------------------------------------------------------------


def _repeated(ask: Ask) -> Draft:
    other, beside = ask.fresh.row(ask.table)
    return Draft("the key of another row", (ask.row, other | {ask.column: ask.good}), ask.beside + beside)


def _repeated_row(ask: Ask) -> Draft:
    return Draft("the same row once more", (ask.row, dict(ask.row)), ask.beside)


def _repeated_in_disguise(ask: Ask) -> Draft | None:
    if ask.good.isdigit():
        return None
    other, beside = ask.fresh.row(ask.table)
    disguised = f" {ask.good}\u200b"
    return Draft("the same key in disguise", (ask.row, other | {ask.column: disguised}), ask.beside + beside)


def _two_keys(ask: Ask) -> Draft:
    other, beside = ask.fresh.row(ask.table)
    return Draft("two keys", (ask.row, other), ask.beside + beside)


def _keys_alike(ask: Ask) -> Draft:
    """Everything but the key is the same."""
    key = _other_key(ask)
    also = ("U02", "U04", "R03")
    return Draft("two rows, alike but for the key", (ask.row, ask.row | {ask.column: key}), ask.beside, also)


def _other_key(ask: Ask) -> str | None:
    return ask.fresh.row(ask.table)[0][ask.column]


# --- U02 -------------------------------------------------------------------------------------------------

# Primary key of the table (which stays apart), and the columns of its business key.
_KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "agriculture__land_contract": ("contract_no", ("village_code", "name", "pid", "birth_date", "term_to")),
    "agriculture__subsidy": ("subsidy_no", ("pid", "contract_no", "subsidy_kind", "year", "season")),
    "civil_affairs__subsidy_payment": ("payment_id", ("award_no", "month")),
    "disabled_federation__certificate": ("certificate_no", ("pid",)),
    "education__degree": ("certificate_no", ("pid", "level")),
    "education__enrolment": ("enrolment_no", ("pid",)),
    "education__school": ("school_id", ("school_code",)),
    "enterprise_registry__enterprise": ("", ("uscc",)),
    "health__birth": ("certificate_no", ("child_pid",)),
    "health__death": ("certificate_no", ("pid",)),
    "licence_register__licence": ("licence_id", ("holder_pid", "holder_uscc", "licence_no")),
    "marriage_archive__record": ("scan_no", ("archive_no", "generation")),
    "marriage_registry__registration": (
        "registration_no",
        ("kind", "registered_on", "husband_pid", "wife_pid"),
    ),
    "medical_insurance__facility": ("facility_id", ("facility_code",)),
    "medical_insurance__settlement": (
        "settlement_no",
        ("pid", "facility_code", "kind", "settled_on", "fund_paid", "self_paid"),
    ),
    "police__resident": ("resident_id", ("pid",)),
    "power__usage": ("bill_no", ("account_no", "month")),
    "provident_fund__account": ("account_no", ("pid",)),
    "rural_revitalisation__monitored_person": ("person_no", ("pid",)),
    "social_security__insurance": ("insurance_id", ("pid", "insurance_kind")),
    "transport__licence": (
        "licence_no",
        ("holder_pid", "holder_uscc", "licence_kind", "issued_on", "valid_until"),
    ),
    "transport__vehicle": ("vehicle_id", ("plate_no",)),
    "utilities__usage": ("bill_no", ("account_no", "month")),
    "veterans__service_record": ("seq_no", ("pid",)),
}
# Another value of a part of the key, where a fresh row has the same.
_OTHER: dict[str, str] = {
    "village_code": "370602001002", "term_to": "2028-09-30", "subsidy_kind": "种粮补贴", "year": "2024",
    "season": "春季",
    "month": "202411", "level": "硕士研究生", "generation": "1", "kind": "住院",
    "registered_on": "2018-01-02",
    "facility_code": "H37060200777", "settled_on": "2025-07-01", "fund_paid": "200.01", "self_paid": "7.77",
    "insurance_kind": "职工养老", "licence_kind": "道路旅客运输经营许可", "issued_on": "2023-01-02",
    "valid_until": "2027-01-31",
}  # fmt: skip
_ENDED: dict[str, Row] = {
    "disabled_federation__certificate": {"revoked_on": "2025-01-01"},
    "education__enrolment": {"status": "毕业", "ended_on": "2025-07-01"},
    "police__resident": {"status": "0"},
    "rural_revitalisation__monitored_person": {"cleared_on": "2025-01-01"},
    "social_security__insurance": {"status": "停保", "ended_on": "2025-06-01"},
}
_BESIDE_THE_KEY = ("S", "R", "A04", "C05")


def _again(
    ask: Ask, changes: Row, why: str, also: tuple[str, ...] = _BESIDE_THE_KEY, times: int = 1
) -> Draft:
    """The row once or more again, under other primary keys and with changes."""
    primary, _ = _KEYS[ask.table]
    rows, others = [ask.row], ask.beside
    for _ in range(times):
        other, beside = ask.fresh.row(ask.table)
        rows.append(ask.row | ({primary: other[primary]} if primary else {}) | changes)
        others += beside
    case = (why, *sorted(changes.items()))
    return Draft(why, tuple(rows), others, also, case=case, fails=times)


def _key_again(ask: Ask) -> Draft:
    return _again(ask, {}, "the business key once more")


def _key_thrice(ask: Ask) -> Draft:
    return _again(ask, {}, "the business key twice more", times=2)


def _key_in_disguise(dress: str) -> Recipe:
    """A part of the key in another notation."""

    def recipe(ask: Ask) -> Draft:
        _, key = _KEYS[ask.table]
        column = key[ask.turn % len(key)]
        value = ask.row[column]
        changes: Row = {column: dress.format(value)} if value else {}
        return _again(ask, changes, f"the business key, {column} as {dress!r}")

    return recipe


def _key_again_in_another_row(ask: Ask) -> Draft:
    """Whatever is not of the key differs."""
    _, key = _KEYS[ask.table]
    other, beside = ask.fresh.row(ask.table)
    condition = {it: ask.row[it] for it in ("status", "area_mu", "parcels", "term_from") if it in ask.row}
    second = other | condition | {column: ask.row[column] for column in key}
    return Draft("the business key in another row", (ask.row, second), ask.beside + beside, _BESIDE_THE_KEY)


def _one_part_differs(ask: Ask) -> Draft:
    _, key = _KEYS[ask.table]
    column = key[ask.turn // 2 % len(key)]
    value = ask.fresh.row(ask.table)[0][column]
    if value == ask.row[column]:
        value = (
            "离婚" if (ask.table, column) == ("marriage_registry__registration", "kind") else _OTHER[column]
        )
    return _again(ask, {column: value}, f"{column} differs", (*_BESIDE_THE_KEY, "N02", "U03"))


def _part_blank(ask: Ask) -> Draft | None:
    _, key = _KEYS[ask.table]
    if len(key) > 1 or ask.table == "enterprise_registry__enterprise":
        return None
    changes: Row = {key[0]: (None, "", " ", "\u3000", "\t")[ask.turn % 5]}
    primary, _ = _KEYS[ask.table]
    rows = tuple(ask.row | {primary: ask.fresh.row(ask.table)[0][primary]} | changes for _ in range(2))
    also = ("C", "R", "S", "A", "N")
    return Draft("a blank key is no key", rows, ask.beside, also, case=changes[key[0]])


def _ended(ask: Ask) -> Draft | None:
    if ask.table not in _ENDED:
        return None
    return _again(ask, _ENDED[ask.table], "the other one has ended", (*_BESIDE_THE_KEY, "C03"))


# --- U03 -------------------------------------------------------------------------------------------------


def _resident_again(ask: Ask, changes: Row, why: str, *also: str) -> Draft:
    number = str(ask.fresh.number())
    own: Row = {"resident_id": number, "household_no": f"H6{number}"}
    case = (why, ask.row["pid"], *sorted(changes.items()))
    return Draft(why, (ask.row, ask.row | own | changes), (), also, case=case, fails=2)


def _day(ask: Ask) -> str:
    return (ask.row["birth_date"] or "").replace("-", "")


def _serial(ask: Ask, step: int) -> int:
    return (int((ask.row["pid"] or "")[14:17]) + 2 * step) % 1000


def _second_number(ask: Ask) -> Draft:
    other = resident_id(_serial(ask, 1 + ask.turn % 400), _day(ask), "370694")
    return _resident_again(ask, {"pid": other}, "a second number")


def _number_of_another_region(ask: Ask) -> Draft:
    other = resident_id(_serial(ask, 0), _day(ask), f"3706{20 + ask.turn % 70}")
    return _resident_again(ask, {"pid": other}, "a second number of another region")


def _third_number(ask: Ask) -> Draft:
    numbers = (str(ask.fresh.number()), str(ask.fresh.number()))
    rows = tuple(
        ask.row
        | {
            "resident_id": numbers[step - 1],
            "household_no": f"H6{numbers[step - 1]}",
            "pid": resident_id(_serial(ask, step), _day(ask), "370619"),
        }
        for step in range(1, 3)
    )
    return Draft("three numbers", (ask.row, *rows), case=tuple(row["pid"] for row in rows), fails=3)


def _same_number(ask: Ask) -> Draft:
    return _resident_again(ask, {"status": "0"}, "the same number twice")


def _same_number_in_old_form(ask: Ask) -> Draft:
    old = (ask.row["pid"] or "")[:6] + (ask.row["pid"] or "")[8:17]
    return _resident_again(ask, {"pid": old, "status": "0"}, "the same number in its old form", "N01")


def _born_the_next_day(ask: Ask) -> Draft:
    birth = date.fromisoformat(ask.row["birth_date"] or "") + timedelta(1)
    changes: Row = {
        "birth_date": birth.isoformat(),
        "pid": resident_id(_serial(ask, 1), f"{birth:%Y%m%d}", "370695"),
    }
    return _resident_again(ask, changes, "of the same name, born a day later")


def _twin(ask: Ask) -> Draft:
    changes: Row = {"name": f"{ask.row['name']}双", "pid": resident_id(_serial(ask, 1), _day(ask), "370696")}
    return _resident_again(ask, changes, "a twin")


def _namesake_elsewhere(ask: Ask) -> Draft:
    changes: Row = {
        "village_code": f"3706020010{2 + ask.turn % 80:02d}",
        "pid": resident_id(_serial(ask, 1), _day(ask), "370697"),
    }
    return _resident_again(ask, changes, "a namesake of the same day in another village")


# --- U04 -------------------------------------------------------------------------------------------------


def _periods(*periods: tuple[int, int | None], why: str, other: str = "", fails: int = 1) -> Recipe:
    """Periods from and to so many days after a day; `other` names what is not the same in the second."""

    def recipe(ask: Ask) -> Draft:
        first = date(2015, 1, 1) + timedelta(ask.draw.randrange(2000))
        key = "award_no" if ask.table == "civil_affairs__subsidy_award" else "employment_id"
        rows: list[Row] = []
        for start, end in periods:
            ended = (first + timedelta(end)).isoformat() if end is not None else None
            period: Row = {"started_on": (first + timedelta(start)).isoformat(), "ended_on": ended}
            reason: Row = {"stop_reason": "期满"} if ended and "stop_reason" in ask.row else {}
            rows.append(ask.row | {key: str(ask.fresh.row(ask.table)[0][key])} | period | reason)
        if other:
            rows[-1] |= _of_another(ask, other)
        case = (why, *((row["started_on"], row["ended_on"]) for row in rows))
        return Draft(why, tuple(rows), ask.beside, ("R01", "S03"), case=case, fails=fails)

    return recipe


def _of_another(ask: Ask, other: str) -> Row:
    if other == "kind":
        award = ask.table == "civil_affairs__subsidy_award"
        return {"subsidy_kind": "残疾补贴"} if award else {"employer_name": "烟台另一厂"}
    stranger, _ = ask.fresh.row(ask.table)
    return {"pid": stranger["pid"], "name": stranger["name"]}


RECIPES = {
    "U01": Recipes(
        [_repeated, _repeated_row, _repeated_in_disguise],
        [_two_keys, _keys_alike],
        each=3,
        placed=True,
    ),
    "U02": Recipes(
        [
            _key_again,
            _key_again_in_another_row,
            _key_thrice,
            *map(_key_in_disguise, (" {}", "{}\u200b", "\u3000{}", "{}\u00a0")),
        ],
        [_one_part_differs, _ended, _part_blank],
        each=7,
        placed=True,
    ),
    "U03": Recipes(
        [_second_number, _number_of_another_region, _third_number],
        [_same_number, _same_number_in_old_form, _born_the_next_day, _twin, _namesake_elsewhere],
    ),
    "U04": Recipes(
        [
            _periods((0, 400), (399, 800), why="a day in both"),
            _periods((0, None), (100, None), why="both go on"),
            _periods((0, 400), (100, 200), why="one within the other"),
            _periods((0, 400), (0, 400), why="the same period twice"),
            _periods((0, None), (1000, 1100), why="the first goes on"),
            _periods((0, 900), (100, 200), (899, 1000), why="two begin in the first", fails=2),
        ],
        [
            _periods((0, 400), (400, 800), why="one begins as the other ends"),
            _periods((0, 400), (401, None), why="one follows the other"),
            _periods((0, None), (100, None), why="of another kind", other="kind"),
            _periods((0, None), (100, None), why="of another person", other="person"),
            _periods((401, None), (0, 400), why="landed backwards"),
            _periods((0, 10), (20, 30), (30, None), why="three periods"),
        ],
    ),
}
