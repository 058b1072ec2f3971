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
]  # fmt: skip
_NO_NAMES += [
    *(f"李{mark}华" for mark in "+-/|\\~`!$&:{}[]…¥£§©®°±µ¶÷¬†‡"),
    *(f"赵{digit}" for digit in "0123456789０９"),
    *(f"周{letter}" for letter in "abcXYZＡｚéßøñ"),
    "Иван", "たなか", "김철수", "Αλέξης", "علي", "ئەخمەت", "བཀྲ་ཤིས", "ᠪᠠᠲᠤ", "สมชาย", "שלמה",
    "Mary Smith", "John", "王Tom", "O'Neil", "李レイ", "孙㈱", "钱㊣", "吴♂", "郑★",
    "冯→", "陈①", "褚½", "卫㎡", "蒋々",
    "王", "李", "买" * 21, "沈\ue000明", "韩\ufffd明",
]  # fmt: skip
_NAMES += [
    *(f"{first}{dot}{last}" for first, last in (("阿依古丽", "买买提"), ("拉姆", "次仁"), ("巴特尔", "孟和"))
      for dot in "·•・.‧∙．"),
    *(f"{first}·{second}·{third}" for first in ("玉素甫", "吐尔逊", "艾合买提") for second in ("阿吉", "江")
      for third in ("艾力", "卡德尔")),
    *(f"{surname}{given}" for surname in ("诸葛", "上官", "皇甫", "尉迟")
      for given in ("明", "一鸣", "㐂", "龘")),
    *("赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"[:length] for length in (2, 3, 4, 5, 10, 19, 20)),
    *(f"王{character}" for character in "㐀䶿鿿一丏〇𠀀𪛖𫜹𫝀𮯠𰀀𱍊𲎯"),
    *(f"李{character}生" for character in "堃喆彧赟翀昶晟祎懿骞"),
]  # fmt: skip
_SPACED_NAMES = ["陈 明", "欧 阳 明", " 王明", "王明 ", "王\u00a0明", "王\u2003明", "张\t明"]
_TYPED_HOLDER = ("licence_register__licence", "transport__licence", "transport__vehicle")


def _firm_table(ask: Ask) -> bool:
    return ask.table == "enterprise_registry__enterprise"


def _no_name(value: str) -> Recipe:
    return lambda ask: ask.put(value, "characters that no name has")


def _rare_name(value: str) -> Recipe:
    return lambda ask: ask.put(value, "a rare name", also=("S03", "N08"))


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
    *(f"烟台{pair[0]}老号{pair[1]}饭店" for pair in ("（）", "【】", "《》", "“”", "〔〕", "()")),
    *(f"{place}（烟台）{kind}" for place in ("北京", "上海", "首尔")
      for kind in ("有限公司", "分公司", "办事处")),
    *(f"烟台{letters}科技有限公司" for letters in ("A", "AI", "3D", "5G", "e", "Ⅱ", "№1", "℃")),
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
    "0535-12345", "6641234", "无", "13800000o00", "1380000000a", "0535-123456789", "00535-6641234",
    "138-0000", "86641234567890", "138000*0000", "+8613", "535-6641234", "13800000000/13900000000",
    "0535_6641234", "一三八零零零零零零零零", "00000000000", "138-0000-0000", "(0535)6641234",
    "0535--6641234",
    "0535-6641234转8", "0535-0641234", "0535-1641234", "0535-9641234", "٠١٣٨٠٠٠٠٠٠٠٠", "1 3 8", "9-1-1",
    *(f"1{second}0{12_345_678 + second}" for second in range(3)),
    *("13812345678"[:length] for length in range(1, 11)),
    *("13812345678" + "9012345"[:length] for length in range(1, 8)),
    *(f"{first}3812345678" for first in "23456789"),
    *(f"1381234{letter}678" for letter in "oOlISBxX*.#"),
    *(f"0{area}-6641234" for area in ("0535", "5", "035", "53535", "0", "05")),
    *(f"0535-{'6641234'[:length]}" for length in range(7)),
    *(f"138{sign}12345678" for sign in "/.,:;_~+()"),
    *(f"{word}13812345678" for word in ("tel", "T", "手机", "电话：", "+", "#", "0086-")),
    *(f"13812345678{word}" for word in ("王", "（家）", "转1", "；", "ext")),
]  # fmt: skip


def _phone(form: str, why: str) -> Recipe:
    """`{}` is nine digits, `{local}` the seven of a landline."""

    def recipe(ask: Ask) -> Draft:
        nine, local = ask.draw.randrange(10**9), ask.draw.randrange(2_000_000, 9_000_000)
        return ask.put(form.format(f"{nine:09d}", local=local), why)

    return recipe


def _phone_in_full_width(ask: Ask) -> Draft:
    number = f"1{3 + ask.turn % 7}{ask.draw.randrange(10**9):09d}"
    return ask.put(number.translate(_WIDE), "full-width digits are a matter of N08")


