{{ config(
    unique_key='_row_key',
    touched_by={'source:toy__person': '_row_key'},
    touches={'person_id': 'person_id', 'town': 'town'},
    indexes=[{'columns': ['_row_key'], 'unique': true}, {'columns': ['person_id']}, {'columns': ['town']}]
) }}
with versions as (
    select logged.*
    from {{ source('raw', 'toy__person') }} as logged
    inner join {{ source('ops', 'build_batch') }} as claimed on logged._batch_id = claimed.batch_id
    {% if is_incremental() %}
    where logged._row_key in (select key from {{ touched() }})
    {% endif %}
),

latest as (
    select distinct on (_row_key) * from versions
    order by _row_key asc, _batch_id desc
)

select person_id::int as person_id, name, town, born_on::date as born_on, _row_key, _batch_id
from latest
where _op <> 'D'
