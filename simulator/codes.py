"""Labels of the coded columns: the simulator keeps positions, sources and truth show the labels."""

from __future__ import annotations

SEXES = ("", "1", "2")
SEX_NAMES = ("", "男", "女")
# GB/T 3304: Han and the commonest others.
NATIONS = ("01", "02", "03", "05", "11")
NATION_WEIGHTS = (0.985, 0.004, 0.005, 0.002, 0.004)

# GB/T 4761 relation to the head of the household.
RELATIONS = ("02", "10", "20", "30", "40", "51", "52", "97")
HEAD, SPOUSE, SON, DAUGHTER, GRANDCHILD, FATHER, MOTHER, OTHER = range(8)

MOVE_KINDS = ("迁入", "迁出", "市内")
MOVED_IN, MOVED_OUT, MOVED_WITHIN = range(3)

MARRIAGE_ENDS = ("", "离婚", "丧偶")
DIVORCED, WIDOWED = 1, 2

INSURANCE_KINDS = ("城乡居民养老", "职工养老")
RESIDENT_PENSION, EMPLOYEE_PENSION = range(2)
INSURANCE_STATES = ("参保", "领取", "停保")
PAYING, DRAWING, STOPPED = range(3)

AWARD_KINDS = ("高龄津贴", "孤儿补助", "残疾补贴", "定期抚恤")
OLD_AGE, ORPHAN, DISABILITY, REGULAR_BENEFIT = range(4)
AWARD_MONTHLY_FEN = (10_000, 180_000, 15_000, 260_000)
STOP_REASONS = ("", "死亡", "年满18周岁", "不再符合条件", "户籍迁出")
STOP_DEATH, STOP_ADULT, STOP_UNFIT, STOP_LEFT = range(1, 5)

CASE_KINDS = ("低保", "特困", "低保边缘")
CASE_MONTHLY_FEN = (62_000, 110_000, 0)

DISCHARGE_KINDS = ("义务兵退役", "士官复员", "转业安置", "军官转业")
CONSCRIPT, SERGEANT, PLACED, OFFICER = range(4)

TRADES = ("机械", "食品", "建材", "商贸", "水产", "果品", "服装", "电子", "化工", "运输", "印刷", "农业")
FIRM_FORMS = ("有限公司", "股份有限公司", "集团有限公司", "厂", "合作社")
FIRM_TYPES = ("有限责任公司", "股份有限公司", "有限责任公司", "集体所有制", "农民专业合作社")
CURRENCIES = ("人民币", "美元")
