"""The simulator's rates with so much dirt that a small city has every kind of fault."""

from __future__ import annotations

from simulator import rates as simulated_rates


def dirtier() -> simulated_rates.Rates:
    """The simulator's rates with five times the dirt, so that a small city has every kind of doubt."""

    def more(share: float) -> float:
        return min(5 * share, 0.1)

    rates = simulated_rates.load()
    dirt = {
        table: faults.model_copy(
            update={
                "identity": {
                    c: {k: more(share) for k, share in kinds.items()} for c, kinds in faults.identity.items()
                },
                "values": {
                    c: {k: more(share) for k, share in kinds.items()} for c, kinds in faults.values.items()
                },
                "duplicate": more(faults.duplicate),
                "contradictory": {column: more(share) for column, share in faults.contradictory.items()},
            }
        )
        for table, faults in rates.dirt.items()
    }
    return rates.model_copy(update={"dirt": dirt})
