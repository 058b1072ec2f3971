"""Calendar arithmetic on days since 1970-01-01, whole columns at a time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from simulator.table import Column

_EPOCH = date(1970, 1, 1)


def to_days(day: date) -> int:
    """Return days since 1970-01-01."""
    return (day - _EPOCH).days


def to_date(days: int) -> date:
    """Return the date of a day number."""
    return _EPOCH + timedelta(days=int(days))


def parts(days: Column) -> tuple[Column, Column, Column]:
    """Return year, month and day of each day number."""
    stamps = np.asarray(days).astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    month_number = months.astype(np.int64)
    return (
        month_number // 12 + 1970,
        month_number % 12 + 1,
        (stamps - months.astype("datetime64[D]")).astype(np.int64) + 1,
    )


def compact(days: Column) -> Column:
    """Return the days as integers YYYYMMDD."""
    year, month, day = parts(days)
    return np.asarray(year * 10000 + month * 100 + day, dtype=np.int64)


def birthday(births: Column, age: int) -> Column:
    """Return the day each person reaches an age (29 February counts as 1 March in common years)."""
    year, month, day = parts(births)
    first = (
        ((year + age - 1970) * 12 + month - 1)
        .astype("datetime64[M]")
        .astype("datetime64[D]")
        .astype(np.int64)
    )
    return np.asarray(first + day - 1, dtype=np.int64)


def age_on(births: Column, day: int) -> Column:
    """Return completed years on a day."""
    year, month, date_ = parts(births)
    this_year, this_month, this_day = parts(np.array([day]))
    before = (month * 100 + date_) > (this_month[0] * 100 + this_day[0])
    return np.asarray(this_year[0] - year - before, dtype=np.int64)


def month_number(month: Column) -> Column:
    """Return months since 1970 as integers YYYYMM."""
    return np.asarray((month // 12 + 1970) * 100 + month % 12 + 1, dtype=np.int64)


def month_of(day: int) -> int:
    """Return the months since 1970 of a day."""
    when = to_date(day)
    return (when.year - 1970) * 12 + when.month - 1


def first_of(month: int) -> int:
    """Return the first day of a month given as months since 1970."""
    return to_days(date(1970 + month // 12, month % 12 + 1, 1))
