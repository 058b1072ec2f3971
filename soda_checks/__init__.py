"""Data quality: contracts binding the 37 rules to tables, the staging gate, scores and corrections."""
