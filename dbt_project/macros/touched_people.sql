{#- For due_keys of models whose key is a person: parents log identifiers, and a relative's change changes both ends. -#}

{#- The keys a parent logged under a name since this model's own last completed build. -#}
{% macro touched_since(parents, key_name) -%}
select logged.key from ops.touched_key as logged
        where logged.model = any('{ {{- parents | join(',') -}} }') and logged.key_name = '{{ key_name }}'
            and logged.build_id > coalesce(
                (select mine.build_id from ops.model_state as mine where mine.model = '{{ model.name }}'), -1
            )
{%- endmacro %}

{#- The people whose identifiers these parents touched. They stand in touched_by too, so that the keys are logged and kept. -#}
{% macro touched_people(parents) -%}
select identity.person_key from {{ ref('base_population__identity') }} as identity
    where identity.identifier_key in (select keys.key::uuid from ({{ touched_since(parents, 'identifier_key') }}) as keys)
{%- endmacro %}

{#- The identifiers of the people whom these parents touched by person_key, for models whose key is an identifier. -#}
{% macro identifiers_of(parents) -%}
select identity.identifier_key from {{ ref('base_population__identity') }} as identity
    where identity.person_key in (select keys.key::uuid from ({{ touched_since(parents, 'person_key') }}) as keys)
{%- endmacro %}
