"""Whatever a source goes through, and however its loads end: raw holds what the mode promises, exactly.

HUILIU_TEST_EXAMPLES=100 asks for more than the few stories of each mode and container that always run.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from clinic import Raw, forget
from file_sources import FILES
from hypothesis import HealthCheck, Phase, given, seed, settings
from killing import Killer
from modes_under_test import CURSORS, MODES, NEW_FILES, SNAPSHOTS
from random_days import Day, days
from sources import Source
from story import Story, spec_of

from huiliu.errors import ConfigError
from ingestion.spec import load_spec

EXAMPLES = int(os.environ.get("HUILIU_TEST_EXAMPLES", "3"))
ASKED = {container: SNAPSHOTS | CURSORS for container in ("postgres", "mysql", "sql", "http_api")}
READ = {container: SNAPSHOTS | NEW_FILES for container in (*FILES, "sftp")}
COVERED = [(container, mode) for container, modes in (ASKED | READ).items() for mode in modes]


@pytest.mark.parametrize(("container", "mode"), COVERED)
def test_raw_holds_what_the_mode_promises(
    container: str,
    mode: str,
    open_source: Callable[[str, bool], Source],
    specs: Callable[..., Path],
    raw: Raw,
    killer: Killer,
) -> None:
    under_test = MODES[mode]
    opened = open_source(container, under_test.by_days)

    @seed(zlib.crc32(f"{container} {mode} {EXAMPLES}".encode()))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(days(few=under_test.repeats))
    def live(life: list[Day]) -> None:
        story = Story(opened, under_test, specs, raw, killer)
        try:
            for day in life:
                story.live(day)
            story.load_in_vain()
        finally:
            forget("clinic")
            opened.forget()

    live()


@pytest.mark.parametrize(
    ("container", "mode"),
    [(container, mode) for container in ASKED | READ for mode in MODES if (container, mode) not in COVERED],
)
def test_what_a_container_cannot_do_is_refused(
    container: str, mode: str, open_source: Callable[[str, bool], Source], specs: Callable[..., Path]
) -> None:
    under_test = MODES[mode]
    opened = open_source(container, under_test.by_days)
    path = specs(spec_of(opened, under_test))
    with pytest.raises(ConfigError, match=r"read whole; use mode snapshot|needs a column to append by"):
        load_spec(path)
