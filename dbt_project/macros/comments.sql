{#-
The dictionary's entry as the comment of each relation and column: label and description, classification, source department
(docs/dictionary.md; the same words as transformation/dictionary.py). One statement a relation, instead of dbt's three and two
look-ups. A touched table that stays keeps its comments: a new description is a changed project, which is built in full.
-#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if not (config.get('incremental_strategy') == 'touched' and is_incremental()) -%}
        {%- call statement('comments') -%}
            comment on {{ relation.type }} {{ relation }} is {{ _dictionary_comment(model.description, model.config.meta) }};
            {% for column in model.columns.values() -%}
            comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ _dictionary_comment(column.description, column.meta) }};
            {% endfor %}
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}


{% macro _dictionary_comment(description, meta) -%}
    {%- set classifications = {'public': '公开', 'internal': '内部', 'sensitive': '敏感', 'highly_sensitive': '高度敏感'} -%}
    {%- set parts = [description | trim] -%}
    {%- if meta.get('classification') %}{% do parts.append('分级：' ~ classifications[meta['classification']]) %}{% endif -%}
    {%- if meta.get('department') %}{% do parts.append('数源部门：' ~ meta['department']) %}{% endif -%}
    {{ postgres_escape_comment(parts | join('｜')) }}
{%- endmacro %}
