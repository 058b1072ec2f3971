"""Transformation: runs the dbt project over the claimed batches and keeps the build ledger."""
