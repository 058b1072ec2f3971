"""Plants for conformity 规范性: N05 and N08 names, N06 phones, N07 amounts."""

from __future__ import annotations

from plants.record import Ask, Draft, Recipe, Recipes

# --- N05, N08 --------------------------------------------------------------------------------------------

_NO_NAMES = [
    "王1明", "王明2", "1王明", "王*明", "王?明", "王_明", "王明(女)", "王明/李红", "王,明", "王明！",
    "王=明", "王☆明",
    "王明😀", "王@明", "王#", "王%明", "王明;", "王 明2", "王^明", "王明'",
    '王"明', "王<明>", "王明、李红", "王＆明",
    "王明。", "王○明", "王×明", "③王明", "王Ⅱ明", "王￥明",
]  # fmt: skip
_NAMES = [
    "买买提·艾力", "古丽·阿布都热合曼", "阿卜杜拉·买买提", "欧阳明日", "司马相如", "王〇一", "李㐂", "张䶮",
    "刘䴉",
    "陈𠀀", "周𤧟", "吴𬭎", "郑𬀩", "孙𫍯", "钱𣲗", "赵𰻝", "王一", "扎西·平措·罗布", "拉巴·次仁",
    "爱新觉罗·启骧",
    "张龘", "李垚", "王鱻", "孙骉", "买买提•艾力", "买买提.艾力", "买买提・艾力",
    "依明江·吐尔逊·买买提·艾力·库尔班",
    "陈 明", "欧 阳 明",
]  # fmt: skip
_TYPED_HOLDER = ("licence_register__licence", "transport__licence", "transport__vehicle")


def _firm_table(ask: Ask) -> bool:
    return ask.table == "enterprise_registry__enterprise"


def _no_name(value: str) -> Recipe:
    return lambda ask: ask.put(value, "characters that no name has")


def _rare_name(value: str) -> Recipe:
    return lambda ask: ask.put(value, "a rare name", also=("S03",))


def _odd_character(character: str, what: str) -> Recipe:
    def recipe(ask: Ask) -> Draft:
        place = ask.draw.randrange(len(ask.good) + 1)
        return ask.put(ask.good[:place] + character + ask.good[place:], what)

    return recipe


_ODD = [
    ("Ａ", "full-width letter"), ("ｂ", "full-width letter"), ("０", "full-width digit"),
    ("９", "full-width digit"),
    ("\u3000", "full-width space"), ("\u200b", "zero-width space"), ("\u200c", "zero-width non-joiner"),
    ("\u200d", "zero-width joiner"), ("\u200e", "left-to-right mark"), ("\u200f", "right-to-left mark"),
    ("\ufeff", "byte order mark"), ("\u2060", "word joiner"), ("\u00ad", "soft hyphen"),
    ("\u202e", "override of direction"),
    ("\ufffd", "replacement character"), ("\ue000", "private use"), ("\uf8ff", "private use"),
    ("\x07", "control character"),
    ("\x7f", "control character"), ("\x85", "control character"), ("Ｚ", "full-width letter"),
    ("\ue5e5", "private use"),
    ("\u2028", "line separator"),
]  # fmt: skip
_FIRM_NAMES = [
    "烟台（芝罘）有限公司", "烟台“老字号”食品厂", "烟台、威海联合商社", "烟台一二三有限公司", "烟台·莱山酒庄",
    "烟台ABC有限公司", "烟台88号酒店", "烟台《大众》报社", "A&B烟台有限公司", "烟台—威海快线",
    "烟台＆威海商行",
    "烟台：海鲜馆",
]  # fmt: skip


