"""Rows of every source table as they would land from a city without dirt: 60 people, all else about them."""

from __future__ import annotations

from collections.abc import Callable

from stdnum.cn import uscc as uscc_oracle
from toy_source import Row, resident_id

COUNT = 100
VILLAGE = "370602001001"
TOWNSHIP = "370602001"
LIVING = range(40)
DEAD = range(40, COUNT)
"""Whoever comes after these is alive."""


def born(number: int) -> str:
    """Birth date of a person."""
    return f"{1950 + number % 40}-03-{1 + number % 28:02d}"


def pid(number: int) -> str:
    """Identity number of a person, no two alike; odd numbers are men."""
    # Births repeat after 280 people, births and serials together after 7,000.
    region = f"3706{2 + number // 7000:02d}"
    return resident_id((100 + number) % 1000, born(number).replace("-", ""), region)


def name(number: int) -> str:
    """Name of a person, no two alike among 16,000."""
    return "王" + chr(0x5B50 + number % 16_000)


def sex(number: int) -> str:
    """GB/T 2261.1 code that the identity number says."""
    return "1" if number % 2 else "2"


def uscc(number: int) -> str:
    """A credit code with the right check character."""
    body = f"91370602MA3{number:06d}"
    return body + str(uscc_oracle.calc_check_digit(body))


def _about(number: int) -> Row:
    return {"pid": pid(number), "name": name(number), "updated_at": "2026-01-10 08:00:00"}


def _resident(number: int) -> Row:
    return _about(number) | {
        "resident_id": str(number),
        "sex": sex(number),
        "birth_date": born(number),
        "nation": "01",
        "hukou_type": "1",
        "household_no": f"H{number // 2}",
        "relation": "10" if number % 2 else "01",
        "village_code": VILLAGE,
        "address": "一号",
        "phone": f"138000{number:05d}",
        "status": "1" if number not in DEAD else "0",
    }


def _household_member(number: int) -> Row:
    return _about(number) | {
        "member_id": str(number),
        "household_no": f"H{number // 2}",
        "relation": "01",
        "joined_on": "2000-01-01",
        "left_on": "2020-01-01" if number % 2 else None,
    }


def _move(number: int) -> Row:
    kind = ("迁入", "迁出", "市内")[number % 3]
    return _about(number) | {
        "move_id": str(number),
        "move_type": kind,
        "moved_on": "2025-06-01",
        "from_village_code": None if kind == "迁入" else VILLAGE,
        "to_village_code": None if kind == "迁出" else VILLAGE,
    }


def _cancellation(number: int) -> Row:
    return _about(number) | {
        "cancellation_id": str(number),
        "cancelled_on": "2025-06-01",
        "reason": "迁出" if number not in DEAD else "死亡",
    }


def _assisted_household(number: int) -> Row:
    return {
        "case_no": f"C{number}",
        "household_no": f"H{number}",
        "head_pid": pid(number),
        "head_name": name(number),
        "kind": "低保",
        "township_code": TOWNSHIP,
        "approved_on": "2024-01-01",
        "ended_on": "2025-01-01" if number % 2 else None,
        "monthly_amount": "800.00",
        "updated_at": "2026-01-10 08:00:00",
    }


def _assisted_person(number: int) -> Row:
    return _about(number) | {"assisted_person_id": str(number), "case_no": f"C{number}", "relation": "01"}


def _subsidy_award(number: int) -> Row:
    ended = number % 2
    return _about(number) | {
        "award_no": f"A{number}",
        "subsidy_kind": "高龄津贴",
        "started_on": "2024-01-01",
        "ended_on": "2025-01-01" if ended else None,
        "stop_reason": "期满" if ended else None,
        "monthly_amount": "300.00",
    }


def _subsidy_payment(number: int) -> Row:
    payee = number // 3 % len(LIVING)
    return {
        "payment_id": str(number),
        "award_no": f"A{payee}",
        "pid": pid(payee),
        "month": f"20250{1 + number % 3}",
        "amount": f"{300 + number}.00",
        "paid_on": "2025-04-01",
    }


