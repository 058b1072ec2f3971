"""Services of a home of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from huiliu import services


@pytest.fixture
def own_home(empty_home: Path) -> Iterator[Path]:
    yield empty_home
    services.down()
