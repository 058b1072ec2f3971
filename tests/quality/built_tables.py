"""Small clean tables of the built layers, and for each rule bound to them a fault in SQL."""

from __future__ import annotations

PERSON_1, PERSON_2 = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
PID_1, PID_2 = "11010519491231002X", "440524188001010014"  # the vectors of GB 11643

TABLES = f"""
create table base.base_region__division (region_code text, name text, level text, parent_code text,
    valid_until date, successor_code text, valid_from date);
insert into base.base_region__division values
    ('370600000000', '烟台市', 'city', null, null, null),
    ('370602000000', '芝罘区', 'district', '370600000000', null, null),
    ('370602001000', '向阳街道', 'township', '370602000000', null, null),
    ('370602001001', '一村', 'village', '370602001000', null, null),
    ('370602001009', '旧村', 'village', '370602001000', '2020-12-31', '370602001001');
create table base.base_population__person (person_key uuid, pid text, name text, sex text, birth_date date,
    hukou_type text, township_code text, died_on date, conflicts text[], household_no text,
    is_resident boolean);
insert into base.base_population__person values
    ('{PERSON_1}', '{PID_1}', '王一', '2', '1949-12-31', '1', '370602001', null, '{{}}', 'H1', true),
    ('{PERSON_2}', '{PID_2}', '王二', '1', '1880-01-01', '1', '370602001', '1950-01-01', '{{}}', 'H1', false);
create table base.base_population__household (household_no text, village_code text, township_code text,
    head_count int);
insert into base.base_population__household values ('H1', '370602001001', '370602001', 1);
create table base.base_population__residence (person_key uuid, residence_no int, village_code text,
    township_code text, from_date date, to_date date);
insert into base.base_population__residence values
    ('{PERSON_1}', 0, '370602001001', '370602001', null, '2020-01-01'),
    ('{PERSON_1}', 1, '370602001001', '370602001', '2020-01-01', null);
create table base.base_legal_person__organisation (organisation_key text, uscc text, uscc_is_valid boolean,
    name text, district_code text, established_on date, capital_yuan numeric);
insert into base.base_legal_person__organisation values
    ('91350100M000100Y43', '91350100M000100Y43', true, '一厂', '370602', '2000-01-01', 500000);
create table base.base_geography__building (village_code text, lon numeric, lat numeric);
insert into base.base_geography__building
select '370602001001', 121.4 + number * 0.001, 37.5 - number * 0.001 from generate_series(1, 20) as number;
create table base.base_geography__place (place_key text, region_code text, township_code text,
    lon numeric, lat numeric);
insert into base.base_geography__place values
    ('shelter:1', '370602', null, 121.44, 37.5), ('shelter:2', '370602001', '370602001', 121.41, 37.49),
    ('store:1', null, null, 0, 0);
create table theme.theme_civil_affairs__payment (township_month text, subsidy_kind text, amount numeric,
    is_repeat boolean);
insert into theme.theme_civil_affairs__payment values ('370602001-202501', '高龄津贴', 300, false);
create table theme.theme_civil_affairs__township_month (township_month text, township_code text,
    subsidy_kind text, amount numeric);
insert into theme.theme_civil_affairs__township_month values
    ('370602001-202501', '370602001', '高龄津贴', 300);
create table theme.theme_profile__person (person_key uuid);
insert into theme.theme_profile__person values ('{PERSON_1}');
create table special.special_veterans__condition (person_key uuid, condition_code text, verdict text,
    evidence text, holder_to_ask text);
insert into special.special_veterans__condition
select '{PERSON_1}', code, 'met', '依据', null from unnest(array['age_60', 'rural_hukou', 'enlistment_time',
    'no_employee_pension', 'no_regular_benefit', 'alive']) as code;
create table special.special_veterans__subsidy (person_key uuid, verdict text, township_code text);
insert into special.special_veterans__subsidy values ('{PERSON_1}', 'met', '370602001');
create table special.special_veterans__stop_list (person_key uuid, award_no text, stop_on date, reason text,
    township_code text);
insert into special.special_veterans__stop_list values
    ('{PERSON_1}', 'A1', '2025-01-01', '死亡', '370602001');
create table "return".return_resident_roster (consumer_code text, person_key uuid, name text, pid_masked text,
    sex text, birth_date date, village_name text, hukou_type text);
insert into "return".return_resident_roster values
    ('370602001', '{PERSON_1}', '王一', '110105************', '2', '1949-12-31', '一村', '1');
create table "return".return_veteran_subsidy (consumer_code text, person_key uuid, name text, pid_masked text,
    verdict text, missing_holders text);
insert into "return".return_veteran_subsidy values
    ('370602001', '{PERSON_1}', '王一', '110105************', 'met', ''),
    ('370602', '{PERSON_1}', '王一', '110105************', 'met', '');
"""  # noqa: S608 - SQL of this file, no input


def _set(column: str, value: str) -> str:
    return f"update {{table}} set {column} = {value}"  # noqa: S608 - SQL of this file, no input


_AGAIN = "insert into {table} table {table}"
_ODD = {
    ("N02", "sex"): "'Z'",
    ("N02", "verdict"): "'perhaps'",
    ("N02", "condition_code"): "'tall'",
    ("N02", "region_code"): "'3706'",
    ("N02", "consumer_code"): "'37'",
    ("N05", "name"): "'王1'",
    ("S01", "sex"): "case sex when '1' then '2' else '1' end",
    ("S01", "birth_date"): "birth_date + 1",
    ("A06", "birth_date"): "'2026-01-16'",
    ("A06", "established_on"): "'2026-01-16'",
    ("A06", "stop_on"): "'2026-01-16'",
    ("A01", "pid"): "'110105194912310021'",
    ("A04", "died_on"): "'1800-01-01'",
    ("A05", "capital_yuan"): "0",
    ("A05", "amount"): "-1",
    ("S05", "amount"): "301",
    ("S05", "verdict"): "'not_met'",
    ("N03", "township_code"): "'370699999'",
    ("N03", "district_code"): "'370699'",
    ("S03", "conflicts"): "'{{name}}'",
    ("R01", "household_no"): "'H9'",
    ("R01", "successor_code"): "'370699999999'",
    ("R03", "head_count"): "0",
    ("R01", "person_key"): "gen_random_uuid()",
    ("R02", "parent_code"): "'370699000000'",
    ("A03", "uscc"): "uscc, uscc_is_valid = false",
    ("N01", "pid_masked"): "'110105194912310021'",
    ("C03", "holder_to_ask"): "null, verdict = 'unknown'",
    ("C03", "missing_holders"): "'', verdict = 'unknown'",
    ("A04", "to_date"): "'2019-01-01'",
    ("U02", "pid"): f"'{PID_1}'",
}


def statement(table: str, rule: str, column: str) -> str:
    """SQL that plants the fault a rule of a table must find; `{table}` stands for the table."""
    if (rule, column) == ("C06", ""):
        return "insert into {table} values ('370602002000', '无人街道', 'township', '370602000000')"
    if (table, rule, column) == ("base.base_population__residence", "U01", ""):
        # A key with a blank part repeats as any other.
        return _AGAIN + "; " + _set("residence_no", "null")
    if (rule, column) == ("U04", ""):
        return _set("to_date", "'2021-01-01'") + " where residence_no = 0"
    if rule in ("U01", "U02") and (rule, column) not in _ODD:
        return _AGAIN
    if rule == "A08":
        return _set("lon", "121.6") + " where place_key = 'shelter:1'"
    if rule == "C01":
        return _set(column, "null")
    return _set(column, _ODD[rule, column])
