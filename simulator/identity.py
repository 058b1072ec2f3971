"""Resident ID numbers (GB 11643), credit codes (GB 32100) and phone numbers, whole columns at a time."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from simulator import calendar
from simulator.table import Column, Ints
from simulator.text import ZERO, Strings, digits, from_ascii

_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_USCC_ALPHABET = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", dtype=np.uint8)
_USCC_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_ORGANISATION_CHECK = np.frombuffer(b"0123456789X0", dtype=np.uint8)
_SEQUENCES = 500  # sequence numbers 000–999, odd for men and even for women


def resident_numbers(regions: Column, births: Column, sexes: Column, taken: Ints, rng: Generator) -> Ints:
    """Return the first 17 digits of new, unique resident ID numbers as integers.

    ``regions`` are 6-digit codes, ``births`` days since 1970, ``sexes`` 1 or 2; ``taken`` are numbers in use.
    """
    stems = (np.asarray(regions, dtype=np.int64) * 10**8 + calendar.compact(births)) * 1000
    sequence = rng.integers(0, _SEQUENCES, len(stems))
    male = (np.asarray(sexes) == 1).astype(np.int64)
    numbers: Ints = stems + sequence * 2 + male
    for _ in range(_SEQUENCES):
        clash = _clashes(numbers, taken)
        if not len(clash):
            return numbers
        sequence[clash] = (sequence[clash] + 1) % _SEQUENCES
        numbers[clash] = stems[clash] + sequence[clash] * 2 + male[clash]
    raise ValueError("more births in one district on one day than the numbering can hold")


def _clashes(numbers: Ints, taken: Ints) -> Ints:
    order = np.argsort(numbers, kind="stable")
    same = np.zeros(len(numbers), dtype=bool)
    same[order[1:]] = numbers[order[1:]] == numbers[order[:-1]]
    if len(taken):
        same |= np.isin(numbers, taken)
    return np.flatnonzero(same).astype(np.int64)


def resident_ids(numbers: Column) -> Strings:
    """Return 18-digit resident ID numbers with their check digit from the first 17 digits."""
    body = digits(numbers, 17)
    out = np.empty((len(body), 18), dtype=np.uint8)
    out[:, :17] = body + ZERO
    out[:, 17] = _CHECK[(body @ _WEIGHTS) % 11]
    return from_ascii(out)


def credit_codes(districts: Column, serials: Column, kinds: Column | None = None) -> Strings:
    """Return unified social credit codes from 6-digit district codes and 8-digit serials.

    ``kinds`` are the first two digits (registering department and kind of organisation); 91, firms, without.
    """
    serial = digits(serials, 8)
    body = np.empty((len(serial), 18), dtype=np.uint8)
    body[:, :2] = digits(np.full(len(serial), 91) if kinds is None else kinds, 2) + ZERO
    body[:, 2:8] = digits(districts, 6) + ZERO
    body[:, 8:16] = serial + ZERO
    body[:, 16] = _ORGANISATION_CHECK[11 - (serial @ _ORGANISATION_WEIGHTS) % 11]
    values = np.searchsorted(_USCC_ALPHABET, body[:, :17])
    body[:, 17] = _USCC_ALPHABET[(31 - (values @ _USCC_WEIGHTS) % 31) % 31]
    return from_ascii(body)


def registration_numbers(stems: Column) -> Strings:
    """Return the numbers that firms were registered under before 2015: 14 digits and a check digit.

    Check digit: ISO 7064 MOD 11,10 (GS 15-2006).
    """
    body = digits(stems, 14)
    product = np.full(len(body), 10, dtype=np.int64)
    for place in range(14):
        total = (product + body[:, place]) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return from_ascii(np.column_stack([body, (11 - product) % 10]).astype(np.uint8) + np.uint8(ZERO))


def phones(count: int, rng: Generator) -> Ints:
    """Return mobile numbers as integers: a carrier prefix and eight random digits."""
    prefixes = np.array([130, 131, 135, 136, 137, 138, 139, 150, 151, 158, 159, 177, 183, 186, 188, 189])
    return np.asarray(prefixes[rng.integers(0, len(prefixes), count)] * 10**8 + rng.integers(0, 10**8, count))
