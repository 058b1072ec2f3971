"""A simulated city as dbt describes it to linkage, without databases: people from the truth, records from
the sources.

The sources' rows come from the simulator with all their dirt and are read here as staging reads them;
which person
each of them is of comes from the truth. Numbers are judged by python-stdnum, not by the warehouse.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
from stdnum.cn import ric

from huiliu import regions as region_files
from simulator import city, emission
from simulator import rates as simulated_rates
from simulator import truth as true_tables
from simulator.domains import DOMAINS
from simulator.places import from_regions
from simulator.registry import TABLES
from simulator.state import State

DAY = date(2026, 1, 15)
_SPACE = uuid.UUID("6f1ba5a6-6d0c-4e0b-9f3a-6a2f1d3c5b7e")
_SOURCES = {
    "marriage_archive.record", "marriage_archive.old_record", "agriculture.land_contract",
        "funeral.cremation",
}  # fmt: skip
_KNOWN_SPOUSES = 0.95  # of them the registry or a household says so


@dataclass(frozen=True)
class DescribedCity:
    """Frames of the columns in linkage.frames, and who each record is of (a person's key, or a forgotten
    one's)."""

    records: pd.DataFrame
    people: pd.DataFrame
    truth: pd.Series


def key_of(*parts: object) -> str:
    """Return a key that is the same in every run."""
    return str(uuid.uuid5(_SPACE, "|".join(map(str, parts))))


def describe(persons: int, seed: int) -> DescribedCity:
    """Imagine a city and describe it."""
    regions = region_files.load()
    rates = simulated_rates.load()
    former = city.former_districts(region_files.load_changes())
    state = city.imagine(persons, seed, DAY, from_regions(regions, former), rates)
    known = {name: table.to_pandas() for domain in DOMAINS for name, table in domain.truth(state).items()
             if name in ("marriage_archive_record", "land_contract", "cremation")}  # fmt: skip
    rows = {table.full_name: _rows(state, table, rates) for table in TABLES if table.full_name in _SOURCES}
    districts = {district.name: district.code for district in regions.districts}
    parties = [
        _archive(rows["marriage_archive.record"], known["marriage_archive_record"], districts),
        _archive(rows["marriage_archive.old_record"], known["marriage_archive_record"], districts),
        _land(rows["agriculture.land_contract"], known["land_contract"]),
        _funerals(rows["funeral.cremation"], known["cremation"], districts),
    ]
    every = pd.concat(parties, ignore_index=True)
    every["pid"] = every["pid"].map(_cleaned, na_action="ignore")
    unnumbered = every[~every["pid"].map(_is_number)].copy()
    unnumbered = unnumbered[unnumbered["name"].notna()].reset_index(drop=True)
    unnumbered["pid_claimed"] = unnumbered["pid"]
    truth = unnumbered.set_index("identifier_key")["of"]
    return DescribedCity(unnumbered.drop(columns=["pid", "of"]), _people(state, seed), truth)


def _rows(state: State, table: object, rates: simulated_rates.Rates) -> pd.DataFrame:
    keys = table.every(state)
    keys = emission.plant_new(state, rates, table, keys[table.visible(state, keys)])
    return pa.concat_tables(emission.rows(state, table, keys)).to_pandas()


def _people(state: State, seed: int) -> pd.DataFrame:
    person = true_tables._person(state).to_pandas()
    marriage = true_tables._marriage(state).to_pandas()[["husband_person_id", "wife_person_id"]]
    lived = true_tables._residence(state).to_pandas()
    couples = pd.concat(
        [marriage.set_axis(["of", "to"], axis=1), marriage.iloc[:, ::-1].set_axis(["of", "to"], axis=1)]
    )
    couples = couples[np.random.default_rng(seed).random(len(couples)) < _KNOWN_SPOUSES]
    names = person.set_index("person_id")["name"]
    couples["name"] = names.reindex(couples["to"]).to_numpy()
    return pd.DataFrame(
        {
            "identifier_key": [key_of("person", of) for of in person["person_id"]],
            "pid": person["pid"],
            "name": person["name"],
            "names": person["name"],
            "sex": person["sex"],
            "birth_date": person["birth_date"],
            "spouse_names": _joined(couples.groupby("of")["name"], person["person_id"]),
            "region_codes": _joined(lived.groupby("person_id")["township_code"], person["person_id"]),
            "died_on": person["died_on"],
        }
    )


def _joined(groups: object, of: pd.Series) -> object:
    return groups.agg(lambda values: "|".join(sorted(set(values)))).reindex(of).to_numpy()


def _archive(rows: pd.DataFrame, known: pd.DataFrame, districts: dict[str, str]) -> pd.DataFrame:
    rows = rows.merge(known, on="scan_no", suffixes=("", "_true"))
    registered = _dates(rows["registered_on"])
    parties = []
    for party, other, sex, kind in (("husband", "wife", "1", "妻"), ("wife", "husband", "2", "夫")):
        parties.append(
            _described(
                rows["scan_no"] + party,
                "marriage_archive.record",
                name=rows[f"{party}_name"],
                pid=rows[f"{party}_pid"],
                birth=rows[f"{party}_birth_date"],
                age=rows[f"{party}_age"],
                on=registered,
                region_code=_district(rows[f"{party}_address"], districts),
                sex=pd.Series(sex, rows.index),
                relative=(rows[f"{other}_name"], kind),
                of=_of(rows[f"{party}_person_id"], rows[f"{party}_forgotten_id"]),
            )
        )
    return pd.concat(parties, ignore_index=True)


def _land(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    person = known.set_index("contract_no")["person_id"]
    of = person.reindex(rows["contract_no"]).reset_index(drop=True)
    rows, of = rows[of.notna().to_numpy()].reset_index(drop=True), of.dropna().reset_index(drop=True)
    return _described(
        rows["contract_no"],
        "agriculture.land_contract",
        name=rows["contractor_name"],
        pid=rows["contractor_pid"],
        birth=rows["contractor_birth"],
        age=None,
        on=_dates(rows["term_from"]),
        region_code=rows["village_code"],
        sex=rows["contractor_sex"].map({"男": "1", "女": "2"}),
        relative=(rows["spouse_name"], "配偶"),
        of=[key_of("person", int(person_id)) for person_id in of],
    )


def _funerals(rows: pd.DataFrame, known: pd.DataFrame, districts: dict[str, str]) -> pd.DataFrame:
    rows = rows.merge(known, on="cremation_no", suffixes=("", "_true"))
    return _described(
        rows["cremation_no"],
        "funeral.cremation",
        name=rows["name"],
        pid=rows["pid"],
        birth=rows["birth_date"],
        age=rows["age"],
        on=_dates(rows["died_on"]),
        region_code=_district(rows["address"], districts),
        sex=rows["sex"].str.slice(0, 1).map({"男": "1", "女": "2"}),
        relative=None,
        of=_of(rows["person_id"], rows["forgotten_id"]),
    )


def _described(
    row: pd.Series, source: str, *, name: pd.Series, pid: pd.Series, birth: pd.Series, age: pd.Series | None,
    on: pd.Series, region_code: object, sex: pd.Series, relative: tuple[pd.Series, str] | None, of: list[str],
) -> pd.DataFrame:  # fmt: skip
    born = _dates(birth)
    year = pd.to_numeric(birth.str.slice(0, 4), errors="coerce")
    if age is not None:
        year = year.fillna(
            on.map(lambda day: day.year if pd.notna(day) else None) - pd.to_numeric(age, errors="coerce")
        )
    return pd.DataFrame(
        {
            "identifier_key": [key_of(source, it) for it in row],
            "source": source,
            "name": name.str.replace("\u3000", "").replace("", None),
            "sex": sex,
            "birth_date": born,
            "birth_year": year.where(year.between(1850, 2026)),
            "pid": pid,
            "region_code": region_code,
            "relative_name": relative[0] if relative else None,
            "relative_kind": relative[0].notna().map({True: relative[1], False: None}) if relative else None,
            "event_on": on,
            "of": of,
        }
    )


def _of(person: pd.Series, forgotten: pd.Series) -> list[str]:
    return [
        key_of("person", int(one)) if pd.notna(one) else key_of("forgotten", int(other))
        for one, other in zip(person, forgotten, strict=True)
    ]


def _dates(texts: pd.Series) -> pd.Series:
    """Read dates as 2001-03-05, 2001/3/5, 2001年3月5日 or 20010305; nothing where there is no such day."""
    parts = texts.str.replace("年|月|/", "-", regex=True).str.replace("日", "")
    parts = parts.where(
        ~parts.str.fullmatch(r"\d{8}").fillna(False),
        parts.str.slice(0, 4) + "-" + parts.str.slice(4, 6) + "-" + parts.str.slice(6, 8),
    )
    parts = parts.where(parts.str.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}").fillna(False))
    return pd.to_datetime(parts, errors="coerce", format="%Y-%m-%d").dt.date


def _district(addresses: pd.Series, districts: dict[str, str]) -> list[str | None]:
    return [
        next((code for name, code in districts.items() if isinstance(text, str) and name in text), None)
        for text in addresses
    ]


def _cleaned(pid: str) -> str:
    return pid.translate({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}).strip().upper()


def _is_number(pid: object) -> bool:
    if not isinstance(pid, str) or len(long := _long(pid)) != 18 or not long[:17].isdigit():
        return False
    return bool(ric.calc_check_digit(long) == long[17])


def _long(pid: str) -> str:
    if len(pid) != 15 or not pid.isdigit():
        return pid
    body = f"{pid[:6]}19{pid[6:]}"
    return body + ric.calc_check_digit(body + "0")
