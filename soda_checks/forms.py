"""A rule's form filled in for the place it is bound at: plain SQL over the rows of one table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from psycopg import sql

from huiliu import departments
from soda_checks.bindings import Binding
from soda_checks.dbt_models import Model
from soda_checks.rules import BUSINESS_DATE, PLACEHOLDER, ROWS, THESE_BATCHES, Form, Parameter, catalogue

_RAW_NAME = re.compile(r"\b([a-z][a-z0-9_]*)_raw\b")
_VARIABLE = re.compile(r"\$\{[^}]*\}?")
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_IN_ORDER = (("min", "max"), ("above", "max"), ("earliest", "latest"))


@dataclass(frozen=True)
class Filled:
    """A rule at its place: its form's name, its Chinese title, which rows it tests and which fail.

    Or, in `groups`, the query that counts both.
    """

    form: str | None
    title: str
    given: str | None
    fails: str | None
    query: str | None
    groups: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a rule is bound: a column of a model ('' for the table itself), among all models."""

    model: Model
    models: Mapping[str, Model]
    key: list[str]
    column: str

    @property
    def is_staging(self) -> bool:
        """Whether the source's own texts can be read."""
        return self.model.layer == "staging"


def fill(rule_id: str, binding: Binding, place: Place) -> Filled:
    """Give a binding's SQL; ValueError says what is wrong with it."""
    rule = catalogue().rules[rule_id]
    if binding.is_own:
        own = [binding.fails] if binding.fails else None
        name, form = None, Form.model_construct(fails=own, query=binding.query)
    else:
        name, form = _chosen(rule.forms, binding, place)
    values = _values(form, binding, place)
    for low, high in _IN_ORDER:
        if {low, high} <= set(binding.parameters) and binding.parameters[low] > binding.parameters[high]:
            raise ValueError(f"{low} is beyond {high}")
    if form.groups is not None and binding.given is not None:
        raise ValueError("given says something of a row; this form has no rows of the table")
    given = _given(form, binding, values, place.model)
    values["given"] = given or "true"
    lines = [_of_the_row(_filled(line, values), place.model) for line in form.lines(set(binding.parameters))]
    filled = Filled(
        form=name,
        title=form.title or rule.title,
        given=given,
        fails=" or ".join(lines) or None,
        query=_filled(form.query, values) if form.query else None,
        groups=_filled(form.groups, values) if form.groups else None,
    )
    _check_names(filled, place.model)
    return filled


def _chosen(forms: Mapping[str, Form], binding: Binding, place: Place) -> tuple[str, Form]:
    if binding.form is not None and binding.form not in forms:
        raise ValueError(f"there is no form {binding.form}; the rule has {', '.join(forms)}")
    reasons = []
    for name, form in forms.items():
        if binding.form not in (None, name):
            continue
        reason = _unfit(form, set(binding.parameters), place)
        if reason is None:
            return name, form
        reasons.append(f"{name} {reason}")
    raise ValueError(f"no form of the rule fits: {'; '.join(reasons)}")


def _unfit(form: Form, given: set[str], place: Place) -> str | None:
    """Why a form cannot be bound so; None if it can."""
    unknown = given - set(form.parameters)
    if unknown:
        return f"has no parameter {', '.join(sorted(unknown))}"
    missing = {name for name, it in form.parameters.items() if it.required} - given
    if missing:
        return f"wants {', '.join(sorted(missing))}"
    if form.fails is not None and not form.lines(given):
        return f"wants one of {', '.join(form.parameters)}"
    if "raw" in form.placeholders and not place.is_staging:
        return "reads the source's text, which only staging has"
    if form.groups is not None and not place.is_staging:
        return "counts what landed, which only staging stands for"
    needed = {name for text in _texts(form, given) for name in PLACEHOLDER.findall(text)}
    if not place.column and needed & {"column", "raw"}:
        return "stands under a column"
    return None


def _texts(form: Form, given: set[str]) -> list[str]:
    defaults = [it.default or "" for name, it in form.parameters.items() if name not in given]
    return [form.given or "", *form.lines(given), form.query or "", *defaults]


def _values(form: Form, binding: Binding, place: Place) -> dict[str, str]:
    """What stands in the place of each placeholder."""
    keys = [_identifier(name) for name in place.key]
    values = {"key": ", ".join(keys), "own_key": ", ".join(f"own.{name}" for name in keys)}
    if place.column:
        values |= {"column": _identifier(place.column), "raw": _identifier(f"{place.column}_raw")}
    if place.is_staging:
        values |= _landed(place.model)
    told: dict[str, object] = {"column": place.column}
    for name, parameter in form.parameters.items():
        if name in binding.parameters:
            told[name] = binding.parameters[name]
        elif parameter.default is not None:
            told[name] = _default(parameter.default, told)
        else:
            continue
        values[name] = _rendered(name, parameter, told, place)
    return values


