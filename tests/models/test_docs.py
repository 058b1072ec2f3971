"""The documentation is files that load nothing from elsewhere and hold every column."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from huiliu import docs
from tests.models.conftest import project

# What a browser fetches by itself; a link that somebody may click on is none.
FETCHED = re.compile(
    r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//|url\(\s*[\"']?http"
)


@pytest.fixture(scope="module")
def written(built_city: Path) -> dict[str, Path]:
    """The files of the documentation by name."""
    return {path.name: path for path in docs.write_docs()}


def test_every_column_stands_in_each_form_of_the_dictionary(written: dict[str, Path]) -> None:
    expected = [(entry.table, entry.column) for entry in docs.entries(project())]
    with written["dictionary.csv"].open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    sheet = CalamineWorkbook.from_path(written["dictionary.xlsx"]).get_sheet_by_index(0).to_python()
    assert tuple(header) == docs.HEADER
    assert [(row[1], row[3]) for row in rows] == expected
    assert [[str(cell) for cell in row] for row in sheet] == [header, *rows]
    page = written["dictionary.html"].read_text(encoding="utf-8")
    assert page.count("<tr>") == len(expected) + 1
    assert all(all(row[:8]) for row in rows)


def test_the_pages_need_no_network(written: dict[str, Path]) -> None:
    for name in ("dictionary.html", "dbt.html"):
        assert FETCHED.findall(written[name].read_text(encoding="utf-8")) == []
    assert FETCHED.search('<script src="https://cdn.example/x.js">')


def test_dbt_s_page_has_the_catalogue_and_reports_to_nobody(written: dict[str, Path]) -> None:
    page = written["dbt.html"].read_text(encoding="utf-8")
    assert re.search(r'"send_anonymous_usage_stats": ?false', page)
    assert re.search(r'"type": ?"uuid", ?"index": ?\d+, ?"name": ?"person_key"', page)
    assert json.dumps("｜数源部门：市公安局").strip('"') in page
