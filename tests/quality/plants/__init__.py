"""At least a hundred planted faults and as many near misses for each rule, and what the rules make of them.

What a fault is stands here a second time, in plain values: the record of plants is the oracle, never the SQL
under test.
"""
