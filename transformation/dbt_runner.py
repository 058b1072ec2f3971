"""dbt in this process: one parse, then commands over the parsed project; no file that may hold personal data.

dbt's own log and run results would repeat PostgreSQL's error details, values included, so neither is written;
what a model answered is kept, without them, in ops.model_run. Compiled SQL is under the target folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from psycopg.conninfo import conninfo_to_dict

from huiliu.connections import dsn
from huiliu.errors import ConfigError, HuiliuError, TransientError
from huiliu.settings import get_settings
from transformation.dictionary import complete

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

_PROJECT_FILES = (".sql", ".yml", ".csv", ".md")
_QUIET = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "False", "DO_NOT_TRACK": "1"}
_MODELS_ONLY = ("--resource-type", "model", "--resource-type", "seed")

Progress = Callable[[str, str], None]


@dataclass(frozen=True)
class NodeRun:
    """What one model (or test) came to; ``rows`` is how many rows it wrote, None if unknown."""

    name: str
    status: str
    seconds: float
    rows: int | None
    message: str


class DbtProject:
    """A dbt project folder, with its parse cache and compiled SQL kept in HUILIU_HOME."""

    def __init__(self, folder: Path | None = None) -> None:
        settings = get_settings()
        self.profiles = settings.project_root / "dbt_project"
        self.folder = folder or self.profiles
        # Another folder's parse cache must never be taken for this one's.
        mark = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:8]
        self.state = settings.home / "dbt" / f"{self.folder.name}-{mark}"
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The parsed project; ConfigError if it does not parse."""
        if self._manifest is None:
            self._seed_parse_cache()
            database = _connection_variables()["HUILIU_DBT_DATABASE"]
            self._manifest = _parsed(tuple(self._arguments("parse")), self.fingerprint(), database)
        return self._manifest

    def _seed_parse_cache(self) -> None:
        """Begin with what `make lint` parsed of this folder: dbt parses again only the files that differ."""
        own, linted = (folder / "target" / "partial_parse.msgpack" for folder in (self.state, self.folder))
        if linted.exists() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            partial = own.with_suffix(f".{os.getpid()}")
            shutil.copyfile(linted, partial)
            partial.replace(own)

    def fingerprint(self) -> str:
        """Return a hash of the project's files: the same if and only if no model, macro or seed changed."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.suffix in _PROJECT_FILES:
                digest.update(str(path.relative_to(self.folder)).encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def touched_by(self) -> list[tuple[str, str]]:
        """Return (parent, child) for every model that recomputes what a parent model touched."""
        links = []
        for node in self.manifest.nodes.values():
            declared = node.config.get("touched_by")
            if isinstance(declared, Mapping):
                links += [(parent, node.name) for parent in declared if not parent.startswith("source:")]
        for exposure in self.manifest.exposures.values():
            meta = exposure.config.meta or exposure.meta
            links += [(parent, meta["writes"]) for parent in meta.get("touched_by", {})]
        return links

    def has_exposure(self, name: str) -> bool:
        """Whether a step outside dbt of this name reads models of the project."""
        return any(exposure.name == name for exposure in self.manifest.exposures.values())

    def standing_on(self, names: Collection[str]) -> list[str]:
        """Return the models below any of these models, the models themselves left out."""
        nodes = self.manifest.nodes
        starts = [node.unique_id for node in nodes.values() if node.name in names]
        below = _reached(self.manifest.child_map, starts)
        return sorted({nodes[unique_id].name for unique_id in below} - set(names))

    def between(self, first: Collection[str], last: Collection[str]) -> list[str]:
        """Return the tables on the ways from some models to others, both included; views hold nothing."""
        nodes = self.manifest.nodes.values()
        below = {*first, *self.standing_on(first)}
        ends = [node.unique_id for node in nodes if node.name in last]
        above = _reached(self.manifest.parent_map, ends)
        return sorted(
            node.name
            for node in nodes
            if node.name in below and node.unique_id in above and node.config.materialized != "view"
        )

    def run_models(
        self,
        *,
        full_refresh: bool = False,
        select: str | None = None,
        exclude: str | None = None,
        seeds: bool = True,
        progress: Progress | None = None,
    ) -> list[NodeRun]:
        """Build seeds and models in order; a failed one skips what stands on it. Raises if dbt fails.

        Without ``seeds`` (and with them tests) dbt has half as much to look up before it begins.
        """
        arguments = [*self._arguments("build"), *_MODELS_ONLY] if seeds else self._arguments("run")
        arguments += ["--full-refresh"] if full_refresh else []
        return self._nodes(arguments, select, exclude, progress)

    def run_tests(
        self, *, kind: str, select: str | None = None, progress: Progress | None = None
    ) -> list[NodeRun]:
        """Run the tests of a kind: ``data`` on the built tables, or ``unit`` on the models' logic."""
        # A space in a selection means "or", a comma "and", which binds closer.
        parts = [f"{part},test_type:{kind}" for part in select.split()] if select else [f"test_type:{kind}"]
        return self._nodes(self._arguments("test"), " ".join(parts), None, progress)

    def write_site(self, path: Path) -> Path:
        """Write dbt's documentation of the project and the built tables as one file that needs no network."""
        self.manifest.write(str(self.state / "target" / "manifest.json"))  # type: ignore[no-untyped-call]  # dbt's own
        generate = ["docs", "generate", *self._arguments("docs")[1:], "--static", "--no-compile"]
        _invoke(generate, manifest=self.manifest, progress=None)
        shutil.copyfile(self.state / "target" / "static_index.html", path)
        return path

    def _nodes(
        self, arguments: Sequence[str], select: str | None, exclude: str | None, progress: Progress | None
    ) -> list[NodeRun]:
        chosen = ["--select", *select.split()] if select else []
        dropped = ["--exclude", *exclude.split()] if exclude else []
        result = _invoke(
            [*arguments, *chosen, *dropped, "--no-write-json"], manifest=self.manifest, progress=progress
        )
        return [_node_run(node) for node in cast("RunExecutionResult", result).results]

    def _arguments(self, command: str) -> list[str]:
        places = {
            "--project-dir": self.folder,
            "--profiles-dir": self.profiles,
            "--target-path": self.state / "target",
            "--log-path": self.state / "logs",
            "--log-level": "none",
            "--log-level-file": "none",
        }
        return [command, *(str(part) for pair in places.items() for part in pair), "--no-version-check"]