def _plain_name(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        return None if _firm_table(ask) else ask.put(value, "no odd character", also=("S03", "N05"))

    return recipe


def _firm_name(value: str) -> Recipe:
    def recipe(ask: Ask) -> Draft | None:
        return ask.put(value, "names of firms have punctuation") if _firm_table(ask) else None

    return recipe


# --- N06, N07 --------------------------------------------------------------------------------------------
def _put(value: str, why: str, *also: str) -> Recipe:
    return lambda ask: ask.put(value, why, also=also)


_NO_PHONES = [
    "12345", "1380000000", "138000000000", "12800000000", "11000000000", "10086", "110", "05351234",
    "0535-12345",
    "6641234", "无", "13800000o00", "1380000000a", "0535-123456789", "00535-6641234", "138-0000",
    "86641234567890",
    "138000*0000", "+8613", "535-6641234", "13800000000/13900000000", "0535_6641234",
    "一三八零零零零零零零零", "00000000000",
]  # fmt: skip


def _phone(form: str, why: str) -> Recipe:
    """`{}` is nine digits, `{local}` the seven of a landline."""

    def recipe(ask: Ask) -> Draft:
        nine, local = ask.draw.randrange(10**9), ask.draw.randrange(2_000_000, 9_000_000)
        return ask.put(form.format(f"{nine:09d}", local=local), why)

    return recipe


_PHONES = [_phone(f"1{second}{{}}", f"a mobile that begins with 1{second}") for second in "3456789"] + [
    _phone("0535-{local}", "a landline with its area"),
    _phone("0535{local}", "a landline without a hyphen"),
    _phone("010-6{local}", "eight digits in Beijing"),
    _phone("0106{local}", "eight digits in Beijing, no hyphen"),
    _phone("0535-6{local}", "eight digits behind four"),
    _phone(" 13{} ", "spaces around"),
    _phone("0535－{local}", "a full-width hyphen"),
]
_MEASURED = (
    ("ecology__permit", "limit_value"),
    ("ecology__reading", "value"),
    ("emergency__shelter", "capacity"),
    ("enterprise_registry__enterprise", "capital"),
)
_NO_AMOUNTS = [
    "300.001", "300元", "3百", "300.0000", "三百", "￥300", "300.", ".5", "1,000.00", "-300", "300.00元",
    "3e2", "30万",
    "3 00", "300,00", "300.123456", "约300", "+300",
]  # fmt: skip
_NO_NUMBERS = ["很多", "约8", "8~10", "<8", "八", "8.0mg/L", "8..0", "一千", "待定", "8-10", "8x", "n"]
_AMOUNTS = ["300", "300.0", "300.00", "0.01", "0.1", "1", "19999.99", "300.5", "12000", "1000.10", "7.05"]
_NUMBERS = {
    "limit_value": ["8", "8.0", "0.05", "0.123456", "1e2", "1,000", "50"],
    "value": ["4.5", "0", "0.001", "12.25", "1e-3", "3"],
    "capacity": ["0", "1", "500", "12000", "99"],
    "capital": [
        "50万人民币",
        "50万元",
        "1,000万美元",
        "5068.8万人民币",
        "1亿元",
        "300000",
        "50万港币",
        "1,000(万美元)",
    ],
}


def _no_amount(ask: Ask) -> Draft:
    wrong = _NO_NUMBERS if (ask.table, ask.column) in _MEASURED else _NO_AMOUNTS
    return ask.put(wrong[ask.turn % len(wrong)], "more than two decimals, a unit, or no number")


def _plain_amount(ask: Ask) -> Draft:
    right = _NUMBERS[ask.column] if (ask.table, ask.column) in _MEASURED else _AMOUNTS
    return ask.put(right[ask.turn // 2 % len(right)], "a plain number", also=("A05", "A07", "S05"))


RECIPES = {
    "N05": Recipes([_no_name(it) for it in _NO_NAMES], [_rare_name(it) for it in _NAMES]),
    "N06": Recipes([_put(it, "no phone has such a number") for it in _NO_PHONES], _PHONES),
    "N07": Recipes([_no_amount], [_plain_amount]),
    "N08": Recipes(
        [_odd_character(*it) for it in _ODD],
        [_plain_name(it) for it in _NAMES if " " not in it] + [_firm_name(it) for it in _FIRM_NAMES],
    ),
}  # fmt: skip