_PHONES = [_phone(f"1{second}{{}}", f"a mobile that begins with 1{second}") for second in "3456789"] + [
    _phone("0535-{local}", "a landline with its area"),
    _phone("0535{local}", "a landline without a hyphen"),
    _phone("010-6{local}", "eight digits in Beijing"),
    _phone("0106{local}", "eight digits in Beijing, no hyphen"),
    _phone("0535-6{local}", "eight digits behind four"),
    _phone(" 13{} ", "spaces around"),
    _phone("0535－{local}", "a full-width hyphen"),
    _phone("13{}\u200b", "a zero-width space behind"),
    _phone("0535 - {local}", "spaces around the hyphen"),
    _phone_in_full_width,
]
_MEASURED = (
    ("ecology__permit", "limit_value"),
    ("ecology__reading", "value"),
    ("emergency__shelter", "capacity"),
    ("enterprise_registry__enterprise", "capital"),
)
_NO_AMOUNTS = [
    "{}.001", "{}元", "{}百", "{}.0000", "三百{}", "￥{}", "{}.", ".{}", "{},000.00", "-{}",
    "{}.00元", "{}e2",
    "{}万", "{} 00", "{},00", "{}.123456", "约{}", "+{}", "{}.5.0", "${}",
    "{}％", "{}.00 ", "{}\u200b", "{}．５",
    "{}.9990", "人民币{}", "{}圆整", "{}/2", "{}-{}", "٣{}", "{}O", "l{}",
]  # fmt: skip
"""`{}` is a number, another one for each plant."""
_NO_NUMBERS = [
    "很多{}", "约{}", "{}~10", "<{}", "八{}", "{}.0mg/L", "{}..0", "一千{}", "{}待定", "{}-10", "{}x", "n{}",
    "≥{}", "{}±1",
    "{},0000", "{}.{}.{}", "e{}", "{}以上", "No.{}", "{}/3",
]  # fmt: skip
_WIDE = {ord(it): ord(it) + 0xFEE0 for it in "0123456789"}
_AMOUNTS: list[tuple[str, str]] = [
    ("{}", "no decimals"),
    ("{}.5", "one decimal"),
    ("{}.05", "two decimals"),
    ("{}.00", "two noughts"),
    ("0.{:02.0f}", "less than one"),
    ("00{}.10", "noughts before"),
    ("{}9999999.99", "a very large amount"),
    ("0{}", "a nought before"),
]
_NUMBERS: list[tuple[str, str]] = [
    ("{}", "a whole number"),
    ("{}.125", "three decimals"),
    ("0.{}", "less than one"),
    ("{},000", "thousands parted"),
    ("{}e-2", "a power of ten"),
    (" {}.0 ", "spaces around"),
    ("{}.123456", "six decimals"),
]
_COUNTS = [
    ("{}", "a whole number"),
    ("0{}", "a nought before"),
    (" {} ", "spaces around"),
    ("{}000", "thousands"),
]
_CAPITALS = [
    ("{}万人民币", "with unit and currency"),
    ("{}万元", "with its unit"),
    ("{},000万美元", "thousands parted, of dollars"),
    ("{}.8万人民币", "a decimal"),
    ("{}亿元", "of hundreds of millions"),
    ("{}00000", "without a unit"),
    ("{}万港币", "of Hong Kong"),
    ("{},000(万美元)", "its unit in brackets"),
    ("{} 万 元", "spaces within"),
    ("{}万欧元", "of euros"),
]
_BLANK = (None, "", " ", "\u3000", "\t")


def _no_amount(ask: Ask) -> Draft:
    forms = _NO_NUMBERS if (ask.table, ask.column) in _MEASURED else _NO_AMOUNTS
    value = forms[ask.turn % len(forms)].replace("{}", str(2 + ask.turn % 97))
    return ask.put(value, "more than two decimals, a unit, or no number")


def _right_amount(ask: Ask) -> Draft:
    forms = {"capital": _CAPITALS, "capacity": _COUNTS} if (ask.table, ask.column) in _MEASURED else {}
    numbers = _NUMBERS if (ask.table, ask.column) in _MEASURED else _AMOUNTS
    right = forms.get(ask.column, numbers)
    form, why = right[ask.turn % len(right)]
    value = form.format(1 + ask.turn % 97)
    wide = (ask.table, ask.column) in _MEASURED and ask.turn % 5 == 0
    return ask.put(value.translate(_WIDE) if wide else value, why, also=("A05", "A07", "S05"))


def _no_amount_at_all(ask: Ask) -> Draft:
    blank = _BLANK[ask.turn % len(_BLANK)]
    why = "blank has no precision"
    return ask.put(blank, why, also=("A05", "C0", "S05"), case=(ask.table, ask.column, blank))


RECIPES = {
    "N05": Recipes([_no_name(it) for it in _NO_NAMES], [_rare_name(it) for it in _NAMES + _SPACED_NAMES]),
    "N06": Recipes([_put(it, "no phone has such a number") for it in _NO_PHONES], _PHONES),
    "N07": Recipes([_no_amount], [*[_right_amount] * 7, _no_amount_at_all], each=10),
    "N08": Recipes(
        [_odd_character(*it) for it in _ODD],
        [_plain_name(it) for it in _NAMES if "．" not in it] + [_firm_name(it) for it in _FIRM_NAMES],
        each=11,
    ),
}  # fmt: skip
