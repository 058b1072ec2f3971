"""The catalogue of e-licences 证照目录: what, by whom, to whom, for how many years (0: for ever)."""

from __future__ import annotations

from dataclasses import dataclass

PERSON, FIRM = "自然人", "法人"


@dataclass(frozen=True)
class LicenceType:
    """A kind of licence; ``drawn`` says how common it is among those no other register tells of."""

    code: str
    label: str
    department: str
    holder: str
    years: int
    drawn: int = 0


TYPES = (
    LicenceType("101", "居民身份证", "市公安局", PERSON, 20),
    LicenceType("102", "机动车驾驶证", "市公安局", PERSON, 10),
    LicenceType("103", "机动车行驶证", "市公安局", PERSON, 0),
    LicenceType("104", "居住证", "市公安局", PERSON, 1, 6),
    LicenceType("111", "结婚证", "市民政局", PERSON, 0),
    LicenceType("112", "离婚证", "市民政局", PERSON, 0),
    LicenceType("121", "出生医学证明", "市卫生健康委员会", PERSON, 0),
    LicenceType("122", "医师执业证书", "市卫生健康委员会", PERSON, 0, 5),
    LicenceType("123", "护士执业证书", "市卫生健康委员会", PERSON, 5, 8),
    LicenceType("124", "预防接种证", "市卫生健康委员会", PERSON, 0, 6),
    LicenceType("125", "从业人员健康证明", "市卫生健康委员会", PERSON, 1, 20),
    LicenceType("131", "残疾人证", "市残疾人联合会", PERSON, 10),
    LicenceType("141", "退役军人优待证", "市退役军人事务局", PERSON, 0),
    LicenceType("151", "社会保障卡", "市人力资源和社会保障局", PERSON, 10, 60),
    LicenceType("152", "专业技术人员职业资格证书", "市人力资源和社会保障局", PERSON, 0, 8),
    LicenceType("153", "职业技能等级证书", "市人力资源和社会保障局", PERSON, 0, 10),
    LicenceType("154", "就业创业证", "市人力资源和社会保障局", PERSON, 5, 10),
    LicenceType("161", "教师资格证书", "市教育局", PERSON, 0, 7),
    LicenceType("162", "毕业证书", "市教育局", PERSON, 0),
    LicenceType("163", "普通话水平测试等级证书", "市教育局", PERSON, 0, 5),
    LicenceType("171", "律师执业证", "市司法局", PERSON, 1, 2),
    LicenceType("181", "特种作业操作证", "市应急管理局", PERSON, 6, 8),
    LicenceType("182", "特种设备作业人员证", "市市场监督管理局", PERSON, 4, 6),
    LicenceType("183", "导游证", "市文化和旅游局", PERSON, 3, 2),
    LicenceType("184", "渔业船员证书", "市海洋发展和渔业局", PERSON, 5, 3),
    LicenceType("185", "执业药师注册证", "市市场监督管理局", PERSON, 5, 3),
    LicenceType("191", "道路运输从业资格证", "市交通运输局", PERSON, 6),
    LicenceType("192", "不动产权证书", "市自然资源和规划局", PERSON, 0),
    LicenceType("301", "营业执照", "市市场监督管理局", FIRM, 0),
    LicenceType("302", "食品经营许可证", "市市场监督管理局", FIRM, 5, 12),
    LicenceType("303", "食品生产许可证", "市市场监督管理局", FIRM, 5, 5),
    LicenceType("304", "药品经营许可证", "市市场监督管理局", FIRM, 5, 3),
    LicenceType("305", "医疗器械经营许可证", "市市场监督管理局", FIRM, 5, 3),
    LicenceType("306", "特种设备使用登记证", "市市场监督管理局", FIRM, 0, 5),
    LicenceType("307", "工业产品生产许可证", "市市场监督管理局", FIRM, 5, 3),
    LicenceType("311", "公共场所卫生许可证", "市卫生健康委员会", FIRM, 4, 6),
    LicenceType("321", "安全生产许可证", "市应急管理局", FIRM, 3, 5),
    LicenceType("322", "危险化学品经营许可证", "市应急管理局", FIRM, 3, 3),
    LicenceType("331", "排污许可证", "市生态环境局", FIRM, 5, 5),
    LicenceType("332", "危险废物经营许可证", "市生态环境局", FIRM, 5, 1),
    LicenceType("341", "建筑业企业资质证书", "市住房和城乡建设局", FIRM, 5, 4),
    LicenceType("342", "城镇污水排入排水管网许可证", "市城市管理局", FIRM, 5, 5),
    LicenceType("351", "取水许可证", "市水务局", FIRM, 5, 3),
    LicenceType("361", "烟草专卖零售许可证", "市烟草专卖局", FIRM, 5, 6),
    LicenceType("371", "特种行业许可证", "市公安局", FIRM, 0, 3),
    LicenceType("381", "劳务派遣经营许可证", "市人力资源和社会保障局", FIRM, 3, 2),
    LicenceType("382", "人力资源服务许可证", "市人力资源和社会保障局", FIRM, 5, 2),
    LicenceType("391", "种子生产经营许可证", "市农业农村局", FIRM, 5, 2),
    LicenceType("392", "动物防疫条件合格证", "市农业农村局", FIRM, 0, 3),
    LicenceType("393", "兽药经营许可证", "市农业农村局", FIRM, 5, 2),
    LicenceType("401", "出版物经营许可证", "市委宣传部", FIRM, 6, 2),
    LicenceType("402", "娱乐经营许可证", "市文化和旅游局", FIRM, 2, 2),
    LicenceType("411", "道路运输经营许可证", "市交通运输局", FIRM, 4),
)
NUMBERS = {kind.label: number for number, kind in enumerate(TYPES)}


def drawn(holder: str) -> tuple[list[int], list[float]]:
    """Return the types that are drawn among persons or firms, and their shares."""
    chosen = [number for number, kind in enumerate(TYPES) if kind.drawn and kind.holder == holder]
    whole = sum(TYPES[number].drawn for number in chosen)
    return chosen, [TYPES[number].drawn / whole for number in chosen]
