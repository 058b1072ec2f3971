-- Standardisation of text, identifiers, dates, amounts and codes: one function each, so that no model repeats the logic.
-- Invalid input never raises: it gives null, and the staging models say why. Nothing here depends on today's date.
-- Written for speed on the common case (half-width, well-formed), as every staging row passes through. plpgsql where SQL could
-- not be inlined, since a prepared expression is then cheaper than a query. A pattern with a bounded repetition ({17}) costs four
-- times one without, so lengths are asked apart. Tested against python-stdnum: tests/staging.

-- Text ------------------------------------------------------------------------------------------------------------------

create or replace function std.clean_text(value text) returns text
language sql immutable parallel safe as
$$
    select nullif(
        case when value ~ '[^!-~一-鿿]' then
            btrim(regexp_replace(
                translate(
                    value,
                    '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～'
                    || U&'\3000\00A0\2002\2003\2009\200B\200C\200D\200E\200F\2060\FEFF\00AD',
                    '!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~     '
                ),
                '\s+', ' ', 'g'
            ))
        else value end,
        ''
    )
$$;
comment on function std.clean_text(text) is '文本清洗：全角转半角，去零宽字符，合并空白，空串视为缺失';

create or replace function std.clean_code(value text) returns text
language sql immutable parallel safe as
$$
    select case when value ~ '[^!-~]' then nullif(replace(std.clean_text(value), ' ', ''), '') else nullif(value, '') end
$$;
comment on function std.clean_code(text) is '代码清洗：文本清洗并去除全部空白';

create or replace function std.clean_name(value text) returns text
language sql immutable parallel safe as
$$
    select case when value ~ '[^一-鿿]' then
        translate(
            case when value ~ '[A-Za-zＡ-Ｚａ-ｚ]' then std.clean_text(value) else replace(std.clean_text(value), ' ', '') end,
            '.•・‧∙', '·····'
        )
    else nullif(value, '') end
$$;
comment on function std.clean_name(text) is '姓名清洗：去空白，统一间隔号；含拉丁字母的姓名保留单词间空格';

create or replace function std.is_blank(value text) returns boolean
language sql immutable parallel safe as
$$
    select case
        when ascii(value) between 33 and 126 or ascii(value) between 19968 and 40959 then false
        else coalesce(btrim(value, U&' \0009\000A\000B\000C\000D\00A0\00AD\2002\2003\2009\200B\200C\200D\200E\200F\2060\3000\FEFF'), '') = ''
    end
$$;
comment on function std.is_blank(text) is '是否为空：无值，或仅有空白（含全角、零宽空白）';

create or replace function std.code_in(value text, allowed text[]) returns text
language sql immutable parallel safe as
$$
    select case
        when value = any(allowed) then value
        when std.clean_code(value) = any(allowed) then std.clean_code(value)
    end
$$;
comment on function std.code_in(text, text[]) is '代码取值：不在允许范围内视为缺失';

create or replace function std.digits(value text, length int) returns text
language sql immutable parallel safe as
$$
    select case
        when value ~ '^[0-9]+$' then case when octet_length(value) = length then value end
        when std.clean_code(value) ~ '^[0-9]+$' and char_length(std.clean_code(value)) = length then std.clean_code(value)
    end
$$;
comment on function std.digits(text, int) is '定长数字代码：位数或字符不符视为缺失';

-- Dates and numbers -----------------------------------------------------------------------------------------------------

create or replace function std.date_of(year int, month int, day int) returns date
language sql immutable parallel safe as
$$
    select case
        when year between 1000 and 9999 and month between 1 and 12 and day between 1 and
            case
                when month in (4, 6, 9, 11) then 30
                when month <> 2 then 31
                when year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then 29
                else 28
            end
        then make_date(year, month, day)
    end
$$;
comment on function std.date_of(int, int, int) is '由年月日得日期，不存在的日期为空';

create or replace function std.date_in_words(value text) returns date
language plpgsql immutable strict parallel safe as
$$
declare
    cleaned text := std.clean_text(value);
    parts text[];
begin
    if cleaned is null then
        return null;
    end if;
    -- A spreadsheet's date may come with a time of day, which says nothing here.
    cleaned := replace(regexp_replace(cleaned, '[ T][0-9]{1,2}:[0-9:.]*$', ''), ' ', '');
    parts := coalesce(
        regexp_match(cleaned, '^([0-9]{4})([0-9]{2})([0-9]{2})$'),
        regexp_match(cleaned, '^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$'),
        -- A month without a day is its first day.
        regexp_match(cleaned || '1', '^([0-9]{4})[-/.年]([0-9]{1,2})月?(1)$')
    );
    return std.date_of(parts[1]::int, parts[2]::int, parts[3]::int);
