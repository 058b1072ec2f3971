"""Plants for completeness 完整性: C01 blank, C02 placeholder, C03 conditional, C04 manifests, C05 periods."""

from __future__ import annotations

from good_rows import VILLAGE
from toy_source import Row, resident_id

from plants.loads import FILES
from plants.record import Ask, Draft, Recipe, Recipes

_PERSON = ("pid",)
# What makes a whole row unusable, where that is not the number of its person.
_UNUSABLE: dict[str, tuple[str, ...]] = {
    "agriculture__land_contract": ("village_code",),
    "agriculture__subsidy": ("subsidy_no",),
    "buildings__building": ("building_no",),
    "civil_affairs__assisted_household": ("kind",),
    "credit__record": ("subject_code", "subject_name"),
    "ecology__permit": ("permit_no",),
    "ecology__reading": ("value",),
    "education__enrolment": ("enrolment_no",),
    "education__school": ("school_code",),
    "emergency__hazard_point": ("code",),
    "emergency__rescue_team": ("code",),
    "emergency__shelter": ("code",),
    "emergency__store": ("code",),
    "enterprise_registry__enterprise": ("name", "uscc"),
    "funeral__cremation": ("cremated_on",),
    "health__birth": ("child_pid",),
    "housing__contract": ("unit_no",),
    "licence_register__licence": ("type_name",),
    "market_regulation__change": ("entity_id",),
    "market_regulation__entity": ("name", "uscc"),
    "market_regulation__officer": ("entity_id",),
    "marriage_archive__record": ("kind",),
    "marriage_registry__registration": ("wife_pid",),
    "medical_insurance__facility": ("facility_code",),
    "medical_insurance__settlement": ("settlement_no",),
    "organisations__institution": ("name", "uscc"),
    "organisations__social_organisation": ("name", "uscc"),
    "power__account": ("address",),
    "power__usage": ("month",),
    "real_estate__mortgage": ("address",),
    "real_estate__title": ("address",),
    "region_codes__change": ("valid_until",),
    "region_codes__division": ("level",),
    "rural_revitalisation__monitored_person": ("name",),
    "taxation__payment": ("period",),
    "taxation__taxpayer": ("name", "taxpayer_no"),
    "transport__licence": ("licence_kind",),
    "transport__vehicle": ("plate_no",),
    "utilities__account": ("address",),
    "utilities__usage": ("month",),
}
_OPTIONAL = ("remark", "relative_name", "contact_relation", "scope", "stop_reason", "road")
_AGE = {
    "birth_date": "age",
    "husband_birth_date": "husband_age",
    "wife_birth_date": "wife_age",
}


