"""What fails a rule goes back to its department, until it is mended (docs/corrections.md)."""
