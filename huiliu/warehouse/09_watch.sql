-- The operators' page reads figures, never values: no raw text of a rejected row, no key of a correction.
grant usage on schema ops, quality to huiliu_watch;
grant select on
    ops.business_date, ops.resource, ops.load_run, ops.mount_probe, ops.batch_gate, ops.manifest, ops.late_alert, ops.source_lateness,
    ops.demand_task_state
to huiliu_watch;
grant select (batch_id, source, table_name, reason) on ops.rejected_row to huiliu_watch;
grant select (source, table_name, rule_id, column_name, opened_on, due_at, closed_at) on quality.correction to huiliu_watch;
