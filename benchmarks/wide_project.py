"""A copy of the dbt project whose tags are multiplied, to see what a profile of 2,100 tags costs."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import yaml

_PROFILE = Path("models/theme/profile")
_REFERENCE = re.compile(r"^.*ref\('theme_profile__(\w+)'\).*\n", re.MULTILINE)


@dataclass(frozen=True)
class WideGroup:
    """A generated group: its model, the group it copies, and the original of each of its tags."""

    model: str
    template: str
    tags: dict[str, str] = field(default_factory=dict)

    def named(self, original: str) -> str:
        """Return the first copy of a tag."""
        return next(name for name, copied in self.tags.items() if copied == original)


def widen(source: Path, folder: Path, *, tags: int, groups: int) -> list[WideGroup]:
    """Copy the project into a folder with so many tags in so many groups, each with a rule of a real one."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target", "logs"))
    profile = folder / _PROFILE
    real = sorted(
        path.with_suffix("").name for path in profile.glob("*.yml") if "rule:" in path.read_text("utf-8")
    )
    sizes = [tags // groups + (number < tags % groups) for number in range(groups)]
    made = [
        _write_group(profile, template, number, size)
        for number, (template, size) in enumerate(zip(cycle(real), sizes, strict=False))
    ]
    for name in real:
        (profile / f"{name}.yml").unlink()
        (profile / f"{name}.sql").unlink()
    _write_registry(profile / "theme_profile__tag.sql", made)
    _write_view(profile / "theme_profile__person.sql", made)
    return made


def _write_group(profile: Path, template: str, number: int, size: int) -> WideGroup:
    described = yaml.safe_load((profile / f"{template}.yml").read_text("utf-8"))
    model: dict[str, Any] = described["models"][0]
    key, *columns = model["columns"]
    group = WideGroup(f"theme_profile__wide_{number:02}", template)
    copies = []
    for place, column in enumerate(islice(cycle(columns), size)):
        name = f"{column['name']}_{number:02}_{place // len(columns):02}"
        group.tags[name] = column["name"]
        copies.append(column | {"name": name})
    model |= {"name": group.model, "columns": [key, *copies]}
    text = yaml.safe_dump(described, allow_unicode=True, sort_keys=False)
    (profile / f"{group.model}.yml").write_text(text, "utf-8")
    body = (profile / f"{template}.sql").read_text("utf-8")
    (profile / f"{group.model}.sql").write_text(body.replace(f"'{template}'", f"'{group.model}'"), "utf-8")
    return group


def _write_registry(path: Path, groups: list[WideGroup]) -> None:
    waits = "".join(f"-- depends_on: {{{{ ref('{group.model}') }}}}\n" for group in groups)
    lines = path.read_text("utf-8").split("\n\n", 1)
    path.write_text(_REFERENCE.sub("", lines[0] + "\n") + waits + "\n" + lines[1], "utf-8")


def _write_view(path: Path, groups: list[WideGroup]) -> None:
    objects = [f"coalesce(to_jsonb(g{number}) - 'person_key', '{{}}')" for number in range(len(groups))]
    joins = [
        f"left join {{{{ ref('{group.model}') }}}} as g{number} on g0.person_key = g{number}.person_key"
        for number, group in enumerate(groups)
    ]
    joins[0] = f"from {{{{ ref('{groups[0].model}') }}}} as g0"
    body = "select g0.person_key, " + " || ".join(objects) + " as tags\n" + "\n".join(joins)
    path.write_text("{{ config(materialized='view') }}\n" + body + "\n", "utf-8")
