"""A small city of a module's own: services up, provisioned, one simulated day to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from huiliu import services
from huiliu.provision import provision
from tests.homes import forget_durability, home_of_its_own


@pytest.fixture(scope="module")
def city_home() -> Iterator[Path]:
    """HUILIU_HOME with PostgreSQL and the sources' APIs under the supervisor; all gone at the end."""
    with home_of_its_own() as folder:
        try:
            services.up(["postgres", "source-api"])
            forget_durability()
            provision()
            yield folder
        finally:
            services.down()
