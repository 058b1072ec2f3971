"""For each rule bound to a staging table, a fault that it must find: the changes to a row that plant it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from good_rows import DEAD, born, name, pid, uscc
from toy_source import Row, resident_id

from soda_checks.contract import BoundCheck, Contract


@dataclass(frozen=True)
class Fault:
    """Changes to one row, and the binding that must fail for it."""

    rule: str
    column: str
    changes: Row


def _impossible_date(code: str) -> str:
    return code[:10] + "1332" + code[14:]


def _wrong_check_digit(code: str) -> str:
    return code[:17] + ("0" if code[17] != "0" else "1")


def _with_odd_character(text: str) -> str:
    return text + ("Ａ" if "公司" in text else "\u200b")


# Numbers that need not have two decimals.
_MEASURED = ("capital", "capacity", "limit_value", "value")

# The same fault serves a rule wherever it is bound: it is made of the column's name and its good value.
_COMMON: dict[str, Callable[[str, str], str | None]] = {
    "C01": lambda column, _: " " if column.endswith("pid") else None,
    "C02": lambda column, _: "N/A" if column in ("capital", "enterprise_type") else "未知",
    "A01": lambda _, value: _wrong_check_digit(value),
    "A02": lambda _, value: _impossible_date(value),
    "A03": lambda _, value: _wrong_check_digit(value),
    "A04": lambda _, __: "1900-01-01",
    "A05": lambda _, __: "-5.00",
    "A06": lambda _, __: "2026-01-16",
    "A07": lambda _, __: "19999.00",
    "A08": lambda _, __: "37.530000,121.400000",
    "N01": lambda _, value: value + " ",
    "N02": lambda _, __: "Z",
    "N03": lambda column, _: "370699999" if column == "township_code" else "370699999999",
    "N04": lambda column, _: "202513" if column == "month" else "2025-02-30",
    "N05": lambda _, __: "王1明",
    "N06": lambda _, __: "12345",
    "N07": lambda column, _: "很多" if column in _MEASURED else "300.001",
    "N08": lambda _, value: _with_odd_character(value),
}


def _about(number: int) -> Row:
    return {"pid": pid(number), "name": name(number)}


# What cannot be said by one value of the rule's own column. Row numbers are those of good_rows.
_SPECIAL: dict[tuple[str, str, str], Row] = {
    ("stg_police__resident", "U01", "resident_id"): {"resident_id": "0"},
    ("stg_police__resident", "S01", "sex"): {
        "pid": resident_id(901, "19900101"),
        "sex": "2",
        "birth_date": "1990-01-01",
    },
    ("stg_police__resident", "S01", "birth_date"): {"birth_date": "1931-01-01"},
    ("stg_police__resident", "S04", "status"): _about(55)
    | {"birth_date": born(55), "sex": "1", "status": "1"},
    ("stg_police__resident", "U02", ""): {"pid": pid(0), "sex": "2", "birth_date": born(0)},
    ("stg_police__resident", "U03", ""): {
        "name": name(1),
        "birth_date": born(1),
        "pid": resident_id(903, born(1).replace("-", "")),
        "sex": "1",
    },
    ("stg_police__resident", "S02", ""): {
        "name": name(3),
        "birth_date": born(3),
        "sex": "1",
        "pid": (old := resident_id(905, born(3).replace("-", "")))[:6] + old[8:17],
    },
    ("stg_police__resident", "R03", ""): {"household_no": "H999", "relation": "20", "status": "1"},
    ("stg_police__resident", "S06", ""): {
        "pid": resident_id(907, "19910101"),
        "birth_date": "1991-01-01",
        "sex": "1",
    },
    ("stg_police__cancellation", "S04", ""): _about(0) | {"reason": "死亡"},
    ("stg_civil_affairs__assisted_person", "R01", "case_no"): {"case_no": "C999"},
    ("stg_civil_affairs__subsidy_award", "C03", "stop_reason"): {
        "ended_on": "2025-01-01",
        "stop_reason": None,
    },
    ("stg_civil_affairs__subsidy_award", "U04", ""): _about(0),
    ("stg_civil_affairs__subsidy_payment", "R01", "award_no"): {"award_no": "A999"},
    ("stg_civil_affairs__subsidy_payment", "C05", "award_no"): {"award_no": "A0", "month": "202512"},
    ("stg_civil_affairs__subsidy_payment", "U02", ""): {"award_no": "A0", "month": "202501"},
    ("stg_civil_affairs__subsidy_payment", "S04", ""): {"pid": pid(55), "month": "202512", "award_no": "A55"},
    ("stg_health__birth", "S01", "sex"): {"child_pid": resident_id(901, "20250601"), "sex": "2"},
    ("stg_health__birth", "S01", "born_on"): {"born_on": "2025-05-31"},
    ("stg_health__birth", "U02", ""): {"child_pid": resident_id(100, "20250601"), "sex": "2"},
    ("stg_health__death", "S01", "sex"): _about(41) | {"sex": "2"},
    ("stg_health__death", "U02", ""): _about(40) | {"sex": "2"},
    ("stg_health__death", "A04", ""): _about(42) | {"sex": "2", "died_on": "1900-01-01"},
    ("stg_social_security__insurance", "A05", "monthly_benefit"): {
        "status": "领取",
        "monthly_benefit": "0.00",
    },
    ("stg_social_security__insurance", "C03", "monthly_benefit"): {"status": "领取", "monthly_benefit": None},
    ("stg_social_security__insurance", "S04", ""): _about(55)
    | {"status": "领取", "monthly_benefit": "180.50"},
    ("stg_social_security__insurance", "U02", ""): _about(0) | {"status": "参保", "monthly_benefit": None},
    ("stg_social_security__employment", "U04", ""): _about(2)
    | {"employer_name": "烟台市2厂", "employer_uscc": uscc(2)},
    ("stg_marriage_registry__registration", "R05", ""): {
        "kind": "离婚",
        "registered_on": "2017-01-01",
        "husband_pid": pid(0),
        "wife_pid": pid(1),
    },
    ("stg_marriage_registry__registration", "U02", ""): {
        "kind": "结婚",
        "registered_on": "2018-01-01",
        "husband_pid": pid(0),
        "wife_pid": pid(1),
    },
    ("stg_market_regulation__entity", "R04", ""): {"representative_pid": pid(DEAD[0])},
    ("stg_medical_insurance__facility", "U02", ""): {"facility_code": "H37060200000"},
    ("stg_medical_insurance__settlement", "U02", ""): _about(0)
    | {"kind": "门诊", "settled_on": "2025-06-01", "self_paid": "100.00", "total_amount": "300.00"},
    ("stg_medical_insurance__settlement", "A04", "admitted_on"): {"admitted_on": "2025-08-01"},
    ("stg_medical_insurance__settlement", "S05", ""): {"total_amount": "999.00"},
    ("stg_medical_insurance__settlement", "S04", ""): _about(55) | {"settled_on": "2025-12-01"},
    ("stg_disabled_federation__certificate", "S01", "sex"): {"pid": resident_id(901, "19900101"), "sex": "2"},
    ("stg_disabled_federation__certificate", "U02", ""): _about(0),
    ("stg_rural_revitalisation__monitored_person", "U02", ""): {"pid": pid(0)},
    ("stg_education__school", "U02", ""): {"school_code": "37060200000"},
    ("stg_education__enrolment", "U02", ""): {"pid": pid(0)},
    ("stg_education__degree", "U02", ""): {"pid": pid(0)},
    ("stg_marriage_archive__record", "S01", "husband_birth_date"): {"husband_birth_date": "1931-01-01"},
    ("stg_marriage_archive__record", "S01", "wife_birth_date"): {"wife_birth_date": "1931-01-01"},
    ("stg_marriage_archive__record", "U02", ""): {"archive_no": "1990-0001-000"},
    ("stg_funeral__cremation", "S01", "birth_date"): {"birth_date": "1931-01-01"},
    ("stg_provident_fund__account", "N04", "paid_until"): {"paid_until": "202513"},
    ("stg_provident_fund__account", "U02", ""): {"pid": pid(0)},
    ("stg_power__usage", "U02", ""): {"account_no": "0000000000"},
    ("stg_utilities__usage", "U02", ""): {"account_no": "S000000000"},
    ("stg_transport__vehicle", "U02", ""): {"plate_no": "鲁F00000"},
    ("stg_transport__vehicle", "C03", "owner_pid"): {"owner_pid": None, "owner_uscc": None},
    ("stg_transport__licence", "U02", ""): {"holder_pid": pid(0), "holder_uscc": uscc(0)},
    ("stg_licence_register__licence", "U02", ""): {
        "holder_pid": pid(0),
        "holder_uscc": uscc(0),
        "licence_no": f"111{0:010d}",
    },
    ("stg_agriculture__land_contract", "U02", ""): _about(0) | {"birth_date": born(0)},
    ("stg_agriculture__subsidy", "U02", ""): {"pid": pid(0), "contract_no": f"CB{0:010d}"},
    ("stg_veterans__service_record", "S01", "sex"): {
        "pid": resident_id(901, "19900101"),
        "sex": "2",
        "birth_date": "1990-01-01",
        "enlisted_on": "2008-12-01",
        "discharged_on": "2010-12-01",
    },
    ("stg_veterans__service_record", "S01", "birth_date"): {"birth_date": "1931-01-01"},
    ("stg_veterans__service_record", "A04", ""): {"enlisted_on": "1955-12-01"},
    ("stg_veterans__service_record", "U02", ""): _about(0),
    ("stg_enterprise_registry__enterprise", "U02", "uscc"): {"uscc": uscc(0)},
    ("stg_region_codes__division", "R02", "parent_code"): {"parent_code": "370688000000"},
    ("stg_region_codes__change", "R02", "new_code"): {"new_code": "370688000000"},
    ("stg_police__move", "C03", "to_village_code"): {"move_type": "迁入", "to_village_code": None},
    ("stg_police__move", "C03", "from_village_code"): {
        "move_type": "迁出",
        "to_village_code": None,
        "from_village_code": None,
    },
    ("stg_police__move", "N03", "to_village_code"): {"move_type": "市内", "to_village_code": "370699999999"},
    ("stg_police__move", "N03", "from_village_code"): {
        "move_type": "市内",
        "from_village_code": "370699999999",
    },
    ("stg_civil_affairs__assisted_household", "N01", ""): {"head_pid": "xBT000001"},
    ("stg_health__birth", "N01", ""): {"father_pid": "xBT000001"},
    ("stg_enterprise_registry__enterprise", "N02", ""): {"uscc": "xBT000001"},
}

# What makes a whole row unusable, where that is not the number of its person.
_UNUSABLE: dict[str, Row] = {
    "stg_market_regulation__entity": {"name": None, "uscc": None},
    "stg_market_regulation__officer": {"entity_id": None},
    "stg_market_regulation__change": {"entity_id": None},
    "stg_organisations__social_organisation": {"name": None, "uscc": None},
    "stg_organisations__institution": {"name": None, "uscc": None},
    "stg_taxation__taxpayer": {"name": None, "taxpayer_no": None},
    "stg_taxation__payment": {"period": None},
    "stg_credit__record": {"subject_code": None, "subject_name": None},
    "stg_civil_affairs__assisted_household": {"kind": "Z"},
    "stg_health__birth": {"child_pid": "xBT000001"},
    "stg_marriage_registry__registration": {"wife_pid": "xBT000001"},
    "stg_medical_insurance__settlement": {"settlement_no": None},
    "stg_medical_insurance__facility": {"facility_code": None},
    "stg_rural_revitalisation__monitored_person": {"name": None},
    "stg_education__enrolment": {"enrolment_no": None},
    "stg_education__school": {"school_code": None},
    "stg_marriage_archive__record": {"kind": "Z"},
    "stg_funeral__cremation": {"cremated_on": None},
    "stg_transport__vehicle": {"plate_no": None},
    "stg_transport__licence": {"licence_kind": "Z"},
    "stg_licence_register__licence": {"type_name": None},
    "stg_agriculture__land_contract": {"village_code": "Z"},
    "stg_agriculture__subsidy": {"subsidy_no": None},
    "stg_enterprise_registry__enterprise": {"name": None, "uscc": None},
    "stg_buildings__building": {"building_no": None},
    "stg_emergency__hazard_point": {"code": None},
    "stg_emergency__shelter": {"code": None},
    "stg_emergency__store": {"code": None},
    "stg_emergency__rescue_team": {"code": None},
    "stg_ecology__permit": {"permit_no": None},
    "stg_ecology__reading": {"value": None},
    "stg_real_estate__title": {"address": None},
    "stg_real_estate__mortgage": {"address": None},
    "stg_housing__contract": {"unit_no": None},
    "stg_power__account": {"address": None},
    "stg_power__usage": {"month": None},
    "stg_utilities__account": {"address": None},
    "stg_utilities__usage": {"month": None},
    "stg_region_codes__division": {"level": "Z"},
    "stg_region_codes__change": {"valid_until": "x"},
}

_STRANGER = resident_id(909, "19850505")


def _subject(contract: Contract) -> str:
    columns = [column.name for column in contract.columns]
    return next(it for it in ("head_pid", "mother_pid", "pid") if it in columns)


def _changes(contract: Contract, bound: BoundCheck, good: Row, first: Row) -> Row:
    rule, column = bound.check.attributes.rule_id, bound.column
    special = _SPECIAL.get((contract.model, rule, column))
    if special is not None:
        return special
    if (rule, column) == ("C01", ""):
        return _UNUSABLE.get(contract.model, {"pid": "xBT000001"})
    if rule == "R01":
        return {_subject(contract): _STRANGER}
    if rule == "S03":
        return {"name": "李" + name(5)}
    if rule == "U01":
        return {column: first[column]}
    return {column: _COMMON[rule](column, good[column] or "")}


def planted(contract: Contract, rows: list[Row]) -> Iterator[tuple[int, Fault]]:
    """One fault for each binding of a staging contract, each in a row of its own (from the tenth on).

    A manifest's count (C04) is no row's: it has a test of its own.
    """
    of_rows = [bound for bound in contract.bound() if bound.check.attributes.rule_id != "C04"]
    for position, bound in enumerate(of_rows, start=10):
        changes = _changes(contract, bound, rows[position], rows[0])
        yield position, Fault(bound.check.attributes.rule_id, bound.column, changes)
