"""What the pages of the marriage archive say, in the words of their time, and the file of what was read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulator.calendar import parts
from simulator.corruption import positions
from simulator.domains import forgotten
from simulator.domains.archive import places_then
from simulator.domains.archive.founding import EIGHTEEN, KINDS, NO_NUMBER, ONLY_YEAR, WHOLE_DATE
from simulator.state import State
from simulator.systems import source_table as st
from simulator.systems.source_table import Columns, SourceTable
from simulator.systems.system import Shown
from simulator.table import NEVER, Column, Ints, Mask
from simulator.text import Strings, dates, join, padded, pick, where
from simulator.writers import write_csv

FILE = "婚姻登记档案.csv"
GENERATION = {"record": "2", "old_record": "1"}
_PARTIES = (("男方", "husband"), ("女方", "wife"))
_READ = (("姓名", "name"), ("身份证号", "pid"), ("出生日期", "birth_date"))  # with a confidence
HEADER = (
    ("条目号", "scan_no"), ("档号", "archive_no"), ("案卷题名", "volume"), ("数字化批次", "generation"),
    ("登记类别", "kind"), ("登记日期", "registered_on"), ("登记机关", "office"),
    *(
        (f"{label}{title}", f"{party}_{column}")
        for label, party in _PARTIES
        for title, column in (
            *_READ, ("年龄", "age"), ("民族", "nation"), ("住址", "address"), ("工作单位", "work_unit"),
            *((f"{title}置信度", f"{column}_confidence") for title, column in _READ),
        )
    ),
    ("扫描日期", "scanned_on"),
)  # fmt: skip
_NATIONS = ("汉族", "蒙古族", "回族", "维吾尔族", "满族")
_WORK = (
    "务农", "本村社员", "机械厂", "纺织厂", "供销社", "粮管所", "联合中学", "卫生院", "建筑公司", "食品厂",
    "个体", "无",
)  # fmt: skip
_WORKERS = 82  # of a hundred registrants these say where they work


def archive_no(state: State, at: Column) -> Strings:
    """Return archive numbers: year, volume and piece."""
    archive = state["archive"]
    year = parts(archive["registered"][at])[0]
    numbers = (padded(year, 4), padded(archive["volume"][at], 4), padded(archive["piece"][at], 3))
    return join(*numbers, separator="-")


def _text(numbers: Column) -> Strings:
    return pc.cast(pa.array(np.asarray(numbers, dtype=np.int64)), pa.string())


def _party(state: State, table: str, ids: Ints, party: str) -> Columns:
    archive, at = state["archive"], ids - 1
    people, registered = archive[party][at], archive["registered"][at].astype(np.int64)
    births, form = forgotten.about(state, "birth", people), archive[f"{party}_birth_form"][at]
    work = archive[f"{party}_work"][at].astype(np.int64)
    says = {
        "name": forgotten.name(state, people),
        "pid": _number(state, people, archive[f"{party}_id_form"][at]),
        "birth_date": pc.if_else(
            pa.array(form == ONLY_YEAR),
            _text(parts(births)[0]),
            dates(np.where(form == WHOLE_DATE, births, NEVER)),
        ),
        # Beside a whole date, too, registrars now and then wrote the age.
        "age": where((form > ONLY_YEAR) | (ids % 7 == 0), _text(_age(births, registered))),
        "nation": pick(_NATIONS, forgotten.about(state, "nation", people)),
        "address": places_then.address(state, archive[f"{party}_village"][at], registered, ids),
        "work_unit": pick(_WORK, np.where(work < _WORKERS, work % len(_WORK), -1)),
    }
    for number, (_, column) in enumerate(_READ):
        wrong = _misread(state, table, f"{party}_{column}", ids)
        salt = number + len(_READ) * (party == "wife")
        says[f"{column}_confidence"] = _confidence(table, says[column], ids, salt, wrong)
    return {f"{party}_{column}": text for column, text in says.items()}


def _number(state: State, people: Column, form: Column) -> Strings:
    """Return numbers in the form they were written in; null for none."""
    long = forgotten.pid(state, people)
    short = join(pc.utf8_slice_codeunits(long, 0, 6), pc.utf8_slice_codeunits(long, 8, 17))
    return where(form != NO_NUMBER, pc.if_else(pa.array(form == EIGHTEEN), long, short))


def _age(births: Column, days: Column) -> Column:
    """Return completed years of people on days."""
    year, month, day = parts(births)
    then_year, then_month, then_day = parts(days)
    return np.asarray(then_year - year - ((month * 100 + day) > (then_month * 100 + then_day)))


def _misread(state: State, table: str, column: str, ids: Ints) -> Mask:
    """Say in which rows a column is misread as yet."""
    faults = state.faults_of(f"marriage_archive.{table}")
    mask = pc.and_(pc.equal(faults["column_name"], column), pc.equal(faults["kind"], "wrong"))
    keys = np.sort(faults["key"].filter(pc.fill_null(mask, fill_value=False)).to_numpy())
    return np.asarray(positions(ids, keys) >= 0)


def _confidence(table: str, read: Strings, ids: Ints, salt: int, wrong: Mask) -> Strings:
    """Return the machine's confidence, 0.40–0.99: mostly higher where it is right; null for nothing."""
    u = ((ids * 2_654_435_761 + (salt + 1) * 97_003_231) % 2**32) / 2**32
    spread, steepness = (40, 1.7) if table == "old_record" else (24, 2.5)
    right = 99 - np.floor(spread * u**steepness)
    percent = np.where(wrong, 40 + np.floor(52 * u), right).astype(np.int64)
    return where(np.asarray(read.is_valid()), padded(percent, 2, "0."))


