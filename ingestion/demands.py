"""Demand lists 需求清单: `demand_lists/*.yml`, and the task table that an accepted load strikes off.

A task is one resource that a lead department asks for in one item of a list. It is closed by the first
accepted load (ops.strike_off_tasks says what that is) and stays closed: the next round is a new list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from psycopg.rows import class_row
from pydantic import Field, ValidationError, model_validator

from huiliu import business_date
from huiliu.database import Connection, connect
from huiliu.errors import ConfigError
from ingestion.spec_reading import explain, read_yaml
from ingestion.strict import Name, Strict

LISTS = Path(__file__).parent / "demand_lists"

ResourceId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class Resource(Strict):
    """A resource that is asked for: `<source>.<table>`, connected yet or not, and who is to give it."""

    id: ResourceId
    from_department: str = Field(alias="from")


class Demand(Strict):
    """One item of a list: what a lead department needs, for what, by when."""

    item: int = Field(ge=1)
    what: str
    lead_department: str
    due_on: date
    resources: tuple[Resource, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _resources_once(self) -> Self:
        ids = [resource.id for resource in self.resources]
        if len(set(ids)) != len(ids):
            raise ValueError(f"item {self.item} names a resource twice")
        return self


class DemandList(Strict):
    """A demand list as it was issued; `name` is the file's name."""

    name: Name
    title: str
    issued_on: date
    demands: tuple[Demand, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _items_once(self) -> Self:
        items = [demand.item for demand in self.demands]
        if len(set(items)) != len(items):
            raise ValueError("an item number is used twice")
        early = [demand.item for demand in self.demands if demand.due_on < self.issued_on]
        if early:
            raise ValueError(f"item {early[0]} is due before the list was issued")
        return self


@dataclass(frozen=True)
class Task:
    """A row of the task table. `state`: open, overdue, closed or withdrawn, by the business date."""

    list: str
    item: int
    resource_id: str
    what: str
    lead_department: str
    from_department: str
    due_on: date
    state: str
    closed_on: date | None
    closed_by_batch: int | None


def load_lists(folder: Path | None = None) -> list[DemandList]:
    """Read every demand list, in the order of names; ConfigError says all that is wrong with any of them."""
    found: list[DemandList] = []
    wrong: list[ConfigError] = []
    for path in sorted((folder or LISTS).glob("*.yml")):
        try:
            found.append(_load(path))
        except ConfigError as error:
            wrong.append(error)
    if wrong:
        raise ConfigError(
            "; ".join(error.message for error in wrong), fix="correct these lists in ingestion/demand_lists"
        )
    return found


def _load(path: Path) -> DemandList:
    try:
        demand_list = DemandList.model_validate(read_yaml(path))
    except ValidationError as error:
        raise explain(path, error, DemandList) from error
    if demand_list.name != path.stem:
        raise ConfigError(
            f"{path.name}: name is {demand_list.name!r}", fix=f"write name: {path.stem}, or rename the file"
        )
    return demand_list


def register(conn: Connection, lists: Sequence[DemandList]) -> None:
    """Enter the lists' tasks in the task table; what is no longer listed is withdrawn unless it was met."""
    tasks = [values for one in lists for values in _tasks(one)]
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.demand_task (
                list, item, resource_id, list_title, what, lead_department, from_department, issued_on, due_on
            ) values (
                %(list)s, %(item)s, %(resource_id)s, %(list_title)s, %(what)s, %(lead_department)s,
                %(from_department)s, %(issued_on)s, %(due_on)s
            )
            on conflict (list, item, resource_id) do update set
                list_title = excluded.list_title, what = excluded.what,
                lead_department = excluded.lead_department, from_department = excluded.from_department,
                issued_on = excluded.issued_on, due_on = excluded.due_on, withdrawn = false
            where demand_task.closed_at is null
            """,
            tasks,
        )
        cursor.execute(
            """
            update ops.demand_task set withdrawn = true
            where closed_at is null and not withdrawn and not exists (
                select from unnest(%s::text[], %s::integer[], %s::text[]) as listed (list, item, resource_id)
                where (listed.list, listed.item, listed.resource_id)
                    = (demand_task.list, demand_task.item, demand_task.resource_id)
            )
            """,
            [[task[key] for task in tasks] for key in ("list", "item", "resource_id")],
        )


def _tasks(demand_list: DemandList) -> Iterator[dict[str, Any]]:
    for demand in demand_list.demands:
        for resource in demand.resources:
            yield {
                "list": demand_list.name,
                "item": demand.item,
                "resource_id": resource.id,
                "list_title": demand_list.title,
                "what": demand.what,
                "lead_department": demand.lead_department,
                "from_department": resource.from_department,
                "issued_on": demand_list.issued_on,
                "due_on": demand.due_on,
            }


def settle(lists: Sequence[DemandList] | None = None) -> list[Task]:
    """Bring the task table up to date with the lists and the accepted loads; return all its tasks.

    Safe to call at any time, any number of times. ConfigError if a list is wrong or
    there is no business date yet; nothing changes then.
    """
    known = load_lists() if lists is None else lists
    with connect("warehouse:ingest", autocommit=True) as conn:
        business_date.get(conn)  # without one, nothing could be said of any task
        register(conn, known)
        conn.execute("select ops.strike_off_tasks()")
        with conn.cursor(row_factory=class_row(Task)) as cursor:
            return cursor.execute(
                "select list, item, resource_id, what, lead_department, from_department, due_on, state,"
                " closed_on, closed_by_batch from ops.demand_task_state order by list, item, resource_id"
            ).fetchall()
