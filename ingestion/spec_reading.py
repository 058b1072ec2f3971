"""YAML in, explained errors out: which file, which path in it, what is wrong and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from huiliu.errors import ConfigError


class _UniqueKeys(yaml.CSafeLoader):
    """A key written twice is an error, where YAML would silently keep the last. In C: DAGs read all specs."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is written twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)


def read_yaml(path: Path) -> object:
    """Return the content of a YAML file; ConfigError names file and line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        raise ConfigError(f"There is no spec {path.name}", fix=f"write {path}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8", fix="save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{path.name} is not valid YAML: {' '.join(str(error).split())}", fix="correct it"
        ) from error


def explain(path: Path, error: ValidationError | str, model: type[BaseModel]) -> ConfigError:
    """Turn what pydantic found (or a sentence) into one ConfigError."""
    if isinstance(error, str):
        return ConfigError(f"{path.name}: {error}", fix=f"correct ingestion/sources/{path.name}")
    # A list whose every member is wrong would also be called too short.
    details = [detail for detail in error.errors() if detail["type"] != "too_short"] or error.errors()
    faults = [_fault(detail, model) for detail in details]
    return ConfigError(f"{path.name}: " + "; ".join(faults), fix=f"correct {path.name} at these places")


def _fault(detail: ErrorDetails, model: type[BaseModel]) -> str:
    place = _place(model, detail["loc"])
    if detail["type"] == "extra_forbidden":
        key = str(detail["loc"][-1])
        return f"{place}: there is no key {key!r}{_nearest(key, _keys_at(model, detail['loc'][:-1]))}"
    if detail["type"] == "union_tag_invalid":
        context = detail["ctx"]
        known = [tag.strip("'") for tag in str(context["expected_tags"]).split(", ")]
        return f"{place}.type: there is no type {context['tag']!r}{_nearest(str(context['tag']), known)}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    return f"{place or 'the spec'}: {detail['msg'].removeprefix('Value error, ')}"


def _place(model: type[BaseModel], loc: Sequence[int | str]) -> str:
    """Write a path as the file's reader sees it: tables[2].columns[0].label, without unions' tags."""
    text = ""
    for depth, part in enumerate(loc):
        if isinstance(part, int):
            text += f"[{part}]"
        elif depth == 0 or part not in _tags_at(model, loc[:depth]):
            text += f".{part}"
    return text.removeprefix(".")


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f", did you mean {close[0]!r}?"
    return f"; known are {', '.join(known)}" if known else ""


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Return the keys that may stand at a path."""
    return [field.alias or name for one in _models_at(model, loc) for name, field in one.model_fields.items()]


def _tags_at(model: type[BaseModel], loc: Sequence[int | str]) -> set[object]:
    """Return the tags of the union at a path; empty if there is none."""
    models = _models_at(model, loc)
    return {tag for one in models for tag in _tags(one)} if len(models) > 1 else set()


def _models_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[type[BaseModel]]:
    """Walk the models along a path; a union is narrowed by its tag."""
    candidates = [model]
    for part in loc:
        if isinstance(part, int):
            continue
        inner = [found for one in candidates for found in _models_under(one, part)]
        candidates = inner or [one for one in candidates if part in _tags(one)]
    return candidates


def _models_under(model: type[BaseModel], key: str) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            yield from _models_in(field.annotation)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _tags(model: type[BaseModel]) -> tuple[object, ...]:
    field = model.model_fields.get("type")
    return get_args(field.annotation) if field is not None else ()
