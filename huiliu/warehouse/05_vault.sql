-- The keyed one-way hash of identifiers. Its key stays here: no role but the owner reads the table, and the function that uses
-- it runs as its owner, so the key appears in no compiled SQL, no log and no other role's reach.
create table if not exists vault.hash_key (
    only_row boolean primary key default true check (only_row),
    inner_pad bytea not null check (length(inner_pad) = 64),
    outer_pad bytea not null check (length(outer_pad) = 64)
);
comment on table vault.hash_key is 'HMAC-SHA256 的内外填充块，由 provision 从密钥 identifier_hash_key 生成；不得读取、不得更换';
revoke all on vault.hash_key from public, huiliu_ingest, huiliu_build, huiliu_score, huiliu_return;

-- HMAC-SHA256 (RFC 2104) from sha256(), as the embedded server has no pgcrypto; the first 16 bytes, so that it fits a uuid.
create or replace function vault.identifier_key(identifier text) returns uuid
language plpgsql stable strict parallel safe security definer set search_path = vault, pg_temp as
$$
declare
    pads vault.hash_key;
begin
    select * into pads from vault.hash_key;
    if pads.inner_pad is null then
        raise exception 'The identifier hash key is missing: run "huiliu prepare".';
    end if;
    return encode(
        substr(sha256(pads.outer_pad || sha256(pads.inner_pad || convert_to(identifier, 'UTF8'))), 1, 16), 'hex'
    )::uuid;
end
$$;
comment on function vault.identifier_key(text) is '标识键：标准化证件号的加密单向散列（HMAC-SHA256 前十六字节）';
revoke all on function vault.identifier_key(text) from public;
grant execute on function vault.identifier_key(text) to huiliu_build;
