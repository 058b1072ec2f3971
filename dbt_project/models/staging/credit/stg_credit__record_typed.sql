-- Every version of one public record on a person or organisation that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- A key stands in values, which is folded into its reader: the gate's role, which asks for none, may not make one.
select
    std.clean_text(logged.record_no) as record_no,
    std.code_in(logged.subject_kind, '{自然人,企业,个体工商户,农民专业合作社,社会组织,事业单位,机关}') as subject_kind,
    person.pid,
    holder.identifier_key,
    -- A mistyped code names nobody, or somebody else: the name beside it says more.
    coalesce(
        holder.identifier_key::text,
        case when std.uscc_is_valid(coded.uscc) then 'uscc:' || coded.uscc end,
        'registration_no:' || numbered.registration_no,
        'name:' || named.organisation_name,
        'uscc:' || coded.uscc
    ) as subject_identifier,
    coded.uscc,
    numbered.registration_no,
    std.clean_text(logged.subject_name) as subject_name,
    std.code_in(logged.record_kind, '{奖励,处罚,失信名单,修复}') as record_kind,
    std.clean_text(logged.category) as category,
    std.clean_text(logged.authority) as authority,
    std.try_date(logged.decided_on) as decided_on,
    std.try_date_until(logged.valid_until) as valid_until,
    std.try_amount(logged.amount)::numeric(14, 2) as amount,
    std.clean_text(logged.repairs_no) as repairs_no,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'credit__record') }} as logged
-- Whoever has a valid ID number is a person, whatever kind of subject is written.
cross join
    lateral (values (
        std.clean_text(logged.subject_kind) is distinct from '自然人'
        and std.checked_resident_id(logged.subject_code) is null
    )) as organisation (is_one)
cross join lateral std.resident_id(case when not organisation.is_one then logged.subject_code end) as person (pid)
cross join lateral (values (vault.identifier_key(person.pid))) as holder (identifier_key)
cross join lateral std.uscc(case when organisation.is_one then logged.subject_code end) as coded (uscc)
cross join
    lateral std.digits(case when organisation.is_one then logged.subject_code end, 15) as numbered (registration_no)
cross join
    lateral std.clean_text(case when organisation.is_one then logged.subject_name end) as named (organisation_name)
cross join lateral array_remove(array[
    std.quarantine_reason(
        'subject_code', logged.subject_code,
        num_nonnulls(person.pid, coded.uscc, numbered.registration_no, named.organisation_name) = 0
    ),
    std.quarantine_reason(
        'record_kind', logged.record_kind, std.code_in(logged.record_kind, '{奖励,处罚,失信名单,修复}') is null
    ),
    std.quarantine_reason('decided_on', logged.decided_on, std.try_date(logged.decided_on) is null)
], null) as judged (quarantine_reasons)