end
$$;
comment on function std.date_in_words(text) is '日期的各种写法，见 try_date；不合法为空';

-- The pattern lets through every day that there is but 29 February, so that nothing is left to ask of it.
create or replace function std.try_date(value text) returns date
language sql immutable parallel safe as
$$
    select case
        when value is null then null
        when value like '____-__-__' and value
            ~ '^[1-9][0-9]*-((0[1-9]|1[0-2])-([01][1-9]|[12]0|2[1-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$'
            then make_date(left(value, 4)::int, substr(value, 6, 2)::int, right(value, 2)::int)
        else std.date_in_words(value)
    end
$$;
comment on function std.try_date(text) is '日期：YYYY-MM-DD、YYYYMMDD、YYYY/M/D、YYYY年M月D日、YYYY.MM（取月初）；不合法为空';

create or replace function std.try_date_until(value text) returns date
language sql immutable parallel safe as
$$
    select case when std.clean_code(value) ~ '^[0-9]{4}[-/.年][0-9]{1,2}月?$'
        then (std.try_date(value) + interval '1 month' - interval '1 day')::date
        else std.try_date(value)
    end
$$;
comment on function std.try_date_until(text) is '截止日期：同 try_date，但仅有年月时取月末';

create or replace function std.month_code(value text) returns text
language sql immutable parallel safe as
$$
    select case when std.clean_code(value) ~ '^[12][0-9]{3}-?(0[1-9]|1[0-2])$'
        then replace(std.clean_code(value), '-', '')
    end
$$;
comment on function std.month_code(text) is '月份：YYYYMM；不合法为空';

create or replace function std.year_code(value text) returns text
language sql immutable parallel safe as
$$ select case when std.clean_code(value) ~ '^(19|20)[0-9]{2}$' then std.clean_code(value) end $$;
comment on function std.year_code(text) is '年份：1900 至 2099 年；不合法为空';

create or replace function std.try_timestamp(value text) returns timestamp
language plpgsql immutable parallel safe as
$$
begin
    if value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$' then
        return std.try_date(left(value, 10)) + substr(value, 12)::time;
    end if;
    return std.try_date(value);
end
$$;
comment on function std.try_timestamp(text) is '时间戳：日期或“日期 时:分:秒”；不合法为空';

create or replace function std.try_bigint(value text) returns bigint
language sql immutable parallel safe as
$$ select case when value ~ '^[0-9]{1,18}$' then value::bigint end $$;
comment on function std.try_bigint(text) is '非负整数；不合法为空';

create or replace function std.try_numeric(value text) returns numeric
language plpgsql immutable parallel safe as
$$
declare
    cleaned text := value;
begin
    if octet_length(cleaned) <= 20 and cleaned ~ '^[0-9]+(\.[0-9]+)?$' then
        return cleaned::numeric;
    end if;
    cleaned := std.clean_code(value);
    if cleaned ~ '^[+-]?[0-9]{1,3}(,[0-9]{3}){1,9}(\.[0-9]{1,20})?$' then
        cleaned := replace(cleaned, ',', '');
    end if;
    if cleaned ~ '^[+-]?[0-9]{1,30}(\.[0-9]{1,20})?([Ee][+-]?[0-9]{1,2})?$' then
        return cleaned::numeric;
    end if;
    return null;
end
$$;
comment on function std.try_numeric(text) is '数值：允许千分位与科学计数；不合法为空';

create or replace function std.try_amount(value text) returns numeric
language plpgsql immutable parallel safe as
$$
declare
    amount numeric;
begin
    if octet_length(value) <= 12 and value ~ '^[0-9]+(\.[0-9]+)?$' then
        return round(value::numeric, 2);
    end if;
    amount := round(std.try_numeric(value), 2);
    return case when abs(amount) < 1e12 then amount end;
end
$$;
comment on function std.try_amount(text) is '金额（元，两位小数）：可安全转换为 numeric(14,2)；不合法为空';

create or replace function std.try_decimal(value text, digits int, places int) returns numeric
language plpgsql immutable parallel safe as
$$
declare
    number numeric := round(std.try_numeric(value), places);
begin
    return case when abs(number) < 10::numeric ^ (digits - places) then number end;
end
$$;
comment on function std.try_decimal(text, int, int) is '小数：可安全转换为 numeric(digits, places)；不合法或超出为空';

