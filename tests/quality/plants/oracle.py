"""Which rows a rule asks about, said once more in Python over the source's own text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date

from own_warehouse import TODAY
from toy_source import Row

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
Question = Callable[[Row], bool]


def is_there(value: str | None) -> bool:
    """Whether a value has a character to be seen."""
    return bool(_bare(value))


def is_tested(rule: str, table: str, column: str, row: Row) -> bool:
    """Whether a planted or clean row is one that a rule bound here asks about; most ask who has a value."""
    places = ((table, column), ("", column), ("", ""))
    asked = next((_ASKED[rule, *place] for place in places if (rule, *place) in _ASKED), None)
    if asked is not None and not asked(row):
        return False
    return rule in _ALL_ROWS or not column or is_there(row[_DERIVED_FROM.get(column, column)])


def _bare(value: str | None) -> str:
    plain = unicodedata.normalize("NFKC", value or "").translate(dict.fromkeys(map(ord, _INVISIBLE)))
    return "".join(plain.split()).upper()


def _day(value: str | None) -> date | None:
    digits = "-".join((value or "").translate(str.maketrans("/年月", "---", "日")).split("-"))
    parts = [f"{digits[:4]}", digits[4:6], digits[6:]] if digits.isdigit() else digits.split("-")
    try:
        return date(*map(int, parts))
    except (TypeError, ValueError):
        return None


def _all(*columns: str) -> Question:
    return lambda row: all(is_there(row[it]) for it in columns)


def _any(*columns: str) -> Question:
    return lambda row: any(is_there(row[it]) for it in columns)


def _in(column: str, *values: str) -> Question:
    return lambda row: row[column] in values


def _also(*questions: Question) -> Question:
    return lambda row: all(it(row) for it in questions)


def _is_number(column: str, *lengths: int) -> Question:
    """A number of a resident by its looks, old ones of fifteen digits among them."""
    return lambda row: len(code := _bare(row[column])) in lengths and code[:17].isdigit()


def _of_age(row: Row) -> bool:
    """From sixteen on, or of no known age."""
    born = _day(row["birth_date"])
    return born is None or (TODAY - born).days >= 16 * 365


def _sex_said(column: str) -> Question:
    return lambda row: is_there(row[column]) and _bare(row["sex"]) in ("1", "2", "男", "女", "M", "F")


_DERIVED_FROM = {"identifier_key": "pid"}
_ALL_ROWS = ("C01", "C03", "R02")
"""Rules that ask where nothing is as well."""
_BOTH_DATES = {
    ("agriculture__land_contract", "term_to"): ("term_from",),
    ("civil_affairs__assisted_household", "ended_on"): ("approved_on",),
    ("civil_affairs__subsidy_award", "ended_on"): ("started_on",),
    ("disabled_federation__certificate", "valid_until"): ("issued_on",),
    ("funeral__cremation", "cremated_on"): ("died_on",),
    ("health__birth", "registered_on"): ("born_on",),
    ("health__death", "registered_on"): ("died_on",),
    ("health__death", ""): ("pid", "died_on"),
    ("medical_insurance__settlement", "admitted_on"): ("settled_on",),
    ("police__household_member", "left_on"): ("joined_on",),
    ("social_security__employment", "ended_on"): ("started_on",),
    ("social_security__insurance", "ended_on"): ("started_on",),
    ("transport__licence", "valid_until"): ("issued_on",),
    ("veterans__service_record", "discharged_on"): ("enlisted_on",),
    ("veterans__service_record", ""): ("pid", "enlisted_on"),
}
_KEY_PARTS = {
    "agriculture__land_contract": ("name", "term_from"),
    "agriculture__subsidy": ("pid",),
    "civil_affairs__subsidy_payment": ("award_no", "month"),
    "disabled_federation__certificate": ("pid",),
    "education__degree": ("pid", "level"),
    "education__enrolment": ("pid",),
    "education__school": ("school_code",),
    "health__birth": ("child_pid",),
    "health__death": ("pid",),
    "licence_register__licence": ("licence_no",),
    "marriage_archive__record": ("archive_no",),
    "marriage_registry__registration": ("husband_pid", "wife_pid"),
    "medical_insurance__facility": ("facility_code",),
    "medical_insurance__settlement": ("pid", "settled_on"),
    "police__resident": ("pid",),
    "power__usage": ("account_no", "month"),
    "provident_fund__account": ("pid",),
    "rural_revitalisation__monitored_person": ("pid",),
    "social_security__insurance": ("pid",),
    "transport__licence": ("issued_on",),
    "transport__vehicle": ("plate_no",),
    "utilities__usage": ("account_no", "month"),
    "veterans__service_record": ("pid",),
}
_LASTS: dict[str, Question] = {
    "disabled_federation__certificate": lambda row: not is_there(row["revoked_on"]),
    "education__enrolment": _in("status", "在读"),
    "police__resident": _in("status", "1"),
    "rural_revitalisation__monitored_person": lambda row: not is_there(row["cleared_on"]),
    "social_security__insurance": lambda row: row["status"] != "停保",
}
_SUBJECTS = {
    "civil_affairs__assisted_household": "head_pid",
    "health__birth": "mother_pid",
}
_REFERRING = (
    *_SUBJECTS, "civil_affairs__assisted_person", "civil_affairs__subsidy_award", "health__death",
    "police__cancellation", "police__household_member", "police__move", "social_security__employment",
    "social_security__insurance", "veterans__service_record",
)  # fmt: skip

_ASKED: dict[tuple[str, str, str], Question] = {
    **{
        ("A01", *place): _is_number(place[1], 18)  # of fifteen digits only where they are taken as they are
        for place in (
            ("agriculture__land_contract", "pid"),
            ("funeral__cremation", "pid"),
            ("marriage_archive__record", "husband_pid"),
            ("marriage_archive__record", "wife_pid"),
            ("rural_revitalisation__monitored_person", "pid"),
        )
    },
    **{("C01", table, "phone"): _of_age for table in ("police__resident", "veterans__service_record")},
    ("C03", "civil_affairs__subsidy_award", "stop_reason"): lambda row: (
        (_day(row["ended_on"]) or date.max) <= TODAY
    ),
    ("C03", "police__move", "to_village_code"): _in("move_type", "迁入", "市内"),
    ("C03", "police__move", "from_village_code"): _in("move_type", "迁出", "市内"),
    ("C03", "social_security__insurance", "monthly_benefit"): _in("status", "领取"),
    ("C03", "transport__vehicle", "owner_pid"): lambda row: not is_there(row["owner_uscc"]),
    ("C05", "", ""): _all("month"),
    **{("A04", *place): _all(*dates) for place, dates in _BOTH_DATES.items()},
    ("A04", "licence_register__licence", "valid_until"): lambda row: (
        row["valid_until"] != "长期" and is_there(row["issued_on"])
    ),
    ("A05", "civil_affairs__assisted_household", "monthly_amount"): lambda row: row["kind"] != "低保边缘",
    ("A05", "social_security__insurance", "monthly_benefit"): _in("status", "领取"),
    ("N01", "civil_affairs__assisted_household", ""): _all("head_pid"),
    ("N01", "health__birth", ""): _any("mother_pid", "father_pid"),
    ("N02", "enterprise_registry__enterprise", ""): _all("uscc"),
    ("N03", "police__move", "to_village_code"): _in("move_type", "迁入", "市内"),
    ("N03", "police__move", "from_village_code"): _in("move_type", "迁出", "市内"),
    ("N04", "agriculture__land_contract", "birth_date"): lambda row: (
        not (len(row["birth_date"] or "") == 4 and (row["birth_date"] or "").isdigit())
    ),
    ("N05", "licence_register__licence", "holder_name"): _all("holder_pid"),
    ("N05", "transport__licence", "holder_name"): _all("holder_pid"),
    ("N05", "transport__vehicle", "owner_name"): _all("owner_pid"),
    **{("R01", table, ""): _all(_SUBJECTS.get(table, "pid")) for table in _REFERRING},
    ("R02", "region_codes__change", "new_code"): _all("new_code"),
    ("R02", "region_codes__division", "parent_code"): _in("level", "district", "township", "village"),
    ("R03", "", ""): _also(_in("status", "1"), _all("household_no")),
    ("R04", "", ""): _in("status", "存续"),
    ("R05", "", ""): _also(_in("kind", "离婚"), _all("husband_pid", "wife_pid")),
    ("S01", "", "sex"): _sex_said("pid"),
    ("S01", "health__birth", "sex"): _sex_said("child_pid"),
    ("S01", "health__birth", "born_on"): _all("child_pid"),
    ("S01", "", "husband_birth_date"): _all("husband_pid"),
    ("S01", "", "wife_birth_date"): _all("wife_pid"),
    ("S01", "", ""): _all("pid"),
    ("S02", "", ""): _is_number("pid", 15),
    ("S03", "", ""): _all("pid", "name"),
    ("S04", "civil_affairs__subsidy_payment", ""): _all("month", "pid"),
    ("S04", "medical_insurance__settlement", ""): _all("settled_on", "pid"),
    ("S04", "police__cancellation", ""): _also(_in("reason", "死亡"), _all("pid")),
    ("S04", "police__resident", "status"): _also(_in("status", "1"), _all("pid")),
    ("S04", "social_security__insurance", ""): _also(_in("status", "领取"), _all("pid")),
    ("S05", "", ""): _all("total_amount", "fund_paid", "self_paid"),
    ("S06", "", "identifier_key"): _is_number("pid", 15, 18),
    **{
        ("U02", table, ""): _also(_all(*parts), _LASTS.get(table, lambda row: True))
        for table, parts in _KEY_PARTS.items()
    },
    ("U03", "", ""): _all("pid", "name", "birth_date", "village_code"),
    ("U04", "civil_affairs__subsidy_award", ""): _all("started_on", "pid", "subsidy_kind"),
    ("U04", "social_security__employment", ""): _all("started_on", "pid", "employer_name"),
}
