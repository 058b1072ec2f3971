{#-
The best candidate of an attribute without sorting: the smallest array [rank of the source, doubt, age, value, source, day].
Reads columns <attribute>_rank (two digits), recency (reversed time, so that the newest is smallest), source and observed_on.
The result is unpacked by golden_columns. Docs: docs/golden_values.md.

attribute  a column of the observations; a null is no candidate
doubt      SQL text: '0', or '1' where the value contradicts something known better; doubtful ones come after the others of their rank
-#}
{% macro golden(attribute, doubt="'0'") -%}
    min(array[{{ attribute }}_rank, {{ doubt }}, recency, {{ attribute }}::text, source, observed_on::text])
    filter (where {{ attribute }} is not null) as {{ attribute }}_best
{%- endmacro %}

{#- The three columns of a golden value: itself, the system that said it, and the day it said so. -#}
{% macro golden_columns(attribute, type='text') -%}
    cast({{ attribute }}_best[4] as {{ type }}) as {{ attribute }},
    split_part({{ attribute }}_best[5], '.', 1) as {{ attribute }}_source,
    cast({{ attribute }}_best[6] as date) as {{ attribute }}_on
{%- endmacro %}

{#- Newest first as text of eleven digits (ten would cut times before 1970): seconds until a far day; no time comes last. -#}
{% macro recency(time) -%}
    coalesce(lpad((9999999999 - extract(epoch from {{ time }}))::bigint::text, 11, '0'), '99999999999')
{%- endmacro %}
