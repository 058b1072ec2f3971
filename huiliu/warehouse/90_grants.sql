-- Who may do what in the ledgers, least first. Applied last, every time: a right revoked by mistake comes back.
-- The owner belongs to huiliu_ingest and huiliu_build, so it may grant on what they own.

-- Loading: writes its own ledger, asks for the date.
grant select on ops.business_date to huiliu_ingest;
grant select, insert, update on ops.load_run, ops.resource, ops.mount_probe to huiliu_ingest;
grant usage on sequence ops.batch_id_seq to huiliu_ingest, huiliu_score, huiliu_return;

-- Building: reads the ledgers (the metrics are built from them), writes those of the build. The ledgers are named one by
-- one, as some that other files add hold personal data.
grant select on
    ops.business_date, ops.resource, ops.mount_probe, ops.load_run, ops.batch_gate, ops.batch_under_test,
    ops.build, ops.build_batch, ops.model_run, ops.model_state, ops.touched_key,
    ops.delivery, ops.receipt, ops.region_move
to huiliu_build;
-- Failing rows and corrections hold people's values: whoever only reads scores gets the scores.
revoke select on all tables in schema quality from huiliu_build, huiliu_return;
grant select on quality.score, quality.score_run to huiliu_build;
grant select (correction_id, department, due_at, closed_on, closed_as, closed_because, reopened_from)
on quality.correction to huiliu_build;
grant insert, update on ops.build, ops.build_batch, ops.model_run to huiliu_build;
grant insert, update, delete on ops.model_state, ops.touched_key to huiliu_build;
grant select on all tables in schema raw to huiliu_build, huiliu_score;
alter default privileges for role huiliu_ingest in schema raw grant select on tables to huiliu_build, huiliu_score;
grant usage on schema raw to huiliu_score;

-- Scoring: reads every layer, writes all of quality and the gate.
grant usage on schema staging, base, theme, special, "return" to huiliu_score;
grant select on all tables in schema staging, base, theme, special, "return" to huiliu_score;
alter default privileges for role huiliu_build in schema staging, base, theme, special, "return"
grant select on tables to huiliu_score;
grant select on
    ops.business_date, ops.resource, ops.mount_probe, ops.load_run, ops.batch_gate, ops.batch_under_test,
    ops.build, ops.build_batch, ops.model_run, ops.model_state, ops.delivery, ops.receipt
to huiliu_score;
grant select, insert, update, delete on all tables in schema quality to huiliu_score;
grant insert, update on ops.batch_gate to huiliu_score;
grant update (rows_quarantined) on ops.load_run to huiliu_score;
grant insert, update, delete on ops.batch_under_test to huiliu_score;

-- Returning: reads what is to be returned and its quality, writes deliveries and what consumers hold.
grant usage on schema "return" to huiliu_return;
grant select on all tables in schema "return" to huiliu_return;
alter default privileges for role huiliu_build in schema "return" grant select on tables to huiliu_return;
grant select on quality.score, quality.score_run to huiliu_return;
grant select on ops.business_date, ops.build, ops.model_state to huiliu_return;
grant select, insert, update on ops.delivery, ops.receipt, ops.region_move to huiliu_return;
grant select, insert, update, delete on ops.sent_row to huiliu_return;

-- Linking records without a number: the build weighs and decides; thresholds are the owner's, what people decided is kept.
grant usage on schema linkage to huiliu_build;
grant select on all tables in schema linkage to huiliu_build;
grant insert, update, delete on linkage.pair, linkage.match to huiliu_build;
grant insert, update on linkage.run to huiliu_build;
grant insert, delete on linkage.block, linkage.decision_used to huiliu_build;
grant truncate on linkage.block to huiliu_build;
grant insert on linkage.key_change to huiliu_build;
revoke insert, update on linkage.decision from huiliu_build;
-- Deciding: reads whom it is about, writes what people decided and nothing else.
grant usage on schema ops, linkage, base to huiliu_decide;
grant select on ops.business_date, linkage.match, linkage.pair, linkage.decision to huiliu_decide;
grant insert, update on linkage.decision to huiliu_decide;
grant select on all tables in schema base to huiliu_decide;
alter default privileges for role huiliu_build in schema base grant select on tables to huiliu_decide;