-- Capital of an enterprise: "5068.8万人民币", "1,000(万美元)", "50万元" ---------------------------------------------------

create or replace function std.capital_currency(value text) returns text
language sql immutable parallel safe as
$$
    select case
        when value !~ '[0-9０-９]' then null
        when value ~ '人民币' then 'CNY'
        when value ~ '美元' then 'USD'
        when value ~ '日元' then 'JPY'
        when value ~ '欧元' then 'EUR'
        when value ~ '港元|港币' then 'HKD'
        -- No currency is named: yuan, if nothing stands there but a number and its unit.
        when value ~ '^[0-9０-９.,()（）Ee+万亿元圆 -]+$' then 'CNY'
    end
$$;
comment on function std.capital_currency(text) is '注册资金币种（GB/T 12406）：未写币种视为人民币，不认识的为空';

create or replace function std.capital_amount(value text) returns numeric
language plpgsql immutable parallel safe as
$$
declare
    parts text[];
    scale numeric;
begin
    parts := regexp_match(
        std.clean_code(value),
        '^([0-9][0-9,.]*(?:[Ee][+-]?[0-9]{1,2})?)\(?([万亿]?)(?:元|圆)?(?:人民币|美元|日元|欧元|港元|港币)?元?\)?$'
    );
    if parts is null then
        return null;
    end if;
    scale := case parts[2] when '万' then 10000 when '亿' then 100000000 else 1 end;
    return std.try_amount((std.try_numeric(parts[1]) * scale)::text);
end
$$;
comment on function std.capital_amount(text) is '注册资金数额，以其币种的基本单位计（“万”已换算）；不合法为空';

create or replace function std.capital_yuan(value text) returns numeric
language sql immutable parallel safe as
$$ select case when std.capital_currency(value) = 'CNY' then std.capital_amount(value) end $$;
comment on function std.capital_yuan(text) is '人民币注册资金（元）；外币不折算，为空';

-- Resident identity number, GB 11643 ------------------------------------------------------------------------------------

-- Weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2 sum to 100, so the 48 of the character '0' comes off as 4800.
create or replace function std.resident_id_check_character(digits bytea) returns text
language sql immutable strict parallel safe as
$$
    select substr('10X98765432', 1 + (
        get_byte(digits, 0) * 7 + get_byte(digits, 1) * 9 + get_byte(digits, 2) * 10 + get_byte(digits, 3) * 5
        + get_byte(digits, 4) * 8 + get_byte(digits, 5) * 4 + get_byte(digits, 6) * 2 + get_byte(digits, 7)
        + get_byte(digits, 8) * 6 + get_byte(digits, 9) * 3 + get_byte(digits, 10) * 7 + get_byte(digits, 11) * 9
        + get_byte(digits, 12) * 10 + get_byte(digits, 13) * 5 + get_byte(digits, 14) * 8 + get_byte(digits, 15) * 4
        + get_byte(digits, 16) * 2 - 4800
    ) % 11, 1)
$$;
comment on function std.resident_id_check_character(bytea) is '身份号码前十七位的校验码（GB 11643）';

create or replace function std.resident_id(value text) returns text
language plpgsql immutable parallel safe as
$$
declare
    code text := value;
    bytes bytea;
    year int;
    month int;
    day int;
begin
    if octet_length(code) <> 18 or code !~ '^[0-9]+X?$' then
        code := upper(std.clean_code(value));
        if code ~ '^[0-9]{15}$' then
            -- The form before 1999: no century, no check digit.
            code := substr(code, 1, 6) || '19' || substr(code, 7);
            code := code || std.resident_id_check_character(code::bytea);
        elsif code !~ '^[0-9]{17}[0-9X]$' then
            return null;
        end if;
    end if;
    bytes := code::bytea;
    year := substr(code, 7, 4);
    month := substr(code, 11, 2);
    day := substr(code, 13, 2);
    if year >= 1800 and std.date_of(year, month, day) is not null
        and substr(code, 18) = std.resident_id_check_character(bytes)
    then
        return code;
    end if;
    return null;
end
$$;
comment on function std.resident_id(text) is '标准身份号码：十八位；十五位升位，全角与小写 x 归一；校验码或出生日期不符为空';

-- One misread digit of a number of fifteen gives a number of somebody else: without a check it is a claim, no evidence.
create or replace function std.checked_resident_id(value text) returns text
language sql immutable parallel safe as
$$ select case when char_length(std.clean_code(value)) = 18 then std.resident_id(value) end $$;
comment on function std.checked_resident_id(text) is '有校验码的标准身份号码：仅限十八位；十五位无从校验，为空';