def _birth(number: int) -> Row:
    child = resident_id((100 + number) % 1000, "20250601")
    return {
        "certificate_no": f"B{number}",
        "child_pid": child,
        "child_name": name(number),
        "sex": sex(number),
        "born_on": "2025-06-01",
        "mother_pid": pid(number),
        "father_pid": pid((number + 1) % COUNT),
        "registered_on": "2025-06-03",
        "updated_at": "2026-01-10 08:00:00",
    }


def _death(number: int) -> Row:
    person = DEAD[number % len(DEAD)]
    return _about(person) | {
        "certificate_no": f"D{number}",
        "sex": sex(person),
        "died_on": "2025-05-30",
        "registered_on": "2025-06-01",
    }


def _insurance(number: int) -> Row:
    drawing = number not in DEAD and number % 2
    return _about(number) | {
        "insurance_id": str(number),
        "nation": "01",
        "hukou_type": "1",
        "insurance_kind": "城乡居民养老",
        "started_on": "2010-01-01",
        "status": "领取" if drawing else "参保" if number not in DEAD else "停保",
        "ended_on": None if number not in DEAD else "2025-06-01",
        "monthly_benefit": "180.50" if drawing else None,
    }


def _employment(number: int) -> Row:
    return _about(number) | {
        "employment_id": str(number),
        "employer_name": f"烟台市{number}厂",
        "employer_uscc": uscc(number),
        "started_on": "2010-01-01",
        "ended_on": "2020-01-01" if number % 2 else None,
    }


def _registration(number: int) -> Row:
    couple = number // 2 * 2
    return {
        "registration_no": f"M{number}",
        "kind": "离婚" if number % 2 else "结婚",
        "registered_on": "2020-01-01" if number % 2 else "2018-01-01",
        "office": "芝罘区",
        "husband_name": name(couple),
        "husband_pid": pid(couple),
        "wife_name": name(couple + 1),
        "wife_pid": pid(couple + 1),
        "updated_at": "2026-01-10 08:00:00",
    }


def _settlement(number: int) -> Row:
    return _about(number % len(LIVING)) | {
        "settlement_no": f"YB{number:010d}",
        "facility_code": "H37060200001",
        "kind": "住院" if number % 2 else "门诊",
        "diagnosis_code": "I10",
        "admitted_on": f"2025-05-{1 + number % 28:02d}",
        "settled_on": f"2025-06-{1 + number % 28:02d}",
        "total_amount": f"{300 + number}.00",
        "fund_paid": "200.00",
        "self_paid": f"{100 + number}.00",
        "status": "正常",
    }


def _facility(number: int) -> Row:
    return {
        "facility_id": str(number),
        "facility_code": f"H370602{number:05d}",
        "name": "向阳街道卫生院",
        "kind": "卫生院",
        "level": "一级",
        "township_code": TOWNSHIP,
        "updated_at": "2026-01-10 08:00:00",
    }


def _certificate(number: int) -> Row:
    return _about(number) | {
        "certificate_no": f"CJ{number:010d}",
        "sex": sex(number),
        "disability_kind": "肢体",
        "grade": str(1 + number % 4),
        "issued_on": "2020-01-01",
        "valid_until": "2029-12-31",
        "revoked_on": None,
    }


