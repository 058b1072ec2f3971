"""Records without a number in a whole city, five times dirtier than a real one: to whom they were linked."""

from __future__ import annotations

from pathlib import Path

from tests.models.accuracy import linked


def test_records_are_linked_to_the_right_people_and_nobody_is_merged(built_city: Path) -> None:
    quality = linked(built_city)
    assert quality.records > 500
    assert quality.precision >= 0.995
    assert quality.recall >= 0.95
    assert quality.pair_precision >= 0.995
    assert quality.cluster_recall >= 0.95
    assert quality.merged_numbers == 0
