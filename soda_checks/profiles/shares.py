"""How far a distribution is from the usual one of the batches before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from soda_checks.profiles.fit import WINDOW


def distance(shares: dict[str, float], usual: dict[str, float]) -> float:
    """Total variation between two distributions: half the sum of the differences, from 0 to 1."""
    return sum(abs(shares.get(key, 0) - usual.get(key, 0)) for key in shares.keys() | usual.keys()) / 2


def quantile_distance(quantiles: dict[str, float], usual: dict[str, float]) -> float:
    """The largest shift of a quantile in powers of e; below a hundredth of the usual size, linear."""
    size = float(np.median(np.abs(list(usual.values())))) or 1.0
    common = sorted(quantiles.keys() & usual.keys())
    ours, theirs = (np.array([it[key] for key in common]) for it in (quantiles, usual))
    return float(np.max(np.abs(np.arcsinh(100 * ours / size) - np.arcsinh(100 * theirs / size)), initial=0))


def usual(past: Sequence[dict[str, float]], *, are_shares: bool) -> dict[str, float]:
    """The median of each part of the last distributions, made to sum to 1 if they are shares."""
    last = past[-WINDOW:]
    names = sorted({name for parts in last for name in parts})
    absent = 0.0 if are_shares else np.nan
    middle = np.nanmedian([[parts.get(name, absent) for name in names] for parts in last], axis=0)
    if are_shares and middle.sum() > 0:
        middle = middle / middle.sum()
    return dict(zip(names, middle.tolist(), strict=True))
