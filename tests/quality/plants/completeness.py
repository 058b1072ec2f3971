"""Plants for completeness 完整性: C01 blank, C02 placeholder, C03 conditional, C04 manifests, C05 periods."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from good_rows import VILLAGE
from own_warehouse import TODAY
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
        why = f"{what} for a value without which there is no row"
        return ask.change(dict.fromkeys(columns, value), why, case=what)

    return recipe


def _is_there(dress: str, what: str) -> Recipe:
    """A value that is there, if badly written."""

    def recipe(ask: Ask) -> Draft | None:
        if not ask.column or not ask.good:
            return None
        also = ("N", "A", "S", "R", "U", "C02", "C03")
        return ask.put(dress.format(ask.good), what, also=also, case=what)

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
    _blank("\n", "a line break"),
    _blank("\u00a0", "a space that does not break"),
    _blank("\u200b", "a zero-width space"),
    _blank("\ufeff", "a byte order mark"),
    _blank("\u200d", "a zero-width joiner"),
    _blank("\u2060", "a word joiner"),
    _blank(" \u3000\t ", "spaces of several kinds"),
]
_PRESENT: list[Recipe] = [
    _child_without_phone,
    _age_instead,
    _is_there(" {} ", "spaces around a value"),
    _optional_blank,
    _is_there("{}\u3000", "a full-width space behind a value"),
    _is_there("\u200b{}", "a zero-width space before a value"),
    _is_there("\t{}\n", "a tab and a line break around a value"),
    _is_there("\ufeff{}", "a byte order mark before a value"),
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
    "未填", "未填写", "不明", "Null", "nULL", "none", "NONE", "NA", "na", "N/a", "·", "...",
    *(f"测试{character}" for character in "一二三四五六七八九十甲乙丙丁"),
    *(f"测试{number:02d}" for number in range(1, 20)),
    *(digit * length for digit in "0123456789" for length in (4, 5, 11)),
    *(mark * length for mark in "-—/*?？" for length in (2, 3, 5)),
]  # fmt: skip
_NOT_PLACEHOLDERS = [
    "张无忌", "吴无", "未央", "王未", "余未知", "不凡", "卜不详", "测子", "王测", "史无前", "常空", "空海",
    "无言", "待雪", "袁未名", "无尘子", "言无尽", "司空图", "王一一", "田田", "无·名", "空·空",
    *(f"{surname}{given}" for surname in "张王李赵钱孙"
      for given in ("无", "空", "未填", "不详", "不明", "无名")),
    *(f"{word}{end}" for word in ("无名", "未知", "不详", "暂无", "测试员")
      for end in ("之子", "先生名", "云海川")),
    *(f"买买提·{given}" for given in ("无", "空", "未知", "不详", "艾力", "无名氏")),
    *(f"{given}·艾力" for given in ("无", "空", "未知", "不明", "测试")),
    *("测试" + "一二三四五"[:length] for length in (3, 4, 5)),
    *(character * 3 for character in "一二三田山水云金木"),
    *(f"{given}之" for given in ("未知", "无名", "暂无", "未填", "不明")),
    *(f"司马{given}" for given in ("无", "空", "未", "不", "暂", "待")),
    "㐂㐂", "𠀀𠀀", "〇〇", "无𠀀", "空㐂",
]  # fmt: skip
_FIRM_VALUES = [
    *(("capital", f"{digit * 3}万元") for digit in "23456789"),
    *(("capital", f"{digit * 4}万人民币") for digit in "12345"),
    *(("enterprise_type", f"{kind}有限责任公司") for kind in ("未", "无", "空", "测试", "不详", "暂无")),
    ("enterprise_type", "其他有限责任公司"), ("enterprise_type", "未上市股份有限公司"),
    ("enterprise_type", "无限责任企业"), ("enterprise_type", "个体工商户"),
    ("capital", "1万人民币"), ("capital", "111万元"), ("capital", "1000万美元"), ("capital", "88.88万人民币"),
]  # fmt: skip

_BLANKS = (None, "", " ", "\u3000", "\t", "\n", "\u00a0", "\u200b", "\ufeff", "   ", " \t ")
_CONDITIONAL: dict[tuple[str, str], list[tuple[Row, str]]] = {
    ("civil_affairs__subsidy_award", "stop_reason"): [
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


def _missing_on_condition(ask: Ask) -> Draft:
    cases = _CONDITIONAL[ask.table, ask.column]
    changes, why = cases[ask.turn // len(_BLANKS) % len(cases)]
    return ask.change(changes | {ask.column: _BLANKS[ask.turn % len(_BLANKS)]}, why)


def _free_of_condition(ask: Ask) -> Draft:
    """Either what is asked for only on a condition is blank, or it is there."""
    cases = _UNCONDITIONAL[ask.table, ask.column]
    changes, why = cases[ask.turn // len(_BLANKS) % len(cases)](ask.turn, _BLANKS[ask.turn % len(_BLANKS)])
    return ask.change(changes, why, also=("C01",))


def _village(turn: int) -> str:
    return f"3706020010{1 + turn % 90:02d}"


_UNCONDITIONAL: dict[tuple[str, str], list[Callable[[int, str | None], tuple[Row, str]]]] = {
    ("civil_affairs__subsidy_award", "stop_reason"): [
        lambda turn, blank: (
            {"ended_on": (TODAY + timedelta(1 + turn)).isoformat(), "stop_reason": blank},
            "it ends tomorrow or later",
        ),
        lambda turn, _: (
            {"ended_on": (TODAY - timedelta(turn)).isoformat(), "stop_reason": "死"},
            "it has ended, for one word",
        ),
    ],
    ("police__move", "to_village_code"): [
        lambda _, blank: (
            {"move_type": "迁出", "from_village_code": VILLAGE, "to_village_code": blank},
            "a move away",
        ),
        lambda turn, _: (
            {"move_type": "迁入", "from_village_code": None, "to_village_code": _village(turn)},
            "a move to a village",
        ),
    ],
    ("police__move", "from_village_code"): [
        lambda _, blank: (
            {"move_type": "迁入", "from_village_code": blank, "to_village_code": VILLAGE},
            "a move to the city",
        ),
        lambda turn, _: (
            {"move_type": "迁出", "from_village_code": _village(turn), "to_village_code": None},
            "it is said",
        ),
    ],
    ("social_security__insurance", "monthly_benefit"): [
        lambda _, blank: ({"status": "参保", "monthly_benefit": blank}, "who pays in draws nothing"),
        lambda turn, _: (
            {"status": "领取", "monthly_benefit": f"0.{1 + turn % 99:02d}"},
            "who draws a pension draws a cent or more",
        ),
    ],
    ("transport__vehicle", "owner_pid"): [
        lambda _, blank: ({"owner_pid": blank}, "a firm owns the vehicle"),
        lambda _, blank: ({"owner_uscc": blank}, "a person owns the vehicle"),
    ],
}


def _paid_in(*steps: int, why: str, also: tuple[str, ...] = (), fails: int = 1) -> Recipe:
    """Paid so many months after a month, which is another one each turn."""

    def recipe(ask: Ask) -> Draft:
        months = [2010 * 12 + ask.turn + step for step in steps]
        paid = [f"{month // 12}{1 + month % 12:02d}" for month in months]
        rows = tuple(ask.row | {"payment_id": str(ask.fresh.number()), "month": it} for it in paid)
        return Draft(why, rows, ask.beside, also, case=tuple(paid), fails=fails)

    return recipe


_GAPS = [
    _paid_in(0, 2, why="one month is left out"),
    _paid_in(0, 1, 3, 4, why="a month in the midst is left out"),
    _paid_in(0, 12, why="a year but a month is left out"),
    _paid_in(0, 0, 2, why="a month is left out after one paid twice"),
    _paid_in(0, 13, why="a year is left out"),
    _paid_in(0, 2, 4, why="every other month is left out", fails=2),
    _paid_in(7, 2, 0, 1, 4, why="two gaps, landed backwards", fails=2),
]
_SERIES = [
    _paid_in(0, 1, why="two months"),
    _paid_in(0, why="one month alone"),
    _paid_in(2, 1, 0, why="landed backwards"),
    _paid_in(0, 1, 1, 2, why="one month paid twice", also=("U02",)),
    _paid_in(0, 1, 2, 3, why="a season"),
    _paid_in(*range(13), why="a year and a month"),
]

RECIPES = {
    "C01": Recipes(_BLANK, _PRESENT, placed=True),
    "C02": Recipes(
        [_placeholder(value) for value in _PLACEHOLDERS],
        [_name(value) for value in _NOT_PLACEHOLDERS] + [_firm(*it) for it in _FIRM_VALUES],
        each=9,
    ),
    "C03": Recipes([_missing_on_condition], [_free_of_condition], placed=True),
    "C04": FILES,
    "C05": Recipes(_GAPS, _SERIES),
}