def _page(table: str, shown: str, state: State, ids: Ints) -> Columns:
    archive, at = state["archive"], ids - 1
    registered = archive["registered"][at].astype(np.int64)
    year = _text(parts(registered)[0])
    return {
        "archive_no": archive_no(state, at),
        "volume": join(year, "年婚姻登记第", _text(archive["volume"][at]), "卷"),
        "generation": pa.repeat(GENERATION[table], len(ids)),
        "kind": pick(KINDS, archive["kind"][at]),
        "registered_on": dates(registered),
        "office": places_then.office(state, archive["husband_village"][at], registered, ids),
        **_party(state, table, ids, "husband"),
        **_party(state, table, ids, "wife"),
        "scanned_on": dates(archive[shown][at]),
    }


def _digitised(column: str, state: State, ids: Ints) -> Mask:
    return np.asarray(state["archive"][column][ids - 1] <= state.today)


def _every_old(state: State) -> Ints:
    return np.flatnonzero(state["archive"]["old_shown"] != NEVER).astype(np.int64) + 1


def _husband(state: State, ids: Ints) -> Ints:
    return np.maximum(state["archive"]["husband"][ids - 1].astype(np.int64), 0)


def _table(name: str, shown: str, prefix: str, every: Callable[[State], Ints]) -> SourceTable:
    forms = {"registered_on": "read_date"}
    for party in ("husband", "wife"):
        forms |= {f"{party}_name": "read_text", f"{party}_address": "read_text", f"{party}_nation": "text"}
        forms |= {f"{party}_pid": "read_pid", f"{party}_birth_date": "read_date"}
    return SourceTable(
        source="marriage_archive",
        name=name,
        key="scan_no",
        columns=tuple((column, "text") for _, column in HEADER),
        every=every,
        project=partial(_page, name, shown),
        person=_husband,
        visible=partial(_digitised, shown),
        key_text=st.numbered(prefix),
        forms=forms,
        stamped=False,
    )


# Two digitisations of different quality, in one file: the source knows them as batches of one list.
TABLES = (
    _table("record", "shown", "S2", st.rows_of("archive")),
    _table("old_record", "old_shown", "S1", _every_old),
)
BY_NAME = {table.name: table for table in TABLES}


def write(state: State, shown: Shown, folder: Path) -> None:
    """Write both digitisations into the file of the archives office."""
    rows = pa.concat_tables([shown.whole("old_record"), shown.whole("record")])
    write_csv(rows, HEADER, folder / FILE, encoding="gb18030")
