{#- A layer's schema is named exactly as its folder: no target prefix, as each city has a warehouse of its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}