def _monitored_person(number: int) -> Row:
    return {
        "person_no": f"FP{number:010d}",
        "household_no": f"FH{number // 2:010d}",
        "name": name(number),
        "sex": "男" if number % 2 else "女",
        "birth_date": born(number),
        "pid": pid(number),
        "head_name": name(number // 2 * 2) if number % 2 else None,
        "district_name": "芝罘区",
        "township_name": "向阳街道",
        "village_code": VILLAGE,
        "kind": "边缘易致贫户",
        "risk": "因病",
        "identified_on": "2024-05-01",
        "cleared_on": None,
    }


def _school(number: int) -> Row:
    return {
        "school_id": str(number),
        "school_code": f"370602{number:05d}",
        "name": "向阳街道第1小学",
        "stage": "小学",
        "township_code": TOWNSHIP,
        "updated_at": "2026-01-10 08:00:00",
    }


def _enrolment(number: int) -> Row:
    return _about(number) | {
        "enrolment_no": f"XJ{number:010d}",
        "sex": "男" if number % 2 else "女",
        "nation": "01",
        "hukou_type": "1",
        "school_code": "37060200001",
        "grade": "3",
        "entered_on": "2023-09-01",
        "ended_on": None,
        "status": "在读",
    }


def _degree(number: int) -> Row:
    return _about(number) | {
        "certificate_no": f"XL{number:010d}",
        "level": "大学本科",
        "college": "鲁东大学",
        "graduated_on": "2012-06-20",
    }


def _archive_record(number: int) -> Row:
    couple = number // 2 * 2
    return {
        "scan_no": f"S2{number:010d}",
        "archive_no": f"1990-0001-{number:03d}",
        "volume": "1990年婚姻登记第1卷",
        "generation": "2",
        "kind": "离婚" if number % 2 else "结婚",
        "registered_on": "1996-01-01" if number % 2 else "1990-01-01",
        "office": "向阳镇人民政府",
        "husband_name": name(couple + 1),
        "husband_pid": pid(couple + 1),
        "husband_birth_date": born(couple + 1),
        "husband_address": "芝罘区向阳街道",
        "wife_name": name(couple),
        "wife_pid": pid(couple),
        "wife_birth_date": born(couple),
        "wife_address": "芝罘区向阳街道",
        "scanned_on": "2024-01-01",
    }


def _cremation(number: int) -> Row:
    person = DEAD[number % len(DEAD)]
    return {
        "cremation_no": f"HH{number:010d}",
        "name": name(person),
        "pid": pid(person),
        "sex": "男" if person % 2 else "女",
        "birth_date": born(person),
        "died_on": "2025-05-30",
        "cremated_on": "2025-06-01",
        "address": "芝罘区向阳街道",
        "contact_relation": "子",
        "funeral_home": "芝罘区殡仪馆",
    }


def _vehicle(number: int) -> Row:
    return {
        "vehicle_id": str(number),
        "plate_no": f"鲁F{number:05d}",
        "vehicle_kind": "重型货车",
        "use_kind": "营运",
        "owner_pid": pid(number),
        "owner_name": name(number),
        "owner_uscc": uscc(number),
        "township_code": TOWNSHIP,
        "registered_on": "2020-01-01",
        "inspection_valid_until": "2026-06-30",
        "scrapped_on": None,
        "updated_at": "2026-01-10 08:00:00",
    }


def _transport_licence(number: int) -> Row:
    return {
        "licence_no": f"3706{number:010d}",
        "licence_kind": "道路货物运输经营许可",
        "holder_pid": pid(number),
        "holder_name": name(number),
        "holder_uscc": uscc(number),
        "issued_on": "2023-01-01",
        "valid_until": "2026-12-31",
        "revoked_on": None,
        "updated_at": "2026-01-10 08:00:00",
    }


def _licence(number: int) -> Row:
    return {
        "licence_id": f"Z{number:010d}",
        "type_code": "111",
        "type_name": "结婚证",
        "licence_no": f"111{number:010d}",
        "holder_kind": "自然人",
        "holder_pid": pid(number),
        "holder_name": name(number),
        "holder_uscc": uscc(number),
        "issuing_department": "市民政局",
        "issued_on": "2020-01-01",
        "valid_until": "2030-01-01" if number % 2 else "长期",
        "revoked_on": None,
        "updated_at": "2026-01-10 08:00:00",
    }


def _land_contract(number: int) -> Row:
    return _about(number) | {
        "contract_no": f"CB{number:010d}",
        "village_code": VILLAGE,
        "household_no": f"H{number // 2}",
        "sex": "男" if number % 2 else "女",
        "birth_date": born(number),
        "relative_name": None,
        "parcels": "3",
        "area_mu": "7.50",
        "term_from": "1998-10-01",
        "term_to": "2027-09-30",
    }


def _farm_subsidy(number: int) -> Row:
    return _about(number) | {
        "subsidy_no": f"NB{number:010d}",
        "subsidy_kind": "耕地地力保护补贴",
        "year": "2025",
        "season": "全年",
        "contract_no": f"CB{number:010d}",
        "village_code": VILLAGE,
        "claimed_mu": "7.50",
        "amount": "937.50",
        "paid_on": "2025-07-01",
    }


def _service_record(number: int) -> Row:
    return {
        "seq_no": str(number),
        "name": name(number),
        "pid": pid(number),
        "sex": sex(number),
        "birth_date": born(number),
        "enlisted_on": f"{1970 + number % 40}-12-01",
        "enlisted_place": "烟台",
        "discharged_on": f"{1974 + number % 40}-12-01",
        "discharge_kind": "义务兵退役",
        "unit_code": "12345",
        "district_name": "芝罘区",
        "township_name": "向阳街道",
        "phone": f"138000{number:05d}",
        "remark": None,
    }


def _enterprise(number: int) -> Row:
    return {
        "name": f"烟台市{number}有限公司",
        "uscc": uscc(number),
        "established_on": "2000-01-01",
        "enterprise_type": "有限责任公司",
        "capital": "50万人民币",
        "scope": "零售",
        "province": "山东",
        "city": "烟台",
        "address": "烟台市芝罘区一号",
    }


def _division(number: int) -> Row:
    upper = [
        ("370000000000", "province", None),
        ("370600000000", "city", "370000000000"),
        ("370602000000", "district", "370600000000"),
        ("370602001000", "township", "370602000000"),
    ]
    code, level, parent = (
        upper[number] if number < 4 else (f"3706020010{number - 3:02d}", "village", "370602001000")
    )
    return {"code": code, "name": f"区划{number}", "level": level, "parent_code": parent}


def _succession(number: int) -> Row:
    return {
        "old_code": f"3706020020{number:02d}",
        "old_name": "旧村",
        "valid_until": "2020-12-31",
        "new_code": VILLAGE,
        "new_name": "新村",
        "what": "合并",
    }


def _building(number: int) -> Row:
    return {
        "building_no": f"{VILLAGE}-{number}",
        "name": f"文化路{number}号住宅楼",
        "kind": "住宅",
        "address": f"烟台市芝罘区向阳街道文化路{number}号",
        "road": "文化路",
        "door_number": f"{number}号",
        "floors": "6",
        "location": "121.400000,37.530000",
        "village_code": VILLAGE,
        "built_year": "1998",
    }


def _site(number: int, kind: str) -> Row:
    return {
        "code": f"{number:012d}",
        "name": "向阳街道文化路",
        "kind": kind,
        "address": f"烟台市芝罘区向阳街道文化路{number}号",
        "location": "121.400000,37.530000",
        "since_on": "2020-05-01",
        "ended_on": None,
    }


def _hazard_point(number: int) -> Row:
    return _site(number, "洪涝") | {"grade": "一级", "threatened_people": "20"}


def _shelter(number: int) -> Row:
    return _site(number, "学校") | {"capacity": "500", "occupied": "0"}


def _store(number: int) -> Row:
    return _site(number, "乡镇储备点") | {"tents": "20", "quilts": "40", "boats": "2", "pumps": "3"}


def _rescue_team(number: int) -> Row:
    return _site(number, "综合救援队") | {"members": "30", "phone": "13800000000"}


def _permit(number: int) -> Row:
    return {
        "permit_no": f"PW{number:010d}",
        "uscc": uscc(number),
        "name": f"烟台市{number}厂",
        "address": f"烟台市芝罘区向阳街道文化路{number}号",
        "pollutant": "氨氮",
        "unit": "mg/L",
        "limit_value": "8.0",
        "granted_on": "2023-05-01",
        "expires_on": "2028-04-30",
    }


def _reading(number: int) -> Row:
    return {
        "reading_no": f"JC{number:010d}",
        "permit_no": f"PW{number:010d}",
        "pollutant": "氨氮",
        "measured_on": "2025-12-01",
        "value": "4.5",
    }


def _at_home(number: int) -> Row:
    return {"unit_no": f"{VILLAGE}GB00001F{number:08d}", "address": f"芝罘区向阳街道大海阳社区{number + 1}号"}


def _title(number: int) -> Row:
    return _at_home(number) | {
        "title_id": str(number),
        "village_code": VILLAGE,
        "use": "住宅",
        "area": "98.00",
        "owner_kind": "个人",
        "owner_pid": pid(number),
        "owner_name": name(number),
        "share": "100",
        "way": "买卖",
        "acquired_on": "2015-06-01",
        "updated_at": "2026-01-10 08:00:00",
    }


def _mortgage(number: int) -> Row:
    return _at_home(number) | {
        "mortgage_id": str(number),
        "borrower_pid": pid(number),
        "borrower_name": name(number),
        "lender": "中国建设银行",
        "amount": "500000.00",
        "started_on": "2015-06-01",
        "due_on": "2035-06-01",
        "updated_at": "2026-01-10 08:00:00",
    }


def _contract(number: int) -> Row:
    return _at_home(number) | {
        "contract_no": f"HT{number:010d}",
        "kind": "存量房买卖",
        "seller_pid": pid((number + 1) % COUNT),
        "seller_name": name((number + 1) % COUNT),
        "buyer_pid": pid(number),
        "buyer_name": name(number),
        "signed_on": "2015-05-01",
        "amount": "600000.00",
        "status": "有效",
    }


def _fund_account(number: int) -> Row:
    return {
        "account_no": f"GJ{number:010d}",
        "pid": pid(number),
        "name": name(number),
        "employer_uscc": uscc(1),
        "employer_name": "某某有限公司",
        "opened_on": "2010-06-01",
        "monthly_deposit": "800.00",
        "balance": "20000.00",
        "paid_until": "202512",
        "status": "正常",
    }


def _fund_loan(number: int) -> Row:
    return {
        "loan_no": f"DK{number:010d}",
        "pid": pid(number),
        "name": name(number),
        "unit_no": _at_home(number)["unit_no"],
        "amount": "400000.00",
        "balance": "100000.00",
        "started_on": "2015-06-01",
        "months": "240",
        "overdue_months": "0",
        "ended_on": "",
    }


def _power_account(number: int) -> Row:
    return {
        "account_no": f"{number:010d}",
        "kind": "居民生活用电",
        "holder_name": name(number),
        "holder_pid": pid(number),
        "address": _at_home(number)["address"],
        "township_code": TOWNSHIP,
        "opened_on": "2005-06-01",
    }


def _power_usage(number: int) -> Row:
    return {
        "bill_no": f"D{number:010d}",
        "account_no": f"{number:010d}",
        "month": "202512",
        "quantity": "180.50",
        "amount": "98.72",
    }


def _utility_account(number: int) -> Row:
    return _power_account(number) | {"account_no": f"S{number:09d}", "kind": "供水"}


def _utility_usage(number: int) -> Row:
    return _power_usage(number) | {"bill_no": f"U{number:010d}", "account_no": f"S{number:09d}"}


def organisation_code(number: int, prefix: str = "91") -> str:
    """A credit code of a kind of organisation."""
    body = prefix + uscc(number)[2:17]
    return body + str(uscc_oracle.calc_check_digit(body))


def _entity(number: int) -> Row:
    return {
        "entity_id": str(number),
        "uscc": uscc(number),
        "name": f"烟台{number}有限公司",
        "entity_kind": "企业",
        "representative_name": name(number % len(LIVING)),
        "representative_pid": pid(number % len(LIVING)),
        "established_on": "2010-01-01",
        "status": "存续",
        "updated_at": "2026-01-10 08:00:00",
    }


def _officer(number: int) -> Row:
    return _about(number) | {"officer_id": str(number), "entity_id": str(number), "role": "经理"}


def _change(number: int) -> Row:
    return {
        "change_id": str(number),
        "entity_id": str(number),
        "item": "名称变更",
        "changed_on": "2020-01-01",
    }


def _registered(number: int) -> Row:
    return {
        "certificate_no": f"S{number:010d}",
        "uscc": organisation_code(number, "52"),
        "name": f"烟台{number}协会",
        "kind": "事业单位",
        "established_on": "2010-01-01",
        "status": "存续",
    }


def _taxpayer(number: int) -> Row:
    return {
        "taxpayer_id": str(number),
        "taxpayer_no": uscc(number),
        "name": f"烟台{number}有限公司",
        "credit_level": "A",
        "registered_on": "2010-01-01",
    }


def _tax_payment(number: int) -> Row:
    return {
        "payment_no": str(number),
        "taxpayer_no": uscc(number),
        "tax": "增值税",
        "period": "202511",
        "amount": "100.00",
        "paid_on": "2025-12-20",
    }


def _credit_record(number: int) -> Row:
    return {
        "record_no": f"C{number:010d}",
        "subject_kind": "企业",
        "subject_code": uscc(number),
        "subject_name": f"烟台{number}有限公司",
        "record_kind": "奖励",
        "category": "守合同重信用",
        "decided_on": "2025-01-01",
    }


MAKERS: dict[str, Callable[[int], Row]] = {
    "police__resident": _resident,
    "police__household_member": _household_member,
    "police__move": _move,
    "police__cancellation": _cancellation,
    "civil_affairs__assisted_household": _assisted_household,
    "civil_affairs__assisted_person": _assisted_person,
    "civil_affairs__subsidy_award": _subsidy_award,
    "civil_affairs__subsidy_payment": _subsidy_payment,
    "health__birth": _birth,
    "health__death": _death,
    "social_security__insurance": _insurance,
    "social_security__employment": _employment,
    "marriage_registry__registration": _registration,
    "marriage_archive__record": _archive_record,
    "funeral__cremation": _cremation,
    "transport__vehicle": _vehicle,
    "transport__licence": _transport_licence,
    "licence_register__licence": _licence,
    "agriculture__land_contract": _land_contract,
    "agriculture__subsidy": _farm_subsidy,
    "veterans__service_record": _service_record,
    "medical_insurance__settlement": _settlement,
    "medical_insurance__facility": _facility,
    "disabled_federation__certificate": _certificate,
    "rural_revitalisation__monitored_person": _monitored_person,
    "education__school": _school,
    "education__enrolment": _enrolment,
    "education__degree": _degree,
    "real_estate__title": _title,
    "real_estate__mortgage": _mortgage,
    "housing__contract": _contract,
    "provident_fund__account": _fund_account,
    "provident_fund__loan": _fund_loan,
    "power__account": _power_account,
    "power__usage": _power_usage,
    "utilities__account": _utility_account,
    "utilities__usage": _utility_usage,
    "enterprise_registry__enterprise": _enterprise,
    "buildings__building": _building,
    "emergency__hazard_point": _hazard_point,
    "emergency__shelter": _shelter,
    "emergency__store": _store,
    "emergency__rescue_team": _rescue_team,
    "ecology__permit": _permit,
    "ecology__reading": _reading,
    "region_codes__division": _division,
    "region_codes__change": _succession,
    "market_regulation__entity": _entity,
    "market_regulation__officer": _officer,
    "market_regulation__change": _change,
    "organisations__social_organisation": _registered,
    "organisations__institution": _registered,
    "taxation__taxpayer": _taxpayer,
    "taxation__payment": _tax_payment,
    "credit__record": _credit_record,
}


def good_rows(table: str) -> list[Row]:
    """All rows of a raw table."""
    return [MAKERS[table](number) for number in range(len(DEAD) if table == "health__death" else COUNT)]
