{#- The current version of each row of a source table, over the batches that builds have claimed. Body of every staging table. -#}
{% macro current_version(typed) -%}
with typed as (
    select * from {{ typed }}
    {% if is_incremental() -%}
    where _row_key = any({{ touched_keys() }})
    {%- endif %}
),

claimed as (
    select * from {{ source('ops', 'build_batch') }}
),

latest as (
    select distinct on (typed._row_key) typed.*
    from typed
    inner join claimed on typed._batch_id = claimed.batch_id
    order by typed._row_key asc, typed._batch_id desc
)

select * from latest
where _op <> 'D'
{%- endmacro %}
