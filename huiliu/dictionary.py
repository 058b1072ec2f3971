"""The dictionary's entry: what is said of one column of the warehouse, in files and as its comment."""

from __future__ import annotations

from dataclasses import dataclass

CLASSIFICATIONS = {"public": "公开", "internal": "内部", "sensitive": "敏感", "highly_sensitive": "高度敏感"}


@dataclass(frozen=True)
class Entry:
    """One column; what is said of its table stands with each. `classification` is a key of CLASSIFICATIONS.

    Texts are empty where nothing is said.
    """

    layer: str
    table: str
    table_description: str
    column: str
    label: str
    type: str
    classification: str
    department: str
    description: str

    @property
    def comment(self) -> str:
        """The column's comment in the database; macros/comments.sql writes the same for models."""
        parts = [f"{self.label}：{self.description}" if self.description else self.label]
        parts += [f"分级：{CLASSIFICATIONS[self.classification]}"] if self.classification else []
        parts += [f"数源部门：{self.department}"] if self.department else []
        return "｜".join(parts)

    @property
    def gaps(self) -> list[str]:
        """What nobody has said of the column: label, description, classification, department."""
        found = [name for name in ("label", "description", "department") if not getattr(self, name)]
        return found + ([] if self.classification in CLASSIFICATIONS else ["classification"])


def entry_of(
    text: str, *, table: tuple[str, str, str], column: str, type_: str, classification: str, department: str
) -> Entry:
    """Make an entry of "<label>：<description>"; `table` is its layer, name and description."""
    label, _, description = text.strip().partition("：")
    return Entry(*table, column, label, type_, classification, department, description)
