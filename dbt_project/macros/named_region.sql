{#- The longest code of the region that an address names, by the names of int_region_named: "蓬莱市小门家公社…" is the township that
stands there now; an address that names none has none. A scalar subquery. -#}
{% macro named_region(address) -%}
(
        select named.region_code
        from {{ ref('int_region_named') }} as named,
            regexp_match(
                {{ address }}, '^(?:[^省]{2,8}省)?([^市区县镇乡街社]{1,10}[市区县])*(?:([^镇乡]{1,8}?)(?:街道办事处|街道|镇|乡|公社))?'
            ) as part
        where named.place = any(array[part[1] || part[2], part[1], case when part[1] is null then '·' || part[2] end])
        order by length(named.region_code) desc, named.region_code asc
        limit 1
    )
{%- endmacro %}
