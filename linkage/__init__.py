"""People without a number, linked to the people of the warehouse: Splink on DuckDB with a frozen model."""
