-- The key of a home: two writings of one address give one key. Beside 04_std.sql, on whose clean_code it builds.

create or replace function std.home_key(address text) returns uuid
language plpgsql immutable parallel safe as
$$
declare
    -- 3号楼2单元501室, 3栋2单元501 and 3-2-501 are one place; so are 12号 and 12.
    plain text := btrim(regexp_replace(std.clean_code(address), '(?:号楼|[栋幢号室户#-]|单元)+', '-', 'g'), '-');
begin
    if plain !~ '[0-9]' then
        return null;
    end if;
    return md5(upper(plain))::uuid;
end
$$;
comment on function std.home_key(text) is '房屋键：归一后的地址散列；楼栋、单元、室的不同写法视为同一；无门牌号为空';
