{#-
"A day costs a day": a model recomputes only the keys that its parents touched since its own last completed build.
Why and how: docs/decisions/0003-touched-keys.md. Everything for one model happens in one transaction.

    {{ config(
        materialized='incremental', incremental_strategy='touched', unique_key='person_key',
        touched_by={'base_population__person': 'person_key'},
        touches={'person_key': 'person_key', 'township_code': 'township_code'},
        due_keys="select person_key from {{ this }} where {{ fell_due('ends_on') }}"
    ) }}
    … where person.person_key in (select key from {{ touched() }})   -- inside {% if is_incremental() %}

touched_by  parent -> the key name the parent logs, whose values are this model's unique_key. A parent is another touched
            model, or 'source:<raw table>' (rows of the batches claimed since), or '<schema>:<table>' that a step outside
            dbt writes, with state and keys logged under that name. '*' as key name: any change of that parent
            recomputes everything. Or touched_by='everything': always recompute all, write only what differs (small tables).
touches     key name -> SQL expression over this model's columns, logged for the old and the new version of every row that
            really changed. May return a set, e.g. "unnest(array[from_code, to_code])". Default: the unique key. Only what some
            model's touched_by names is logged, or an exposure's (meta.touched_by): a step outside dbt.
due_keys    SQL (rendered at run time, so it may use ref and this) of keys that fall due with time alone, in
            (last_as_of(), as_of()]. If the date goes back, everything is recomputed.
-#}

{#- Condition of due_keys: this day (an expression) has come since the model's own last completed build. -#}
{% macro fell_due(day) -%}
    ({{ day }} > {{ last_as_of() }} and {{ day }} <= {{ as_of() }})
{%- endmacro %}


{#- The date of this build, and that of the model's own last completed one: asked once a query, where a bare call is once a row. -#}
{% macro as_of() -%}
    (select std.as_of())
{%- endmacro %}


{% macro last_as_of() -%}
    (select std.last_as_of('{{ model.name }}'))
{%- endmacro %}


{#- Name of the temporary table with one column, key text: the keys to recompute. -#}
{% macro touched() -%}
    "{{ model.name }}__touched"
{%- endmacro %}


{#- The same keys as an array. Where a view of several branches, or of many laterals, is filtered, `key = any({{ touched_keys() }})`
    reaches its indexes; `in (select …)` is one more join: PostgreSQL reads all of every branch, or worse, once a key. -#}
{% macro touched_keys() -%}
    array(select key from {{ touched() }})
{%- endmacro %}


{#- Pre-hook of every model: gathers the touched keys of an incremental run; makes sure a build is running. -#}
{% macro touched_begin() %}
    {%- if execute and config.get('incremental_strategy') == 'touched' -%}
        {%- if not is_incremental() -%}
            select std.build_id()
        {%- elif config.get('touched_by') == 'everything' -%}
            create temporary table {{ touched() }} (key text) on commit drop;
            select std.build_id()
        {%- else -%}
            {{ _touched_gather() }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{#- Post-hook of every model: remembers the build it completed. A full build makes all its keys touched for its children. -#}
{% macro touched_end() %}
    {%- if execute and config.get('incremental_strategy') == 'touched' -%}
        {%- set is_full = "to_regclass('pg_temp." ~ touched() ~ "') is null" -%}
        insert into ops.model_state (model, build_id, as_of, full_build_id)
        values ('{{ model.name }}', std.build_id(), {{ as_of() }}, std.build_id())
        on conflict (model) do update set
            build_id = excluded.build_id,
            as_of = excluded.as_of,
            full_build_id = case when {{ is_full }} then excluded.full_build_id else model_state.full_build_id end;
        delete from ops.touched_key where model = '{{ model.name }}' and {{ is_full }};
        {% if not is_incremental() -%} analyze {{ this }} {%- endif -%}
    {%- endif -%}
{% endmacro %}


{#- Incremental strategy `touched`: writes and logs only rows that differ, vanished keys included. -#}
{% macro get_incremental_touched_sql(arg_dict) %}
    {%- set target = arg_dict['target_relation'] -%}
    {%- set unique_key = arg_dict['unique_key'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set changed = '"' ~ model.name ~ '__changed"' -%}

    create temporary table {{ changed }} on commit drop as
    with before as (
        select {{ columns }} from {{ target }}
        {% if config.get('touched_by') != 'everything' -%}
        where {{ unique_key }} in (select key from {{ touched() }})
        {%- endif %}
    ),
    after as (select {{ columns }} from {{ arg_dict['temp_relation'] }})
    (table before except all table after) union all (table after except all table before);

    {% for key_name, expression in _touched_logged().items() -%}
    insert into ops.touched_key (model, build_id, key_name, key)
    select '{{ model.name }}', (select std.build_id()), '{{ key_name }}', logged.key
    from (select distinct ({{ expression }})::text as key from {{ changed }}) as logged
    where logged.key is not null
    on conflict do nothing;
    {% endfor %}
    delete from {{ target }} where {{ unique_key }} in (select {{ unique_key }} from {{ changed }});
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
    where {{ unique_key }} in (select {{ unique_key }} from {{ changed }})
{% endmacro %}


{#- The touched keys of this run: the parents' logs, what fell due, and all keys if a log cannot tell (`everything`). -#}
{% macro _touched_gather() %}
    {%- set parents = _touched_parents() -%}
    {%- set due_keys = config.get('due_keys') -%}
    {%- set unique_key = config.get('unique_key') -%}
    {%- set key_column = adapter.get_columns_in_relation(this) | selectattr('name', 'equalto', unique_key) | first -%}
    {#- Of the key's own type and with statistics: else PostgreSQL takes half of every table for touched, and reads all. -#}
    create temporary table {{ touched() }} on commit drop as
    with mine as (select build_id, as_of from ops.model_state where model = '{{ model.name }}'),
    {%- if due_keys %}
    due (key) as ({{ render(due_keys) }}),
    {%- endif %}
    state as materialized (
        select
            coalesce((select build_id from mine), -1) as build_id,
            not exists (select from mine)
            {%- if due_keys %}
            or {{ as_of() }} < (select as_of from mine)
            {%- endif %}
            or exists (
                select from ops.model_state as parent
                where parent.model = any('{ {{- parents | map(attribute='name') | join(',') -}} }')
                    and parent.full_build_id > (select build_id from mine)
            )
            {%- for parent in parents if parent.key_name == '*' %}
            or exists (
                select from ops.touched_key
                where model = '{{ parent.name }}' and key_name = '*' and build_id > (select build_id from mine)
            )
            {%- endfor %}
            as everything
    ),
    {%- for parent in parents %}
    parent_{{ loop.index }} as (
        {%- if parent.is_source %}
        select logged._row_key::text as key
        from ops.build_batch as claimed
        inner join {{ parent.relation }} as logged on claimed.batch_id = logged._batch_id
        where claimed.build_id > (select build_id from state)
        {%- elif parent.key_name == '*' %}
        select null::text as key where false
        {%- else %}
        select key from ops.touched_key
        where model = '{{ parent.name }}' and key_name = '{{ parent.key_name }}'
            and build_id > (select build_id from state)
        union all
        select ({{ parent.expression }})::text as key from {{ parent.relation }}
        where (select everything from state)
        {%- endif %}
    ),
    {%- endfor %}
    own as (select {{ unique_key }}::text as key from {{ this }} where (select everything from state)),
    gathered as (
        select key from own where key is not null
        {%- for parent in parents %}
        union
        select key from parent_{{ loop.index }} where key is not null
        {%- endfor %}
        {%- if due_keys %}
        union
        select key::text from due where key is not null
        {%- endif %}
    )
    select key::{{ key_column.data_type }} as key from gathered;
    analyze {{ touched() }};
    select std.build_id()
{% endmacro %}


{#- The key names of this model that other models wait for, with their expressions. '*' is one key that stands for all. -#}
{% macro _touched_logged() %}
    {%- set unique_key = config.get('unique_key') -%}
    {%- set touches = config.get('touches') or {unique_key: unique_key} -%}
    {%- set logged = {} -%}
    {%- set waiting = [] -%}
    {%- for node in graph.nodes.values() if node.config.get('touched_by') is mapping -%}
        {%- do waiting.append(node.config.get('touched_by')) -%}
    {%- endfor -%}
    {%- for exposure in graph.exposures.values() -%}
        {%- do waiting.append((exposure.config.meta or exposure.meta).get('touched_by', {})) -%}
    {%- endfor -%}
    {%- for touched_by in waiting -%}
        {%- set key_name = touched_by.get(model.name) -%}
        {%- if key_name -%}
            {%- do logged.update({key_name: touches.get(key_name, "'*'")}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(logged) }}
{% endmacro %}


{#- What touched_by names, looked up in the project: name, key_name, relation, expression, is_source. -#}
{% macro _touched_parents() %}
    {%- set parents = [] -%}
    {%- for parent_name, key_name in (config.get('touched_by') or {}).items() -%}
        {%- if parent_name.startswith('source:') -%}
            {%- do parents.append({
                'name': parent_name, 'key_name': key_name, 'is_source': true, 'relation': source('raw', parent_name[7:])
            }) -%}
        {%- elif ':' in parent_name -%}
            {%- do parents.append({
                'name': parent_name, 'key_name': key_name, 'is_source': false,
                'relation': source(*parent_name.split(':')), 'expression': key_name
            }) -%}
        {%- else -%}
            {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ parent_name) -%}
            {%- if not node or node.config.get('incremental_strategy') != 'touched' -%}
                {%- do exceptions.raise_compiler_error(
                    model.name ~ ': touched_by names ' ~ parent_name ~ ', which is not a touched model.'
                ) -%}
            {%- endif -%}
            {%- set unique_key = node.config.get('unique_key') -%}
            {%- set touches = node.config.get('touches') or {unique_key: unique_key} -%}
            {%- if key_name != '*' and key_name not in touches -%}
                {%- do exceptions.raise_compiler_error(
                    model.name ~ ': ' ~ parent_name ~ ' does not log the key ' ~ key_name ~ '; add it to its touches.'
                ) -%}
            {%- endif -%}
            {%- do parents.append({
                'name': parent_name, 'key_name': key_name, 'is_source': false, 'relation': node.relation_name,
                'expression': touches.get(key_name)
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(parents) }}
{% endmacro %}
