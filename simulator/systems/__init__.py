"""The vertical systems: what each source shows of the truth, one module a source."""