create or replace function std.claimed_resident_id(value text) returns text
language sql immutable parallel safe as
$$
    select case when std.checked_resident_id(value) is null then upper(std.clean_code(value)) end
$$;
comment on function std.claimed_resident_id(text) is '原载号码：无校验码或不合法的号码，清洗后原样（十五位者不升位，误读一位不致错两位）；号码可信时为空';

create or replace function std.resident_id_is_valid(value text) returns boolean
language sql immutable parallel safe as
$$ select case when value is not null then std.resident_id(value) is not null end $$;
comment on function std.resident_id_is_valid(text) is '身份号码是否有效（可升位、可归一者亦为有效）';

create or replace function std.birth_date_of(resident_id text) returns date
language sql immutable parallel safe as
$$
    select case when octet_length(resident_id) = 18 and resident_id ~ '^[0-9]+X?$' then
        std.date_of(substr(resident_id, 7, 4)::int, substr(resident_id, 11, 2)::int, substr(resident_id, 13, 2)::int)
    end
$$;
comment on function std.birth_date_of(text) is '标准身份号码中的出生日期';

create or replace function std.sex_of(resident_id text) returns text
language sql immutable parallel safe as
$$
    select case when octet_length(resident_id) = 18 and resident_id ~ '^[0-9]+X?$' then
        case when substr(resident_id, 17, 1) in ('1', '3', '5', '7', '9') then '1' else '2' end
    end
$$;
comment on function std.sex_of(text) is '标准身份号码中的性别（GB/T 2261.1）：第十七位奇数为男 1，偶数为女 2';

create or replace function std.mask_resident_id(value text) returns text
language sql immutable parallel safe as
$$ select case when value ~ '^[0-9]{17}[0-9X]$' then substr(value, 1, 6) || '************' when value is not null then '***' end $$;
comment on function std.mask_resident_id(text) is '身份号码脱敏：仅留前六位。出生日期常在同表，再露末位即可复原，故一律隐去';

-- Unified social credit code, GB 32100 ----------------------------------------------------------------------------------

create or replace function std.uscc_is_valid(value text) returns boolean
language plpgsql immutable parallel safe as
$$
declare
    code text := value;
    -- Value of the character with ASCII code 48 + position in the alphabet without I O S V Z; ff where there is none.
    character_values constant bytea :=
        '\x00010203040506070809ffffffffffffff0a0b0c0d0e0f1011ff1213141516ff171819ff1a1bff1c1d1eff';
    weights constant int[] := '{1,3,9,27,19,26,16,17,20,29,25,13,8,24,10,30,28}';
    bytes bytea;
    total int := 0;
begin
    if code !~ '^[0-9ANY][0-9]{7}[0-9A-HJ-NPQRTUWXY]{10}$' then
        code := upper(std.clean_code(value));
        if code is null or code !~ '^[0-9ANY][0-9]{7}[0-9A-HJ-NPQRTUWXY]{10}$' then
            return false;
        end if;
    end if;
    bytes := code::bytea;
    total := get_byte(character_values, get_byte(bytes, 0) - 48) * weights[1]
        + get_byte(character_values, get_byte(bytes, 1) - 48) * weights[2]
        + get_byte(character_values, get_byte(bytes, 2) - 48) * weights[3]
        + get_byte(character_values, get_byte(bytes, 3) - 48) * weights[4]
        + get_byte(character_values, get_byte(bytes, 4) - 48) * weights[5]
        + get_byte(character_values, get_byte(bytes, 5) - 48) * weights[6]
        + get_byte(character_values, get_byte(bytes, 6) - 48) * weights[7]
        + get_byte(character_values, get_byte(bytes, 7) - 48) * weights[8]
        + get_byte(character_values, get_byte(bytes, 8) - 48) * weights[9]
        + get_byte(character_values, get_byte(bytes, 9) - 48) * weights[10]
        + get_byte(character_values, get_byte(bytes, 10) - 48) * weights[11]
        + get_byte(character_values, get_byte(bytes, 11) - 48) * weights[12]
        + get_byte(character_values, get_byte(bytes, 12) - 48) * weights[13]
        + get_byte(character_values, get_byte(bytes, 13) - 48) * weights[14]
        + get_byte(character_values, get_byte(bytes, 14) - 48) * weights[15]
        + get_byte(character_values, get_byte(bytes, 15) - 48) * weights[16]
        + get_byte(character_values, get_byte(bytes, 16) - 48) * weights[17];
    return get_byte(character_values, get_byte(bytes, 17) - 48) = (31 - total % 31) % 31;
