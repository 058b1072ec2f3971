"""The frozen model on a small simulated city whose archive, ledgers and funerals have all their dirt."""

from __future__ import annotations

from pathlib import Path

from linkage import decision, evaluation
from linkage.decision import Thresholds
from tests.linkage.city_linkage import weighed
from tests.linkage.described import describe

PERSONS, SEED = 4000, 31


def test_a_small_city_is_linked_rightly(tmp_path: Path) -> None:
    database = weighed(describe(PERSONS, SEED), tmp_path)
    decision.decide(database, Thresholds(accept=6, review=-2, margin=3, cluster=12))
    quality = evaluation.measure(database)
    assert quality.records > 1000
    assert quality.precision >= 0.995
    assert quality.recall >= 0.97
    assert quality.pair_precision >= 0.995
    assert quality.pair_recall >= 0.97
    # Nobody with a number is put to anybody, and no record to two people.
    [(merged,)] = database.execute(
        "select count(*) from matched where identifier_key in (from people)"
        " or status = 'linked' and person_key not in (from people)"
    ).fetchall()
    assert merged == 0
    database.close()
