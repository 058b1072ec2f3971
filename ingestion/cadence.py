"""How often a source is read: a cron expression of five fields, checked with the spec, and said in words."""

from __future__ import annotations

import re
from typing import Annotated

from cron_descriptor import Options, get_description
from croniter import croniter
from pydantic import AfterValidator

# Names of days and months, and the signs L, W and #, are left out: ops.source_lateness reads the same text.
_FIELDS = re.compile(r"[\d*,/-]+( +[\d*,/-]+){4}")
_DAYS = {
    "Monday": "周一",
    "Tuesday": "周二",
    "Wednesday": "周三",
    "Thursday": "周四",
    "Friday": "周五",
    "Saturday": "周六",
    "Sunday": "周日",
}


def _checked(cadence: str) -> str:
    if not _FIELDS.fullmatch(cadence) or not croniter.is_valid(cadence):
        raise ValueError(f"{cadence!r} is no cron expression of five fields of digits and * , - /")
    return cadence


Cadence = Annotated[str, AfterValidator(_checked)]


def in_words(cadence: str) -> str:
    """Say a cadence in Chinese: `0 1 * * *` is 每天 01:00."""
    options = Options()
    options.locale_code, options.use_24hour_time_format = "zh_CN", True
    words = str(get_description(cadence, options)).removeprefix("在 ")
    for english, chinese in _DAYS.items():
        words = words.replace(english, chinese)
    return f"每天 {words}" if cadence.endswith("* * *") and re.fullmatch(r"\d\d:\d\d", words) else words
