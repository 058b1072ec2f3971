"""What batches look like, and alarms of sudden change (docs/profiling.md)."""
