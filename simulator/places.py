"""The city's districts, townships and villages as arrays; nothing about any particular city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simulator.table import Column, Ints
from simulator.text import Strings, join, pick


class Region(Protocol):
    """What is needed of a region: 12-digit code, name and the code above."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def parent_code(self) -> str: ...


class RegionList(Protocol):
    """What is needed of ``huiliu.regions.Regions``."""

    @property
    def city(self) -> Region: ...
    @property
    def districts(self) -> Sequence[Region]: ...
    @property
    def townships(self) -> Sequence[Region]: ...
    @property
    def villages(self) -> Sequence[Region]: ...


@dataclass(frozen=True)
class FormerDistrict:
    """A name and code a district had until a day (days since 1970)."""

    code: int
    name: str
    until: int
    successor: int


@dataclass(frozen=True)
class Places:
    """Arrays by position: village -> township -> district; codes as text, names as text."""

    city_name: str
    district_codes: Strings
    district_names: Strings
    township_codes: Strings
    township_names: Strings
    township_district: Ints
    village_codes: Strings
    village_names: Strings
    village_township: Ints
    former: tuple[FormerDistrict, ...] = ()

    @property
    def village_district(self) -> Ints:
        """District position of each village."""
        return self.township_district[self.village_township]

    @property
    def district_numbers(self) -> Ints:
        """Six-digit district codes as integers."""
        return np.array([int(code) for code in self.district_codes.to_pylist()], dtype=np.int64)

    def village_code(self, villages: Column) -> Strings:
        """12-digit codes; null for a negative position."""
        return pick(self.village_codes, villages)

    def township_code(self, villages: Column) -> Strings:
        """Nine-digit codes of the villages' townships."""
        return pick(self.township_codes, self._township(villages))

    def district_code(self, villages: Column) -> Strings:
        """Six-digit codes of the villages' districts."""
        return pick(self.district_codes, self._district(villages))

    def township_name(self, villages: Column) -> Strings:
        """Names of the villages' townships."""
        return pick(self.township_names, self._township(villages))

    def district_name(self, villages: Column) -> Strings:
        """Names of the villages' districts."""
        return pick(self.district_names, self._district(villages))

    def full_name(self, villages: Column) -> Strings:
        """District, township and village name run together, as addresses write them."""
        return join(
            self.district_name(villages), self.township_name(villages), pick(self.village_names, villages)
        )

    def _township(self, villages: Column) -> Ints:
        return np.where(villages < 0, -1, self.village_township[villages])

    def _district(self, villages: Column) -> Ints:
        return np.where(villages < 0, -1, self.village_district[villages])

    def ruralness(self) -> Column:
        """How rural each village is, 0 street, 1 town, 2 township (GB/T 10114: 001–099, 100–199, 200–399)."""
        serial = np.array([int(code[6:9]) for code in self.township_codes.to_pylist()], dtype=np.int64)
        return np.asarray(np.digitize(serial, [100, 200])[self.village_township])

    def save(self, folder: Path) -> None:
        """Write the places beside the city's state."""
        city = pa.table({"name": [self.city_name]})
        districts = pa.table({"code": self.district_codes, "name": self.district_names})
        townships = pa.table(
            {"code": self.township_codes, "name": self.township_names, "district": self.township_district}
        )
        villages = pa.table(
            {"code": self.village_codes, "name": self.village_names, "township": self.village_township}
        )
        former = pa.table(
            {
                "code": pa.array([it.code for it in self.former], pa.int64()),
                "name": pa.array([it.name for it in self.former], pa.string()),
                "until": pa.array([it.until for it in self.former], pa.int64()),
                "successor": pa.array([it.successor for it in self.former], pa.int64()),
            }
        )
        for name, table in (
            ("city", city),
            ("districts", districts),
            ("townships", townships),
            ("villages", villages),
            ("former", former),
        ):
            pq.write_table(table, folder / f"places_{name}.parquet")

    @classmethod
    def load(cls, folder: Path) -> Places:
        """Read what ``save`` wrote."""

        def read(name: str) -> pa.Table:
            return pq.read_table(folder / f"places_{name}.parquet").combine_chunks()

        districts, townships, villages = read("districts"), read("townships"), read("villages")
        return cls(
            city_name=read("city")["name"][0].as_py(),
            district_codes=_strings(districts, "code"),
            district_names=_strings(districts, "name"),
            township_codes=_strings(townships, "code"),
            township_names=_strings(townships, "name"),
            township_district=townships["district"].to_numpy(),
            village_codes=_strings(villages, "code"),
            village_names=_strings(villages, "name"),
            village_township=villages["township"].to_numpy(),
            former=tuple(FormerDistrict(**row) for row in read("former").to_pylist()),
        )


def _strings(table: pa.Table, name: str) -> Strings:
    return pa.concat_arrays(table[name].chunks) if table[name].num_chunks else pa.array([], pa.string())


def from_regions(regions: RegionList, former: Sequence[FormerDistrict] = ()) -> Places:
    """Arrange a city's regions; a township without villages gets one under its own padded code and name."""
    districts = {region.code: place for place, region in enumerate(regions.districts)}
    townships = [region for region in regions.townships if region.parent_code in districts]
    township_place = {region.code: place for place, region in enumerate(townships)}
    villages = [region for region in regions.villages if region.parent_code in township_place]
    settled = {region.parent_code for region in villages}
    rows = [(region.code, region.name, township_place[region.parent_code]) for region in villages]
    rows += [(it.code, it.name, township_place[it.code]) for it in townships if it.code not in settled]
    rows.sort()
    if not rows:
        raise ValueError("a city needs at least one township")
    return Places(
        city_name=regions.city.name,
        district_codes=pa.array([region.code[:6] for region in regions.districts]),
        district_names=pa.array([region.name for region in regions.districts]),
        township_codes=pa.array([region.code[:9] for region in townships]),
        township_names=pa.array([region.name for region in townships]),
        township_district=np.array([districts[region.parent_code] for region in townships], dtype=np.int64),
        village_codes=pa.array([code.ljust(12, "0") for code, _, _ in rows]),
        village_names=pa.array([name for _, name, _ in rows]),
        village_township=np.array([place for _, _, place in rows], dtype=np.int64),
        former=tuple(former),
    )
