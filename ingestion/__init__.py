"""Pull vertical systems into the raw layer: a YAML a source, a change log a table, a ledger of every load."""