end
$$;
comment on function std.uscc_is_valid(text) is '统一社会信用代码校验（GB 32100）。确有不合校验的真实代码：只标记，不拒收';

create or replace function std.uscc(value text) returns text
language plpgsql immutable parallel safe as
$$
declare
    code text := value;
begin
    if octet_length(code) <> 18 or code !~ '^[0-9A-Z]+$' then
        code := upper(std.clean_code(value));
    end if;
    -- Where a person stands in a firm's place: a valid ID number must not be kept as a code.
    if octet_length(code) <> 18 or code !~ '^[0-9A-Z]+$'
        or (substr(code, 7, 2) in ('18', '19', '20') and code ~ '^[0-9]+X?$' and std.resident_id(code) is not null)
    then
        return null;
    end if;
    return code;
end
$$;
comment on function std.uscc(text) is '统一社会信用代码：归一为十八位大写；校验不符仍保留，形式不符或为有效身份号码者为空';

-- Places ----------------------------------------------------------------------------------------------------------------

create or replace function std.address_key(value text) returns uuid
language sql immutable parallel safe as
$$ select md5(std.clean_code(value))::uuid $$;
comment on function std.address_key(text) is '地址键：地址文本清洗（全角转半角、去空白）后的散列，与 base_geography__address 相连；空值为空';

create or replace function std.door_key(district_code text, road text, door_number text) returns uuid
language sql immutable strict parallel safe as
$$ select md5(district_code || '|' || road || '|' || ltrim(door_number, '0'))::uuid $$;
comment on function std.door_key(text, text, text) is '门牌键：区县、道路与门牌号的散列；任一为空则为空';

-- China lies between 73 and 136 degrees east, 3 and 54 north: which of two numbers is which can be told.
create or replace function std.position_of(value text) returns numeric[]
language sql immutable parallel safe as
$$
    select case
        when first between 73 and 136 and second between 3 and 54 then array[first, second]
        when second between 73 and 136 and first between 3 and 54 then array[second, first]
    end
    from (
        select
            std.try_numeric(split_part(std.clean_code(value), ',', 1)),
            std.try_numeric(split_part(std.clean_code(value), ',', 2))
    ) as pair (first, second)
$$;
comment on function std.position_of(text) is '坐标“经度,纬度”：得[经度,纬度]，颠倒者调正；不在国境范围内为空';

create or replace function std.try_count(value text) returns integer
language sql immutable parallel safe as
$$ select case when std.clean_code(value) ~ '^[0-9]{1,9}$' then std.clean_code(value)::integer end $$;
comment on function std.try_count(text) is '非负整数计数，至多九位；不合法为空';

create or replace function std.try_age(value text) returns integer
language sql immutable parallel safe as
$$ select case when std.try_count(value) <= 150 then std.try_count(value) end $$;
comment on function std.try_age(text) is '年龄（岁）：0 至 150；不合法为空';

-- Codes -----------------------------------------------------------------------------------------------------------------

create or replace function std.sex_code(value text) returns text
language sql immutable parallel safe as
$$
    select case std.clean_code(value)
        when '1' then '1' when '男' then '1' when '男性' then '1' when 'M' then '1'
        when '2' then '2' when '女' then '2' when '女性' then '2' when 'F' then '2'
        when '0' then '0' when '未知' then '0'
        when '9' then '9' when '未说明' then '9'
    end
$$;
comment on function std.sex_code(text) is '性别代码（GB/T 2261.1）：0 未知、1 男、2 女、9 未说明；不识别为空';

-- Records without a number ------------------------------------------------------------------------------------------------

create or replace function std.record_key(table_name text, row_key uuid, role text) returns uuid
language sql immutable strict parallel safe as
$$ select md5(table_name || '|' || row_key::text || '|' || role)::uuid $$;
comment on function std.record_key(text, uuid, text) is '记录键：无身份号码者在一条记录中的标识；同一行可有不同角色（如夫、妻），无角色写空串';

-- Quarantine ------------------------------------------------------------------------------------------------------------

create or replace function std.quarantine_reason(column_name text, raw_value text, is_unusable boolean) returns text
language sql immutable parallel safe as
$$
    select case when is_unusable then
        column_name || case when std.clean_text(raw_value) is null then '_missing' else '_invalid' end
    end
$$;
comment on function std.quarantine_reason(text, text, boolean) is '隔离原因：<列>_missing 缺失或 <列>_invalid 不合法；可用为空';
