"""What an address names, read from the region codes alone: plain search, nothing of the models."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field

from huiliu.regions import RegionChange, Regions

_OFFICES = ("街道办事处", "街道办", "街道", "办事处", "街办", "办")
# Cities around, and the word of every other province; none of them may be taken for ours.
_ELSEWHERE = re.compile(
    "(山东省?)?(青岛|威海|日照|潍坊|济南|淄博|临沂|东营|莱西|即墨|乳山|文登|荣成)市?[^路街]|[^山东路街]{2,3}省|北京市|上海市|天津市|重庆市"
)
_COMMITTEE = re.compile(r"(社区)?(村民委员会|村委会|居民委员会|居委会|社区居)$|(?<=.)(村|社区)$")


def normal(address: str) -> str:
    """Return the text with half-width characters and without blanks."""
    return "".join(unicodedata.normalize("NFKC", address).split())


@dataclass(frozen=True)
class Named:
    """The codes an address names (6, 9 and 12 digits), and what is left behind its district."""

    districts: set[str]
    townships: set[str]
    villages: set[str]
    is_elsewhere: bool


@dataclass
class Oracle:
    """The names of a city's divisions, and who bears each of them."""

    city: str
    province: str
    districts: dict[str, str]
    townships: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    villages: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )

    @classmethod
    def of(cls, regions: Regions, changes: list[RegionChange], province: str) -> Oracle:
        """Return the oracle of a city."""
        city = regions.city.name.removesuffix("市")
        oracle = cls(city, province, {region.name: region.code[:6] for region in regions.districts})
        oracle.districts |= {change.old_name: change.new_code[:6] for change in changes}
        for township in regions.townships:
            for written in _written(township.name):
                oracle.townships[township.code[:6]][written] = township.code[:9]
        for village in regions.villages:
            stem = _COMMITTEE.sub("", _COMMITTEE.sub("", village.name))
            if len(stem) > 1:
                oracle.villages[village.code[:9]][stem].add(village.code)
        return oracle

    def read(self, address: str) -> Named:
        """Say what an address names beyond doubt."""
        text = normal(address)
        if _ELSEWHERE.match(text):
            return Named(set(), set(), set(), is_elsewhere=True)
        behind = re.sub(f"^{self.province}省?", "", text)
        behind = re.sub(f"^{self.city}市?(?=.*[市区县])", "", behind)
        found = [name for name in self.districts if behind.startswith(name)]
        if not found:
            return Named(set(), set(), set(), is_elsewhere=False)
        name = max(found, key=len)
        return self._below(self.districts[name], behind[len(name) :])

    def _below(self, district: str, text: str) -> Named:
        named = [name for name in self.townships[district] if text.startswith(name)]
        if not named:
            return Named({district}, set(), set(), is_elsewhere=False)
        township = max(named, key=len)
        code = self.townships[district][township]
        rest = text[len(township) :]
        stems = [
            stem
            for stem in self.villages[code]
            if rest.startswith((f"{stem}村", f"{stem}社区", f"{stem}居委"))
            and not re.match(r"[村社区居委]+[东西南北中]?[路街镇乡河]", rest[len(stem) :])
        ]
        villages = self.villages[code][max(stems, key=len)] if stems else set()
        return Named({district}, {code}, villages, is_elsewhere=False)


def _written(name: str) -> list[str]:
    """Return how a township's current name is written, its office included."""
    stem = name.removesuffix("街道")
    if stem != name and len(stem) > 1:
        return [stem + office for office in _OFFICES]
    return [name]
