"""The documentation that opens without a network: dbt's site as one file, and the data dictionary."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import jinja2
import xlsxwriter

from huiliu.dictionary import CLASSIFICATIONS, Entry
from huiliu.settings import get_settings
from ingestion import dictionary as of_raw
from ingestion.spec import read_specs
from transformation import dictionary as of_models
from transformation.dbt_runner import DbtProject

LAYERS = {
    "raw": "原始层",
    "staging": "贴源层",
    "base": "基础库",
    "theme": "主题库",
    "special": "专题库",
    "return": "回流层",
    "metrics": "指标",
}
HEADER = ("层", "表", "表说明", "字段", "标签", "类型", "分级", "数源部门", "说明")
WIDTHS = (8, 38, 40, 26, 18, 14, 10, 22, 60)  # of the workbook's columns, in characters

_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>数据字典</title><style>
body { font: 14px/1.5 sans-serif; margin: 1.5rem; color: #222 }
input { font: inherit; width: 30rem; padding: .3rem .5rem }
table { border-collapse: collapse; margin-top: 1rem }
th, td { border: 1px solid #ccc; padding: .2rem .5rem; text-align: left; vertical-align: top }
td:nth-child(1), td:nth-child(7), td:nth-child(8) { white-space: nowrap }
th { background: #eee; position: sticky; top: 0 }
</style></head><body>
<h1>数据字典</h1>
<p>共 {{ tables }} 张表、{{ rows | length }} 个字段。</p>
<input id="find" type="search" placeholder="查找：表、字段、标签、分级、数源部门……" autofocus>
<table><thead><tr>{% for name in header %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{%- for row in rows %}
<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table>
<script>
const rows = [...document.querySelectorAll("tbody tr")].map(row => [row, row.textContent.toLowerCase()]);
document.getElementById("find").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\\s+/);
  for (const [row, text] of rows) row.hidden = !words.every(word => text.includes(word));
});
</script></body></html>
"""


def write_docs() -> list[Path]:
    """Write HUILIU_HOME/docs anew from the project and the built warehouse; return its files.

    Raises TransientError if the warehouse is unreachable, ConfigError if the project does not parse.
    """
    project = DbtProject()
    rows = [_cells(entry) for entry in entries(project)]
    folder = get_settings().home / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    page, text, book = (folder / f"dictionary.{ending}" for ending in ("html", "csv", "xlsx"))
    _write_page(page, rows)
    _write_csv(text, rows)
    _write_workbook(book, rows)
    return [page, text, book, project.write_site(folder / "dbt.html")]


def entries(project: DbtProject) -> list[Entry]:
    """Return the entries of every readable source, then of the models and seeds from layer to layer."""
    specs = read_specs()[0].values()
    found = [entry for spec in specs for entry in of_raw.entries(spec)] + of_models.entries(project.manifest)
    return sorted(found, key=lambda entry: [*LAYERS].index(entry.layer))


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        LAYERS[entry.layer],
        entry.table,
        entry.table_description,
        entry.column,
        entry.label,
        entry.type,
        CLASSIFICATIONS.get(entry.classification, ""),
        entry.department,
        entry.description,
    )


def _write_page(path: Path, rows: list[tuple[str, ...]]) -> None:
    template = jinja2.Environment(autoescape=True).from_string(_PAGE)
    tables = len({row[:2] for row in rows})
    path.write_text(template.render(header=HEADER, rows=rows, tables=tables), encoding="utf-8")


def _write_csv(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    # The mark at the beginning tells spreadsheet programs the encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])


def _write_workbook(path: Path, rows: list[tuple[str, ...]]) -> None:
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("数据字典")
    bold = book.add_format({"bold": True})
    for number, (name, width) in enumerate(zip(HEADER, WIDTHS, strict=True)):
        sheet.set_column(number, number, width)
        sheet.write_string(0, number, name, bold)
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(rows), len(HEADER) - 1)
    book.close()