def _landed(model: Model) -> dict[str, str]:
    """What leads from a staging table to its loads."""
    landed = model.name.removeprefix("stg_")
    source, _, table = landed.partition("__")
    loads = sql.SQL("(select * from ops.load_run where source = {} and table_name = {} and {})").format(
        sql.Literal(source), sql.Literal(table), sql.SQL(THESE_BATCHES)
    )
    return {
        "own_name": sql.Literal(model.name).as_string(),
        "own_table": sql.Identifier(model.layer, model.name).as_string(),
        "raw_table": sql.Identifier("raw", landed).as_string(),
        "loads": loads.as_string(),
    }


def _default(default: str, told: Mapping[str, object]) -> object:
    """A default is a value, or the bound column, or a parameter before it."""
    named = PLACEHOLDER.fullmatch(default)
    return told[named[1]] if named else default


def _rendered(name: str, parameter: Parameter, told: Mapping[str, object], place: Place) -> str:
    model = place.model
    if parameter.of and told[parameter.of] != ROWS:
        model = _other(told[parameter.of], place)
    try:
        return _RENDER[parameter.kind](told[name], model, place)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _given(form: Form, binding: Binding, values: Mapping[str, str], model: Model) -> str | None:
    """Which rows are tested: on the days it holds, what the binding says, what the form says."""
    bounds = ((">=", binding.effective_from), ("<=", binding.effective_until))
    parts = [f"{BUSINESS_DATE} {sign} {_date(day)}" for sign, day in bounds if day]
    parts += [_of_the_row(_filled(text, values), model) for text in (binding.given, form.given) if text]
    return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else next(iter(parts), None)


def _filled(text: str, values: Mapping[str, str]) -> str:
    unknown = set(PLACEHOLDER.findall(text)) - set(values)
    if unknown:
        raise ValueError(f"nothing to put for {', '.join(sorted(unknown))}")
    return PLACEHOLDER.sub(lambda found: values[found[1]], text)


def _check_names(filled: Filled, model: Model) -> None:
    parts = (filled.given, filled.fails, filled.query, filled.groups)
    text = " ".join(part for part in parts if part)
    names = set(_RAW_NAME.findall(text))
    unknown = {name for name in names if name not in model.raw and f"{name}_raw" not in model.columns}
    if unknown:
        raise ValueError(f"the source sends no column {', '.join(sorted(unknown))}")
    variables = set(_VARIABLE.findall(text)) - {ROWS, BUSINESS_DATE, THESE_BATCHES}
    if variables:
        raise ValueError(f"there is no variable {', '.join(sorted(variables))}")


def _of_the_row(text: str, model: Model) -> str:
    """SQL as it is; ValueError if it says the same of every row."""
    if not _RAW_NAME.search(text) and set(model.columns).isdisjoint(_WORD.findall(text)):
        raise ValueError(f"({text}) names no column, so it says the same of every row")
    return text


def _identifier(name: str) -> str:
    return sql.Identifier(name).as_string()


def _date(day: date) -> str:
    return f"date '{day:%Y-%m-%d}'"


def known_column(name: object, model: Model) -> str:
    """A column's name; ValueError if the model's YAML has none so called."""
    if name not in model.columns:
        raise ValueError(f"{model.name} has no column {name}")
    return str(name)


def known_department(name: str) -> None:
    """ValueError unless corrections can be sent to a department of this name."""
    if name not in departments.load():
        raise ValueError(f"reference/departments.csv has no department {name or repr(name)}")


def _other(name: object, place: Place) -> Model:
    if name not in place.models:
        raise ValueError(f"there is no dbt model {name}")
    return place.models[str(name)]


def _columns(value: object, model: Model, _: Place) -> str:
    names = value if isinstance(value, list) else [value]
    if not names:
        raise ValueError("names no column")
    return ", ".join(_identifier(known_column(name, model)) for name in names)


def _table(value: object, _: Model, place: Place) -> str:
    if value == ROWS:
        return ROWS
    model = _other(value, place)
    return sql.Identifier(model.layer, model.name).as_string()


def _codes(value: object, _: Model, __: Place) -> str:
    if not isinstance(value, list) or not value:
        raise ValueError("is a list of codes")
    for code in value:
        if not isinstance(code, str) or not code.strip():
            raise ValueError(f"a code is a text within quotes, not {code!r}")
    return ", ".join(sql.Literal(code).as_string() for code in value)


def _number(value: object, _: Model, __: Place) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("is a number")
    return str(value)


def _text(value: object, _: Model, __: Place) -> str:
    if not isinstance(value, str):
        raise ValueError("is a text")
    return sql.Literal(value).as_string()


def _day(value: object, _: Model, __: Place) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("is a date")
    return _date(value)


def _condition(value: object, _: Model, __: Place) -> str:
    if not isinstance(value, str):
        raise ValueError("is SQL")
    return value


_RENDER: Mapping[str, Callable[[object, Model, Place], str]] = {
    "column": lambda value, model, _: _identifier(known_column(value, model)),
    "columns": _columns,
    "raw": lambda value, _, __: _identifier(f"{value}_raw"),
    "table": _table,
    "values": _codes,
    "number": _number,
    "text": _text,
    "date": _day,
    "sql": _condition,
}