def _blank(value: str | None, what: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        columns = (ask.column,) if ask.column else _UNUSABLE.get(ask.table, _PERSON)
        return ask.change(dict.fromkeys(columns, value), f"{what} for a value without which there is no row")

    return recipe


def _is_there(dress: str, what: str) -> Recipe:
    """A value that is there, if badly written."""

    def recipe(ask: Ask) -> Draft | None:
        if not ask.column or not ask.good:
            return None
        return ask.put(dress.format(ask.good), what, also=("N", "A", "S", "R", "U", "C02", "C03"))

    return recipe


def _optional_blank(ask: Ask) -> Draft | None:
    optional = {column: None for column in _OPTIONAL if column in ask.row}
    if not optional or ask.column in optional or ask.column:
        return None
    return ask.change(optional, "what may be blank is blank")


def _as_it_is(ask: Ask) -> Draft:
    return ask.change({}, "the value is there")


def _age_instead(ask: Ask) -> Draft | None:
    if ask.column not in _AGE or ask.table not in ("funeral__cremation", "marriage_archive__record"):
        return None
    return ask.change({ask.column: None, _AGE[ask.column]: "61"}, "an age stands for the birth date")


def _child_without_phone(ask: Ask) -> Draft | None:
    if ask.column != "phone" or ask.table != "police__resident":
        return None
    born = f"20{10 + ask.turn % 15}-0{1 + ask.turn % 9}-15"
    pid = resident_id(2 * ask.turn % 1000, born.replace("-", ""), "370611")
    return ask.change({"phone": None, "pid": pid, "birth_date": born}, "a child has no phone")


_BLANK = [
    _blank(None, "null"),
    _blank("", "no character"),
    _blank(" ", "a space"),
    _blank("   ", "spaces"),
    _blank("\u3000", "a full-width space"),
    _blank("\t", "a tab"),
]
_PRESENT: list[Recipe] = [
    _child_without_phone,
    _age_instead,
    _is_there(" {} ", "spaces around a value"),
    _optional_blank,
    _is_there("{}\u3000", "a full-width space behind a value"),
    _as_it_is,
]

_FIRM = "enterprise_registry__enterprise"


def _placeholder(value: str) -> Recipe:
    return lambda ask: ask.put(value, "a placeholder")


def _name(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        if ask.table == _FIRM:
            return None
        return ask.put(value, "a name with the characters of a placeholder", also=("S03",))

    return recipe


def _firm(column: str, value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        if (ask.table, ask.column) != (_FIRM, column):
            return None
        return ask.put(value, "a value with the characters of a placeholder")

    return recipe


_PLACEHOLDERS = [
    "无", "未知", "不详", "测试", "-", "/", "N/A", "n/a", "暂无", "空", "待补", "null", "NULL", "None",
    "--", "—", "?", "？", "*", "***", ".", "、", "0000", "1111", "测试1", "测试数据", "无名", "无名氏",
    "未填", "未填写",
]  # fmt: skip
_NOT_PLACEHOLDERS = [
    "张无忌", "吴无", "未央", "王未", "余未知", "不凡", "卜不详", "测子", "王测", "史无前", "常空", "空海",
    "无言",
    "待雪", "袁未名", "无尘子", "言无尽", "司空图", "王一一", "田田",
]  # fmt: skip
_FIRM_VALUES = [
    ("enterprise_type", "其他有限责任公司"), ("enterprise_type", "未上市股份有限公司"),
    ("enterprise_type", "无限责任企业"), ("enterprise_type", "个体工商户"),
    ("capital", "1万人民币"), ("capital", "111万元"), ("capital", "1000万美元"), ("capital", "88.88万人民币"),
]  # fmt: skip

_CONDITIONAL: dict[tuple[str, str], list[tuple[Row, str]]] = {
    ("civil_affairs__subsidy_award", "stop_reason"): [
        ({"ended_on": "2025-01-01"}, "it ended a year ago"),
        ({"ended_on": "2026-01-15"}, "it ends today"),
        ({"ended_on": "2026/1/14"}, "it ended yesterday"),
        ({"ended_on": "2024-02-29"}, "it ended on a leap day"),
    ],
    ("police__move", "to_village_code"): [
        ({"move_type": "迁入", "from_village_code": None}, "a move to the city goes somewhere"),
        ({"move_type": "市内", "from_village_code": VILLAGE}, "a move within the city goes somewhere"),
    ],
    ("police__move", "from_village_code"): [
        ({"move_type": "迁出", "to_village_code": None}, "a move away comes from somewhere"),
        ({"move_type": "市内", "to_village_code": VILLAGE}, "a move within the city comes from somewhere"),
    ],
    ("social_security__insurance", "monthly_benefit"): [
        ({"status": "领取"}, "who draws a pension draws an amount"),
        ({"status": "领取", "insurance_kind": "职工养老"}, "who draws a pension draws an amount"),
    ],
    ("transport__vehicle", "owner_pid"): [
        ({"owner_uscc": None}, "a vehicle without a firm has a person"),
        ({"owner_uscc": " "}, "a vehicle without a firm has a person"),
    ],
}
_UNCONDITIONAL: dict[tuple[str, str], list[tuple[Row, str]]] = {
    ("civil_affairs__subsidy_award", "stop_reason"): [
        ({"ended_on": "2026-01-16", "stop_reason": None}, "it ends tomorrow"),
        ({"ended_on": None, "stop_reason": None}, "it goes on"),
        ({"ended_on": "2026-01-15", "stop_reason": "死"}, "it ends today for one word"),
        ({"ended_on": "2027-02-28", "stop_reason": " "}, "it ends next year"),
    ],
    ("police__move", "to_village_code"): [
        ({"move_type": "迁出", "from_village_code": VILLAGE, "to_village_code": None}, "a move away"),
        ({"move_type": "迁入", "from_village_code": None, "to_village_code": VILLAGE}, "a move to a village"),
    ],
    ("police__move", "from_village_code"): [
        ({"move_type": "迁入", "from_village_code": None, "to_village_code": VILLAGE}, "a move to the city"),
        ({"move_type": "迁出", "from_village_code": VILLAGE, "to_village_code": None}, "it is said"),
    ],
    ("social_security__insurance", "monthly_benefit"): [
        ({"status": "参保", "monthly_benefit": None}, "who pays in draws nothing"),
        ({"status": "领取", "monthly_benefit": "0.01"}, "who draws a pension draws a cent"),
        ({"status": "停保", "monthly_benefit": " ", "ended_on": "2025-06-01"}, "who has left draws nothing"),
    ],
    ("transport__vehicle", "owner_pid"): [
        ({"owner_pid": None}, "a firm owns the vehicle"),
        ({"owner_uscc": None}, "a person owns the vehicle"),
    ],
}  # fmt: skip


def _missing_on_condition(ask: Ask) -> Draft:
    cases = _CONDITIONAL[ask.table, ask.column]
    changes, why = cases[ask.turn // 2 % len(cases)]
    blank = (None, "", " ")[ask.turn % 3]
    return ask.change(changes | {ask.column: blank}, why)


def _free_of_condition(ask: Ask) -> Draft:
    cases = _UNCONDITIONAL[ask.table, ask.column]
    changes, why = cases[ask.turn // 2 % len(cases)]
    return ask.change(changes, why, also=("C01",))


def _paid_in(months: list[str], why: str, also: tuple[str, ...] = ()) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        year = 2015 + ask.turn % 10
        rows = tuple(
            ask.row | {"payment_id": str(ask.fresh.number()), "month": f"{year + int(it[0])}{it[1:]}"}
            for it in months
        )
        return Draft(why, rows, ask.beside, also)

    return recipe


_GAPS = [
    _paid_in(["001", "003"], "one month is left out"),
    _paid_in(["012", "102"], "January is left out"),
    _paid_in(["001", "002", "004", "005"], "a month in the midst is left out"),
    _paid_in(["006", "106"], "a year is left out"),
    _paid_in(["011", "101"], "December is left out"),
    _paid_in(["001", "001", "003"], "a month is left out after one paid twice"),
]
_SERIES = [
    _paid_in(["001", "002"], "two months"),
    _paid_in(["012", "101"], "over the end of a year"),
    _paid_in(["007"], "one month alone"),
    _paid_in(["003", "002", "001"], "landed backwards"),
    _paid_in(["001", "002", "002", "003"], "one month paid twice", ("U02",)),
    _paid_in(["011", "012", "101", "102"], "a winter"),
]

RECIPES = {
    "C01": Recipes(_BLANK, _PRESENT),
    "C02": Recipes(
        [_placeholder(value) for value in _PLACEHOLDERS],
        [_name(value) for value in _NOT_PLACEHOLDERS] + [_firm(*it) for it in _FIRM_VALUES],
    ),
    "C03": Recipes([_missing_on_condition], [_free_of_condition]),
    "C04": FILES,
    "C05": Recipes(_GAPS, _SERIES),
}
