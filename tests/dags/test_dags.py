"""Every DAG file is read without a database and keeps the house rules."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
SOURCES = sorted(path.stem for path in (ROOT / "ingestion" / "sources").glob("*.yml"))
# A new file must be written down here with the number of its DAGs; one that nobody expects fails.
EXPECTED = {
    "ingest_sources.py": len(SOURCES),
    "probe_sources.py": 1,
    "build_warehouse.py": 1,
    "release_batch.py": 1,
    "score_quality.py": 1,
    "send_corrections.py": 1,
    "stream_cleaning.py": 1,
    "return_packages.py": 1,
    "compute_metrics.py": 1,
}
NO_DAGS = {"__init__.py", "alerts.py", "wiring.py", "reporting.py"}
PACKAGES = ("huiliu", "ingestion", "linkage", "transformation", "soda_checks", "returnflow", "simulator")


def read(home: Path, *arguments: str) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        # Nothing listens there: a query while reading would fail.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://nobody:nothing@127.0.0.1:1/none",
        "HUILIU_HOME": str(home / "huiliu"),
        "HUILIU_ENV_FILE": "",
    }
    script = Path(__file__).with_name("read_dags.py")
    done = subprocess.run(
        [sys.executable, str(script), str(DAGS), *arguments],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return read(tmp_path_factory.mktemp("dags"))


def test_every_file_is_known_and_holds_its_dags(bag: dict[str, Any]) -> None:
    assert bag["import_errors"] == {}
    assert bag["files"] == EXPECTED
    assert {path.name for path in DAGS.glob("*.py")} == {*EXPECTED, *NO_DAGS}
    assert len(bag["dags"]) == sum(EXPECTED.values()) > len(SOURCES) > 0


def test_reading_them_is_quick_and_leaves_no_state(bag: dict[str, Any], tmp_path: Path) -> None:
    assert bag["seconds"] < 10
    read(tmp_path)
    assert not (tmp_path / "huiliu").exists(), "reading DAGs must not make secrets or ports"


def test_names_are_verb_object_and_labels_are_chinese(bag: dict[str, Any]) -> None:
    for dag_id, dag in bag["dags"].items():
        assert re.fullmatch(r"(ingest|probe|stream|build|release|score|send|return|compute)_[a-z_]+", dag_id)
        assert re.search(r"[\u4e00-\u9fff]", dag["display_name"])
        assert dag["tags"]
        assert dag["max_active_runs"] == 1
        assert not dag["catchup"]


def test_every_dag_says_what_it_does_and_what_to_do_when_it_fails(bag: dict[str, Any]) -> None:
    for dag in bag["dags"].values():
        for part in ("做什么", "失败时", "What", "Inputs", "Output", "On failure"):
            assert part in dag["doc"]
        assert "{" not in dag["doc"]


def test_every_task_has_owner_retries_policy_and_time_limit(bag: dict[str, Any]) -> None:
    tasks = [task for dag in bag["dags"].values() for task in dag["tasks"].values()]
    assert tasks
    for task in tasks:
        assert task["owner"] not in ("", "airflow")
        assert task["retries"] >= 1
        assert task["policy"] == "ExceptionRetryPolicy"
        assert task["timeout"]


def test_the_way_from_sources_to_metrics_is_linked_by_assets(bag: dict[str, Any]) -> None:
    dags = bag["dags"]
    outlets = {
        dag_id: {name for t in dag["tasks"].values() for name in t["outlets"]} for dag_id, dag in dags.items()
    }
    for source in SOURCES:
        assert outlets[f"ingest_{source}"] == {f"source_{source}"}
    loaded = [f"source_{source}" for source in SOURCES]
    assert dags["build_warehouse"]["triggers"] == sorted([*loaded, *outlets["release_batch"]])
    assert dags["build_warehouse"]["any_of"] == "AssetAny", "one failed source must not hold up the others"
    chain = ["build_warehouse", "score_quality", "return_packages", "compute_metrics"]
    for before, after in itertools.pairwise(chain):
        assert dags[after]["triggers"] == sorted(outlets[before])


def test_correction_lists_are_sent_after_each_scoring_beside_the_returns(bag: dict[str, Any]) -> None:
    sending = bag["dags"]["send_corrections"]
    assert sending["triggers"] == ["quality"]
    assert sending["tasks"]["send_lists"]["pool"] == "front_ends"
    assert not sending["tasks"]["send_lists"]["outlets"], "no list holds up a township's data"


def test_a_failed_part_stops_nobody_else_and_is_not_hidden(bag: dict[str, Any]) -> None:
    returning = bag["dags"]["return_packages"]["tasks"]
    assert returning["record_outcome"]["rule"] == "all_done", "metrics run when a delivery failed"
    assert returning["fail_if_any_failed"]["upstream"] == ["record_outcome"]
    build = bag["dags"]["build_warehouse"]["tasks"]
    assert build["check_models"]["rule"] == "none_failed", "a held batch is seen though nothing was built"
    assert not build["check_models"]["outlets"]
    assert build["strike_off_tasks"]["upstream"] == ["gate_staging"]
    assert build["build_models"]["upstream"] == ["gate_staging"], "a wrong demand list stops no build"
    assert bag["dags"]["probe_sources"]["tasks"]["check_probes"]["upstream"] == ["probe_all"]


def test_sources_and_front_ends_are_bounded_by_pools(bag: dict[str, Any]) -> None:
    for source in SOURCES:
        assert bag["dags"][f"ingest_{source}"]["tasks"]["ingest_source"]["pool"] == "sources"
    assert bag["dags"]["return_packages"]["tasks"]["deliver"]["pool"] == "front_ends"
    assert bag["dags"]["compute_metrics"]["tasks"]["deliver_report"]["pool"] == "front_ends"


def test_what_locks_each_other_out_queues_in_one_pool(bag: dict[str, Any]) -> None:
    pools = {
        (dag_id, name): task["pool"]
        for dag_id, dag in bag["dags"].items()
        for name, task in dag["tasks"].items()
    }
    queued = {key for key, pool in pools.items() if pool == "warehouse"}
    assert queued == {
        ("build_warehouse", "gate_staging"),
        ("build_warehouse", "build_models"),
        ("release_batch", "decide"),
        ("score_quality", "score_tables"),
        ("compute_metrics", "build_metrics"),
    }


def test_a_load_may_last_as_long_as_its_spec_says(tmp_path: Path) -> None:
    specs = tmp_path / "sources"
    specs.mkdir()
    text = (ROOT / "ingestion" / "sources" / "health.yml").read_text(encoding="utf-8")
    (specs / "health.yml").write_text(text, encoding="utf-8")
    (specs / "clinic.yml").write_text(
        text.replace("name: health\n", "name: clinic\nlongest_hours: 1.5\n", 1), encoding="utf-8"
    )
    dags = read(tmp_path, str(specs))["dags"]
    limits = {
        name: dags[f"ingest_{name}"]["tasks"]["ingest_source"]["timeout"] for name in ("health", "clinic")
    }
    assert limits == {"health": 24 * 3600, "clinic": 5400}, "longer than any container's own time-outs"
    assert "1.5 小时后中止" in dags["ingest_clinic"]["doc"]


def test_a_wrong_spec_gets_a_dag_that_says_so_and_the_others_stay(tmp_path: Path) -> None:
    specs = tmp_path / "sources"
    specs.mkdir()
    for name in SOURCES:
        text = (ROOT / "ingestion" / "sources" / f"{name}.yml").read_text(encoding="utf-8")
        (specs / f"{name}.yml").write_text(text.replace("cadence:", "cadance:") if name == "health" else text)
    dags = read(tmp_path, str(specs))["dags"]
    assert {f"ingest_{name}" for name in SOURCES} <= set(dags)
    assert "cadance" in dags["ingest_health"]["doc"]
    assert "规格有误" in dags["ingest_health"]["tags"]
    assert "规格有误" not in dags["ingest_police"]["tags"]


def test_each_source_has_a_deadline_whose_alert_is_called_by_its_name(bag: dict[str, Any]) -> None:
    for source in SOURCES:
        assert bag["dags"][f"ingest_{source}"]["deadlines"] == [
            {
                "reference": "DagRunQueuedAtDeadline",
                "hours": 2.0,
                "calls": "dags.alerts.source_is_late",
                "with": {"source": source},
            }
        ]


def test_each_source_says_whose_it_is_and_can_be_loaded_again(bag: dict[str, Any]) -> None:
    police = bag["dags"]["ingest_police"]
    assert "| 市公安局 | 省级 | 每天 01:00 | postgres |" in police["doc"]
    for source in SOURCES:
        assert bag["dags"][f"ingest_{source}"]["params"] == {
            "accept_deletions": False,
            "backfill_from": None,
            "backfill_to": None,
        }


def test_a_decision_about_a_held_batch_asks_for_number_and_reason(bag: dict[str, Any]) -> None:
    release = bag["dags"]["release_batch"]
    assert release["display_name"] == "放行 · 被扣留的批次"
    assert release["params"] == {"batch_id": None, "decision": None, "reason": None}
    assert release["tasks"]["decide"]["outlets"] == ["decisions"], "a build follows at once"
    assert release["triggers"] == [], "only a person starts it"


def test_sixty_sources_are_read_in_two_seconds(tmp_path: Path) -> None:
    specs = tmp_path / "sources"
    specs.mkdir()
    for number in range(60):
        name = SOURCES[number % len(SOURCES)]
        text = (ROOT / "ingestion" / "sources" / f"{name}.yml").read_text(encoding="utf-8")
        (specs / f"copy_{number}.yml").write_text(
            text.replace(f"name: {name}\n", f"name: copy_{number}\n", 1), encoding="utf-8"
        )
    found = read(tmp_path, str(specs))
    assert found["import_errors"] == {}
    assert found["files"]["ingest_sources.py"] == 60
    # Processor time: what other processes do on the machine doesn't count.
    assert found["cpu_seconds"] < 2


def test_only_the_dags_import_airflow() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert files
    assert [str(path.relative_to(ROOT)) for path in files if _imports_airflow(path)] == []


def _imports_airflow(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        if any(name.split(".")[0] == "airflow" for name in names):
            return True
    return False
