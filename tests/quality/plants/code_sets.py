"""The code sets that N02 is bound to, as the standards and the sources' own books give them."""

from __future__ import annotations

_SEX = ("1", "2", "男", "女")
_YES = ("0", "1")
_STATUS = ("存续", "注销", "吊销")
_NATIONS = tuple(f"{number:02d}" for number in (*range(1, 59), 97, 98))

CODES: dict[tuple[str, str], tuple[str, ...]] = {
    ("agriculture__land_contract", "sex"): _SEX,
    ("agriculture__subsidy", "year"): ("2015", "2019", "2024", "2025"),
    ("buildings__building", "kind"): ("住宅", "办公", "商业", "工业", "公共服务"),
    ("civil_affairs__assisted_household", "kind"): ("低保", "特困", "低保边缘"),
    ("civil_affairs__subsidy_award", "subsidy_kind"): ("高龄津贴", "孤儿补助", "残疾补贴", "定期抚恤"),
    ("credit__record", "subject_kind"): (
        "自然人", "企业", "个体工商户", "农民专业合作社", "社会组织", "事业单位", "机关",
    ),
    ("credit__record", "record_kind"): ("奖励", "处罚", "失信名单", "修复"),
    ("disabled_federation__certificate", "sex"): _SEX,
    ("disabled_federation__certificate", "disability_kind"): (
        "视力", "听力", "言语", "肢体", "智力", "精神", "多重",
    ),
    ("disabled_federation__certificate", "grade"): ("1", "2", "3", "4"),
    ("education__degree", "level"): ("大学专科", "大学本科", "硕士研究生", "博士研究生"),
    ("education__enrolment", "grade"): tuple(map(str, range(1, 13))),
    ("education__enrolment", "status"): ("在读", "转出", "辍学", "毕业", "离校"),
    ("emergency__hazard_point", "kind"): ("洪涝", "滑坡", "森林火灾", "崩塌", "危险化学品", "内涝积水"),
    ("emergency__rescue_team", "kind"): (
        "综合救援队", "森林消防队", "水上救援队", "矿山救护队", "社会救援队",
    ),
    ("emergency__shelter", "kind"): ("学校", "体育馆", "广场", "社区服务中心", "公园"),
    ("emergency__store", "kind"): ("市级储备库", "区县储备库", "乡镇储备点"),
    ("funeral__cremation", "sex"): _SEX,
    ("health__birth", "sex"): _SEX,
    ("health__death", "sex"): _SEX,
    ("housing__contract", "kind"): ("新建商品房买卖", "存量房买卖", "房屋租赁"),
    ("housing__contract", "status"): ("有效", "注销", "到期"),
    ("licence_register__licence", "holder_kind"): ("自然人", "法人"),
    ("market_regulation__change", "item"): ("名称变更", "住所变更", "法定代表人变更"),
    ("market_regulation__entity", "status"): _STATUS,
    ("marriage_archive__record", "kind"): ("结婚", "离婚", "复婚"),
    ("marriage_registry__registration", "kind"): ("结婚", "离婚"),
    ("medical_insurance__facility", "level"): ("一级", "二级", "三级"),
    ("medical_insurance__settlement", "kind"): ("门诊", "住院"),
    ("medical_insurance__settlement", "status"): ("正常", "冲销"),
    ("police__cancellation", "reason"): ("死亡", "迁出"),
    ("police__move", "move_type"): ("迁入", "迁出", "市内"),
    ("police__resident", "sex"): _SEX,
    ("police__resident", "nation"): _NATIONS,
    ("police__resident", "hukou_type"): ("1", "2"),
    ("police__resident", "relation"): ("01", "02", "10", "20", "31", "42", "55", "63", "70", "97"),
    ("police__resident", "status"): _YES,
    ("power__account", "kind"): ("居民生活用电", "工商业用电"),
    ("provident_fund__account", "status"): ("正常", "封存", "销户"),
    ("real_estate__title", "way"): ("首次登记", "买卖", "继承"),
    ("region_codes__division", "level"): ("province", "city", "district", "township", "village"),
    ("rural_revitalisation__monitored_person", "kind"): ("脱贫不稳定户", "边缘易致贫户", "突发严重困难户"),
    ("rural_revitalisation__monitored_person", "sex"): _SEX,
    ("social_security__insurance", "insurance_kind"): ("城乡居民养老", "职工养老"),
    ("social_security__insurance", "status"): ("参保", "领取", "停保"),
    ("taxation__payment", "tax"): ("增值税", "企业所得税", "个人所得税"),
    ("taxation__taxpayer", "credit_level"): ("A", "B", "M", "C", "D"),
    ("transport__licence", "licence_kind"): (
        "道路货物运输经营许可", "道路旅客运输经营许可", "巡游出租汽车经营许可", "道路运输从业资格",
    ),
    ("transport__vehicle", "use_kind"): ("营运", "非营运"),
    ("utilities__account", "kind"): ("供水", "供气", "供热"),
    ("veterans__service_record", "sex"): _SEX,
    ("veterans__service_record", "discharge_kind"): ("义务兵退役", "士官复员", "转业安置", "军官转业"),
}  # fmt: skip
"""Table and column -> the values that are in its code set, in forms that sources write."""
