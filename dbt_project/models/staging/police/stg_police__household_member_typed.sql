-- Every version of one person in one household that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.member_id) as member_id,
    std.clean_code(logged.household_no) as household_no,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.digits(logged.relation, 2) as relation,
    std.try_date(logged.joined_on) as joined_on,
    std.try_date(logged.left_on) as left_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'police__household_member') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('household_no', logged.household_no, std.clean_code(logged.household_no) is null)
], null) as judged (quarantine_reasons)
