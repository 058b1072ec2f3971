"""Pull vertical systems into the raw layer: one YAML a source, a change log a table, a ledger of every load."""
