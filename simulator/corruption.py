"""How values go wrong, whole columns at a time.

A wrong value is always detectable, never a plausible other one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator
from numpy.typing import NDArray

from simulator.calendar import parts
from simulator.misreading import misread_date, misread_number, misread_text
from simulator.table import Ints, Mask
from simulator.text import Strings

Texts = NDArray[np.str_]
_FULL_WIDTH = 0xFEE0  # distance from an ASCII character to its full-width twin
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def corrupt(form: str, kind: str, originals: Strings, rng: Generator) -> Strings:
    """Return what is written instead of the originals (no nulls) for a column form and a fault kind."""
    if kind == "blank":
        written = "N/A" if form == "capital" else None
        return pa.array([written] * len(originals), pa.string())
    texts = np.asarray(originals.to_numpy(zero_copy_only=False)).astype(str)
    return pa.array(_WAYS[form, kind](texts, rng).astype(object), pa.string())


def possible(form: str, kind: str, originals: Strings) -> Mask:
    """Say for which values a fault is possible.

    There is one to spoil, and a 15-digit form needs a birth before 2000. Of a date read by a machine there
    must be more than the year.
    """
    present = np.asarray(originals.is_valid())
    if form == "read_date" and kind != "blank":
        return np.asarray(present & (pc.utf8_length(originals).fill_null(0).to_numpy() == len("YYYY-MM-DD")))
    if kind == "id15":
        texts = np.asarray(originals.fill_null("").to_numpy(zero_copy_only=False)).astype("U18")
        return np.asarray(present & (_characters(texts, 18)[:, 6:8] == [ord("1"), ord("9")]).all(axis=1))
    return present


def contradict(column: str, originals: Strings, rng: Generator) -> Strings:
    """Return another, believable value for the second row of a contradictory pair."""
    if column == "hukou_type":
        texts = np.asarray(originals.to_numpy(zero_copy_only=False)).astype(str)
        return pa.array(np.where(texts == "1", "2", "1").astype(object), pa.string())
    days = originals.cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False)
    shifted = days + rng.integers(200, 1100, len(days)) * rng.choice([-1, 1], len(days))
    return pa.array(shifted.astype(np.int32)).cast(pa.date32()).cast(pa.string())


def _characters(texts: Texts, width: int) -> NDArray[np.uint32]:
    """Return code points as a matrix, zero behind the end of a text."""
    return np.ascontiguousarray(texts.astype(f"U{width}")).view(np.uint32).reshape(len(texts), width).copy()


def _joined(characters: NDArray[np.uint32]) -> Texts:
    rows, width = characters.shape
    return np.asarray(np.ascontiguousarray(characters).view(f"U{width}").reshape(rows))


def _wrong_pid(texts: Texts, rng: Generator) -> Texts:
    """Change one of the first 17 digits.

    Every weight of the check is prime to 11, so the check digit fails.
    """
    characters = _characters(texts, 18)
    row, place = np.arange(len(texts)), rng.integers(0, 17, len(texts))
    digit = characters[row, place] - ord("0")
    characters[row, place] = (digit + rng.integers(1, 10, len(texts))) % 10 + ord("0")
    return _joined(characters)


def _fifteen(texts: Texts, rng: Generator) -> Texts:
    characters = _characters(texts, 18)
    return _joined(np.concatenate([characters[:, :6], characters[:, 8:17]], axis=1))


def _full_width(texts: Texts, rng: Generator) -> Texts:
    characters = _characters(texts, max(1, texts.dtype.itemsize // 4))
    ascii_ = (characters > 0x20) & (characters < 0x7F)
    return _joined(np.where(ascii_, characters + _FULL_WIDTH, characters).astype(np.uint32))


def _trailing_space(texts: Texts, rng: Generator) -> Texts:
    return np.asarray(np.char.add(texts, "\u3000"))


def _impossible_date(texts: Texts, rng: Generator) -> Texts:
    return np.asarray(np.char.add(_head(texts, 4), "-02-30"))


def _other_format(texts: Texts, rng: Generator) -> Texts:
    """Write a date as 2001/3/5, 2001年3月5日 or 20010305."""
    days = texts.astype("datetime64[D]").astype(np.int64)
    year, month, day = (part.astype(str) for part in parts(days))
    slashes = _concatenate(year, "/", month, "/", day)
    chinese = _concatenate(year, "年", month, "月", day, "日")
    compact = np.char.replace(texts, "-", "")
    return np.asarray(np.choose(rng.integers(0, 3, len(texts)), [slashes, chinese, compact]))


def _concatenate(*pieces: Texts | str) -> Texts:
    whole: Texts = np.asarray(pieces[0])
    for piece in pieces[1:]:
        whole = np.asarray(np.char.add(whole, piece))
    return whole


def _head(texts: Texts, width: int) -> Texts:
    return _joined(_characters(texts, width))


def _no_place(texts: Texts, rng: Generator) -> Texts:
    """Write a position that is none: longitude and latitude out of range."""
    return np.full(len(texts), "999.999999,99.999999")


def _swapped(texts: Texts, rng: Generator) -> Texts:
    """Write latitude before longitude."""
    lon, _, lat = np.char.partition(texts, ",").T
    return _concatenate(lat, ",", lon)


def _short_address(texts: Texts, rng: Generator) -> Texts:
    """Write 3号楼2单元501室 as 3-2-501 and 12号 as 12."""
    for word, short in (("号楼", "-"), ("单元", "-"), ("号", "-"), ("室", "")):
        texts = np.char.replace(texts, word, short)
    return np.asarray(np.char.rstrip(texts, "-"))


def _short_phone(texts: Texts, rng: Generator) -> Texts:
    return _head(texts, 10)


def _bad_code(texts: Texts, rng: Generator) -> Texts:
    return np.full(len(texts), "9")


def _bad_amount(texts: Texts, rng: Generator) -> Texts:
    return np.full(len(texts), "待核")


def _wrong_uscc(texts: Texts, rng: Generator) -> Texts:
    """Replace the last character, the check character, by another of the alphabet."""
    alphabet = np.array([ord(character) for character in _USCC_ALPHABET], dtype=np.uint32)
    characters = _characters(texts, 18)
    place = np.searchsorted(alphabet, characters[:, 17])
    characters[:, 17] = alphabet[(place + rng.integers(1, len(alphabet), len(texts))) % len(alphabet)]
    return _joined(characters)


def _cut_short(texts: Texts, rng: Generator) -> Texts:
    """Leave out the last character: no kind of number has that length."""
    characters = _characters(texts, max(1, texts.dtype.itemsize // 4))
    characters[np.arange(len(texts)), np.char.str_len(texts) - 1] = 0
    return _joined(characters)


_WAYS: dict[tuple[str, str], Callable[[Texts, Generator], Texts]] = {
    ("pid", "wrong"): _wrong_pid,
    ("pid", "id15"): _fifteen,
    ("pid", "full_width"): _full_width,
    ("name", "full_width"): _trailing_space,
    ("date", "wrong"): _impossible_date,
    ("date", "format"): _other_format,
    ("address", "format"): _short_address,
    ("code", "wrong"): _bad_code,
    ("phone", "wrong"): _short_phone,
    ("phone", "full_width"): _full_width,
    ("amount", "wrong"): _bad_amount,
    ("location", "wrong"): _no_place,
    ("location", "format"): _swapped,
    ("uscc", "wrong"): _wrong_uscc,
    ("uscc", "full_width"): _full_width,
    ("number", "wrong"): _cut_short,
    ("number", "full_width"): _full_width,
    ("read_text", "wrong"): misread_text,
    ("read_date", "wrong"): misread_date,
    ("read_date", "format"): _other_format,
    ("read_pid", "wrong"): misread_number,
}


def known(form: str, kind: str) -> bool:
    """Whether a fault kind is defined for a column form."""
    return kind == "blank" or (form, kind) in _WAYS


def positions(values: Ints, among: Ints) -> Ints:
    """Return where each value stands in a sorted array, -1 if it is not there."""
    place = np.searchsorted(among, values)
    place = np.minimum(place, max(len(among) - 1, 0))
    found = among[place] == values if len(among) else np.zeros(len(values), dtype=bool)
    return np.where(found, place, -1)
