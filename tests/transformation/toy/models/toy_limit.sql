{{ config(unique_key='name', touched_by='everything') }}
select name, value::int as value from {{ source('raw', 'toy__limit') }}
