-- Schemas of the warehouse and who may do what in them. Applied by `huiliu up`, safe to apply again.
-- Roles exist already (huiliu/provision.py makes them, as they are cluster-wide); this file only grants.
create schema if not exists raw;
create schema if not exists ops;
create schema if not exists quality;
create schema if not exists std;
create schema if not exists vault;

comment on schema raw is '原始层：来源数据的变更日志，原样落地';
comment on schema ops is '运维台账：装载、构建、交付、回执';
comment on schema quality is '质量：规则结果、得分、问题数据、纠错';
comment on schema std is '标准化函数：证件号、日期、文本、代码';
comment on schema vault is '密钥库：除属主外任何角色不得读取';

grant usage, create on schema raw to huiliu_ingest;
grant usage on schema raw to huiliu_build;
grant usage on schema ops to huiliu_ingest, huiliu_build, huiliu_score, huiliu_return;
grant usage on schema quality to huiliu_build, huiliu_score, huiliu_return;
grant usage on schema std to huiliu_ingest, huiliu_build, huiliu_score, huiliu_return;
-- The key functions run as their owner (SECURITY DEFINER); their callers may not read the key itself.
grant usage on schema vault to huiliu_build;

-- The layers belong to the role that builds them.
create schema if not exists staging authorization huiliu_build;
create schema if not exists base authorization huiliu_build;
create schema if not exists theme authorization huiliu_build;
create schema if not exists special authorization huiliu_build;
create schema if not exists "return" authorization huiliu_build;
create schema if not exists metrics authorization huiliu_build;
