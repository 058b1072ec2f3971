{#-
Tags of people (docs/tags.md). A tag is a column of a model theme_profile__<group>; its definition is that column's own
YAML entry, there is no second list:

    - name: is_minor
      data_type: boolean
      description: "未成年人（未满18周岁）：alive and younger than 18"
      config: {meta: {classification: sensitive, department: 市公安局, period: 当日, rule: "is_alive and age < 18"}}

rule     SQL over the columns of the group's CTE `subject`, which is materialized: else PostgreSQL would work out age and the like
         again for every tag. A boolean tag is never NULL: what is not known to be so is false.
period   what time it speaks of; 近12个月 is this calendar month and the eleven before it.

A rule may depend on age and on what changes with the calendar month: for these tags_due() recomputes. What changes on
other days must be stated by a fact that falls due itself (status = 'valid', is_in_force).
-#}

{#- The tags of this model as columns, in the order of the YAML. -#}
{% macro tags(subject) -%}
    {{ subject }}.person_key
    {%- if execute %}
    {%- for tag in _tags_of(model) %},
    {% if tag.data_type == 'boolean' -%} coalesce({{ tag.meta.rule }}, false)
    {%- else -%} cast({{ tag.meta.rule }} as {{ tag.data_type }})
    {%- endif %} as {{ tag.name }}
    {%- endfor %}
    {%- endif %}
{%- endmacro %}


{#- What the rules of every group may use, of CTEs person and build. -#}
{% macro tag_basics() -%}
    person.person_key,
        person.is_resident,
        person.died_on is null and cardinality(person.death_sources) = 0 as is_alive,
        cast(extract(year from age(build.as_of, person.birth_date)) as integer) as age,
        cast(extract(year from build.as_of) as integer) as this_year,
        cast(date_trunc('month', build.as_of) as date) as month_start,
        cast(date_trunc('month', build.as_of) - interval '11 months' as date) as window_start
{%- endmacro %}


{#- Import filter of a parent with a person_key, on an incremental run. -#}
{% macro of_touched_people() -%}
    {%- if is_incremental() -%} person_key in (select key from {{ touched() }}) {%- else -%} true {%- endif -%}
{%- endmacro %}


{#- due_keys of every group: who has had a birthday since the last build; everybody at the turn of a month. -#}
{% macro tags_due() -%}
{{ _had_birthday('person_key') }}
        union all
        select person_key from {{ this }}
        where date_trunc('month', {{ last_as_of() }}) <> date_trunc('month', {{ as_of() }})
{%- endmacro %}


{#- Whose tags depend on others: members of households that changed or where one had a birthday, and kin of such people. -#}
{% macro family_due() -%}
select person_key from {{ ref('base_population__person') }}
        where household_no in (
            {{ touched_since(['base_population__person'], 'household_no') }}
            union all
            {{ _had_birthday('household_no') }}
        )
        union all
        select person_key from {{ ref('base_population__kinship') }}
        where relative_key in (
            select keys.key::uuid from ({{ touched_since(['base_population__person'], 'person_key') }}) as keys
            union all
            {{ _had_birthday('person_key') }}
        )
{%- endmacro %}


{#- The registry: one row a tag of any group, from the graph; each with the columns of theme_profile__tag but the date. -#}
{% macro tag_registry() -%}
    {%- set rows = [] -%}
    {%- for node in (graph.nodes.values() if execute else []) | sort(attribute='name') -%}
        {%- if node.resource_type == 'model' and node.columns.values() | selectattr('meta.rule', 'defined') | list -%}
            {%- for tag in _tags_of(node) -%}
                {%- set label, description = (tag.description | trim).split('：', 1) -%}
                {%- do rows.append([
                    tag.name, label, description, node.name.split('__')[1], node.schema ~ '.' ~ node.name, tag.data_type,
                    tag.meta.department, tag.meta.classification, tag.meta.rule, tag.meta.period
                ]) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor %}
    {%- for row in rows or [[''] * 10] %}
    {{ 'values' if loop.first else ',' }} ({% for value in row -%}
        '{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}
    {%- endfor %})
    {%- endfor %}
{%- endmacro %}


{#- A column of the people who have had a birthday since the last build. Of each year of birth the index gives those few days,
    both ends with it for 29 February and births yet to come; age says who of them has really turned. -#}
{% macro _had_birthday(column) -%}
{%- set person = ref('base_population__person') -%}
select born.{{ column }}
        from generate_series(
            cast(extract(year from {{ last_as_of() }}) - (select extract(year from max(birth_date)) from {{ person }}) as integer),
            cast(extract(year from {{ as_of() }}) - (select extract(year from min(birth_date)) from {{ person }}) as integer)
        ) as ago (years)
        inner join {{ person }} as born
            on born.birth_date between {{ last_as_of() }} - make_interval(years => ago.years)
            and {{ as_of() }} - make_interval(years => ago.years)
        where extract(year from age({{ last_as_of() }}, born.birth_date)) <> extract(year from age({{ as_of() }}, born.birth_date))
{%- endmacro %}


{#- The tags of a model: its columns but the key, each found complete. -#}
{% macro _tags_of(node) -%}
    {%- set tags = [] -%}
    {%- for column in node.columns.values() if column.name != 'person_key' -%}
        {%- set where = node.name ~ '.' ~ column.name -%}
        {%- for needed in ['rule', 'period', 'department', 'classification'] if not column.meta.get(needed) -%}
            {%- do exceptions.raise_compiler_error('The tag ' ~ where ~ ' has no ' ~ needed ~ ' in its meta.') -%}
        {%- endfor -%}
        {%- if column.meta.period not in ['当日', '本年', '上年', '近12个月', '历史'] -%}
            {%- do exceptions.raise_compiler_error(
                'The tag ' ~ where ~ ' has the period ' ~ column.meta.period ~ '; it is 当日, 本年, 上年, 近12个月 or 历史.'
            ) -%}
        {%- endif -%}
        {%- if column.data_type not in ['boolean', 'integer', 'text', 'date'] -%}
            {%- do exceptions.raise_compiler_error(
                'The tag ' ~ where ~ ' has the type ' ~ column.data_type ~ '; it is boolean, integer, text or date.'
            ) -%}
        {%- endif -%}
        {%- do tags.append(column) -%}
    {%- endfor -%}
    {{ return(tags) }}
{%- endmacro %}
