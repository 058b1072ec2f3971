"""A whole city's vertical systems over a known truth, and days passing.

Shares no code with the models it tests.
"""