def _reached(links: Mapping[str, Sequence[str]], starts: Collection[str]) -> set[str]:
    """Return these models and all that they lead to, by their unique ids."""
    found, waiting = set(starts), list(starts)
    while waiting:
        nearest = {it for it in links[waiting.pop()] if it.startswith("model.")} - found
        found |= nearest
        waiting += nearest
    return found


def masked(text: str) -> str:
    """Return a message without PostgreSQL's details and without what could be a person's number or name."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("DETAIL:", "CONTEXT:", "QUERY:"))]
    return re.sub(r'"[^"]*[\u4e00-\u9fff\d]{2,}[^"]*"|[0-9０-９]{11,}[Xx]?', "***", " ".join(kept))


def _node_run(result: NodeResult) -> NodeRun:
    rows = (result.adapter_response or {}).get("rows_affected")
    return NodeRun(
        name=result.node.name,
        status=str(result.status),
        seconds=round(result.execution_time, 3),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        message=masked(result.message or ""),
    )


@lru_cache(maxsize=2)
def _parsed(arguments: tuple[str, ...], fingerprint: str, database: str) -> Manifest:
    """Parse the project with this fingerprint, once a process.

    Of the connection only the database is in a parsed project. Another port would make dbt drop its cache.
    """
    del fingerprint
    with _environment({**_QUIET, "HUILIU_DBT_DATABASE": database}):
        manifest = cast("Manifest", _run([*arguments, "--no-write-json"], manifest=None))
    complete(manifest)
    return manifest


def _invoke(arguments: Sequence[str], *, manifest: Manifest | None, progress: Progress | None) -> object:
    def report(event: EventMsg) -> None:
        if progress is not None and event.info.name == "NodeFinished":
            node = event.data.node_info
            progress(node.node_name, node.node_status)

    with _environment({**_QUIET, **_connection_variables()}):
        return _run(arguments, manifest=manifest, callbacks=[report])


def _run(
    arguments: Sequence[str],
    *,
    manifest: Manifest | None,
    callbacks: Sequence[Callable[[EventMsg], None]] = (),
) -> object:
    from dbt.cli.main import dbtRunner

    result = dbtRunner(manifest=manifest, callbacks=list(callbacks)).invoke(list(arguments))
    if result.exception is not None or result.result is None:
        raise _explained(arguments[0], result.exception)
    return result.result


def _explained(command: str, error: BaseException | None) -> HuiliuError:
    message = f"dbt {command} could not run: {masked(str(error))}"
    if type(error).__name__ == "FailedToConnectError":
        return TransientError(message, fix='start the warehouse ("huiliu up"), then build again')
    return ConfigError(message, fix="correct the named file of dbt_project")


def _connection_variables() -> dict[str, str]:
    parts = conninfo_to_dict(dsn("warehouse:build"))
    return {
        "HUILIU_DBT_HOST": str(parts["host"]),
        "HUILIU_DBT_PORT": str(parts.get("port") or 5432),
        "HUILIU_DBT_USER": str(parts["user"]),
        "HUILIU_DBT_DATABASE": str(parts["dbname"]),
        "DBT_ENV_SECRET_HUILIU_PASSWORD": str(parts.get("password") or ""),
    }


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    # dbt reads its profile's variables from the process environment only; they are taken away again after it.
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
