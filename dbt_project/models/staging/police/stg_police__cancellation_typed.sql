-- Every version of one cancelled registration that was ever landed, typed and judged.
{{ config(materialized='view') }}

-- No CTE here: PostgreSQL plans a view that has one apart from the query around it, and a day would cost a city.
-- What stands in lateral is computed once a row, not again wherever it is used.
select
    std.try_bigint(logged.cancellation_id) as cancellation_id,
    person.pid,
    vault.identifier_key(person.pid) as identifier_key,
    std.clean_name(logged.name) as name,
    std.code_in(logged.reason, '{死亡,迁出}') as reason,
    std.try_date(logged.cancelled_on) as cancelled_on,
    std.try_timestamp(logged.updated_at) as updated_at,
    judged.quarantine_reasons,
    cardinality(judged.quarantine_reasons) = 0 as is_usable,
    logged._row_key,
    logged._op,
    logged._batch_id,
    logged._loaded_on
from {{ source('raw', 'police__cancellation') }} as logged
cross join lateral std.resident_id(logged.pid) as person (pid)
cross join lateral array_remove(array[
    std.quarantine_reason('pid', logged.pid, person.pid is null),
    std.quarantine_reason('reason', logged.reason, std.code_in(logged.reason, '{死亡,迁出}') is null),
    std.quarantine_reason('cancelled_on', logged.cancelled_on, std.try_date(logged.cancelled_on) is null)
], null) as judged (quarantine_reasons)
