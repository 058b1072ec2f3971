{#-
What each row of a source table says of a numbered person, blank where it says nothing: one branch of int_person_observed.

table        the staging table
source       its name in base_source_precedence, <source>.<table>
role         prefix of the person's columns where a row names several people: husband_, mother_ …
observed_at  when the source said so, if the table knows
says         attribute of the golden record -> SQL expression over the table's columns
is_numbered  true where the table also holds rows without a number, which linkage reads instead
-#}
{% macro observed(table, source, role='', observed_at='cast(null as timestamp)', says={}, is_numbered=false) -%}
select
    {{ role }}identifier_key as identifier_key,
    {{ role }}pid as pid,
    '{{ source }}' as source,
    {{ observed_at }} as observed_at,
    {%- for attribute in [
        'name', 'sex', 'birth_date', 'nation', 'hukou_type', 'village_code', 'household_no', 'relation', 'phone', 'died_on'
    ] %}
    cast({{ says.get(attribute, 'null') }} as {{ 'date' if attribute in ('birth_date', 'died_on') else 'text' }}) as {{ attribute }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
from {{ table }}
where is_usable and {{ role }}identifier_key is not null {%- if is_numbered %} and {{ role }}has_number {%- endif %}
{%- endmacro %}
