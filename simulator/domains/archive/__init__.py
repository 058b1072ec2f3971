"""The digitised marriage archive, 1957–2015: what registrars wrote by hand, as machines read it."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from simulator.domains import forgotten
from simulator.domains.archive import founding, pages
from simulator.domains.archive.founding import KINDS, SCHEMA
from simulator.domains.domain import Domain
from simulator.state import State
from simulator.systems.system import System
from simulator.table import Ints
from simulator.text import date_array, pick


def _scans(state: State, name: str, shown: str) -> pa.Table:
    table = pages.BY_NAME[name]
    archive, ids = state["archive"], table.every(state)
    at = ids - 1
    return pa.table(
        {
            "scan_no": table.key_text(state, ids, ids),
            "archive_no": pages.archive_no(state, at),
            "generation": pa.repeat(pages.GENERATION[name], len(ids)),
            "kind": pick(KINDS, archive["kind"][at]),
            "registered_on": date_array(archive["registered"][at]),
            "marriage_id": _or_null(archive["marriage"][at]),
            "husband_person_id": forgotten.person_ids(archive["husband"][at]),
            "wife_person_id": forgotten.person_ids(archive["wife"][at]),
            "husband_forgotten_id": forgotten.forgotten_ids(archive["husband"][at]),
            "wife_forgotten_id": forgotten.forgotten_ids(archive["wife"][at]),
            "scanned_on": date_array(archive[shown][at]),
        }
    )


def _or_null(ids: Ints) -> pa.Array:
    return pa.array(ids.astype("int64"), mask=ids == 0)


def _truth(state: State) -> Mapping[str, pa.Table]:
    parts = [_scans(state, "record", "shown"), _scans(state, "old_record", "old_shown")]
    return {"marriage_archive_record": pa.concat_tables(parts)}


DOMAIN = Domain(
    name="archive",
    schema=SCHEMA,
    found=founding.found,
    change=founding.change,
    systems=(System("marriage_archive", pages.TABLES, pages.write),),
    truth=_truth,
)
