"""Huiliu 回流: the foundation that every stage stands on (settings, connections, embedded PostgreSQL)."""
