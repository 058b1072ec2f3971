"""Files, on this machine or on a file server, bare or packed."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ingestion.containers.capabilities import Capabilities, ContainerModel
from ingestion.strict import Name

Encoding = Literal["utf-8", "utf-8-sig", "gb18030", "gbk"]


class FileContainer(ContainerModel):
    """Files of one form, on this machine or below the base folder of `server` (HUILIU_URL_<SERVER>=sftp://…).

    `path` may name {home}, {registry}, {regions}, {region_changes} and {table}; its last part may be a glob.
    Of a .zip (or of any name, if `zipped`) the one member is read, or those that match `member`.
    """

    can: ClassVar[Capabilities] = Capabilities(new_files=True, manifest="file")

    server: Name | None = None
    path: str | None = None  # given by at_source of each table when it is not given here
    zipped: bool | None = None  # default: by the file's name
    member: str | None = None
    timeout_seconds: float = Field(default=60, gt=0)

    def fault(self, at_source: str | None) -> str | None:
        path = self.path or at_source
        if not path:
            return "say its file in at_source, or a path in container"
        if self.server is None and not path.startswith(("/", "{")):
            # Each of the command line, Airflow and the tests runs in a folder of its own.
            return f"the path {path} is neither absolute nor begins with {{home}} or another folder's name"
        return None


class CsvContainer(FileContainer):
    """CSV in a declared encoding, with a header row."""

    type: Literal["csv"]
    encoding: Encoding = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)


class ExcelContainer(FileContainer):
    """An .xlsx or .xls ledger: title rows above, one or two header rows (merged cells), a sheet per office.

    `note_rows` are first words of rows that are remarks, totals or signatures and not records.
    """

    type: Literal["excel"]
    header_rows: Literal[1, 2] = 2
    header_within: int = Field(default=20, ge=1, le=200)
    note_rows: tuple[str, ...] = ()


class JsonContainer(FileContainer):
    """JSON: a record a line (`lines`), or one document whose `records` (`data.list`) is the list of them; a
    column's source_name may lead into a record (`properties.name`).
    """

    type: Literal["json"]
    lines: bool = False
    records: str = ""  # path to the list; empty: the document is the list
    encoding: Encoding = "utf-8"

    def fault(self, at_source: str | None) -> str | None:
        if self.lines and self.records:
            return "records belongs to a whole document, not to lines"
        return super().fault(at_source)


class XmlContainer(FileContainer):
    """XML: `record` names the element of a record, or the path to it (`Data/Rows/Row`); a column's
    source_name leads into it (`Address/City`, `@id`). Namespaces don't count.
    """

    type: Literal["xml"]
    record: str = Field(min_length=1)


class FixedWidthContainer(FileContainer):
    """Lines whose columns are places, counted in bytes; `skip_lines` stand above the records."""

    can: ClassVar[Capabilities] = Capabilities(new_files=True, fixed_widths=True, manifest="file")

    type: Literal["fixed_width"]
    encoding: Literal["utf-8", "gb18030", "gbk"] = "gb18030"
    skip_lines: int = Field(default=0, ge=0)
