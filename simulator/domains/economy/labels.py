"""Labels of the coded columns of the economy: the truth keeps positions, sources show the labels."""

from __future__ import annotations

KINDS = ("企业", "个体工商户", "农民专业合作社", "社会组织", "事业单位", "机关")
FIRM, SELF_EMPLOYED, COOPERATIVE, SOCIAL, INSTITUTION, GOVERNMENT = range(6)
# First two digits of the credit code (GB 32100): social organisations are 51, 52 or 53 by their form.
PREFIXES = (91, 92, 93, 51, 12, 11)

STATES = ("存续", "注销", "吊销")
ACTIVE, CLOSED, REVOKED = range(3)

ROLES = ("法定代表人", "经理", "监事", "股东")
HEAD, MANAGER, SUPERVISOR, SHAREHOLDER = range(4)

ITEMS = ("名称变更", "住所变更", "法定代表人变更")
NAME_CHANGED, ADDRESS_CHANGED, HEAD_CHANGED = range(3)

SHOPS = ("食品店", "经营部", "超市", "餐馆", "维修部", "理发店")
SOCIAL_FORMS = ("社会团体", "民办非企业单位", "基金会")
SOCIAL_NAMES = ("协会", "养老服务中心", "慈善基金会")
INSTITUTION_NAMES = ("中心小学", "卫生院", "文化服务中心", "农业技术推广站", "中学", "便民服务中心")
BUREAUS = (
    "民政局", "教育局", "财政局", "公安局", "司法局", "农业农村局", "水利局", "交通运输局", "商务局",
    "审计局", "统计局", "医疗保障局",
)  # fmt: skip
FUNDINGS = ("财政补助", "经费自理", "财政拨款")

TAX_KINDS = ("增值税", "企业所得税", "个人所得税")
VAT, INCOME_TAX, PERSONAL_TAX = range(3)
TAX_LEVELS = ("A", "B", "M", "C", "D")
TAXPAYER_KINDS = ("一般纳税人", "小规模纳税人")

RECORD_KINDS = ("奖励", "处罚", "失信名单", "修复")
REWARD, PENALTY, DISHONEST, REPAIR = range(4)
CATEGORIES = (
    "守合同重信用", "见义勇为", "纳税信用A级",
    "市场监管处罚", "生态环境处罚", "税务处罚", "交通运输处罚",
    "失信被执行人", "重大税收违法", "经营异常名录",
)  # fmt: skip
# Of which kind each category is, and who decides it.
CATEGORY_KINDS = (0, 0, 0, 1, 1, 1, 1, 2, 2, 2)
AUTHORITIES = (
    "市市场监督管理局", "市公安局", "市税务局",
    "市市场监督管理局", "市生态环境局", "市税务局", "市交通运输局",
    "市中级人民法院", "市税务局", "市市场监督管理局",
)  # fmt: skip
