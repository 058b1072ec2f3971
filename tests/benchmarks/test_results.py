"""The table of results and the arithmetic of ratios; nothing here is timed."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from benchmarks import child, pipe
from benchmarks.finding import Finding, Ratio, faster, in_turns, one, per_model, spread
from benchmarks.goals import CITY_GOALS, SERVING, goal_names, load_goals
from benchmarks.results import Results, Row
from huiliu.errors import HuiliuError


def _table(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_a_goal_is_met_up_to_its_limit() -> None:
    assert one(1.5, 1.5, "").verdict == "met"
    assert one(1.51, 1.5, "").verdict == "missed"


def test_every_ratio_of_a_goal_must_be_met() -> None:
    finding = Finding((Ratio(90, 200, "MB"), Ratio(1.3, 1.2)), "")
    assert finding.verdict == "missed"
    assert Finding((), "").verdict == "missed"


def test_ratios_are_written_with_their_units() -> None:
    assert Ratio(1.234, 1.5).measured == "1.23 ×"
    assert Ratio(0.1234, 0.2, "%").measured == "12.3 %"
    assert Ratio(55.6, 200, "MB").goal == "≤ 200 MB"


def test_a_day_may_cost_a_share_and_something_for_each_model() -> None:
    ratio = per_model(seconds=20, whole=100, share=0.05, each=0.3, count=40)
    assert ratio.value == pytest.approx(0.2)
    assert ratio.limit == pytest.approx(0.17)
    assert not ratio.met


def test_works_are_measured_in_turns() -> None:
    order: list[str] = []

    def work(name: str, seconds: float) -> float:
        order.append(name)
        return seconds

    first, second = in_turns([lambda: work("a", 1.0), lambda: work("b", 2.0)], rounds=3)
    assert order == ["a", "b"] * 3
    assert (first, second) == ([1.0] * 3, [2.0] * 3)


def test_several_times_show_their_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 s (1.00-3.00)"
    assert spread([1.5]) == "1.50 s"


def test_the_table_has_a_row_a_goal_and_ends_with_the_verdict() -> None:
    results = Results("Machine: 2 cores.", "Date: 2026-01-15.")
    results.rows = [
        Row("a", "load", "`x | y`", one(1.2, 1.5, "1.2 s, 1.0 s")),
        Row("b", "build", "copies", one(12, 10, "12 s")),
    ]
    results.not_measured = {"return": "not chosen"}
    text = results.text()
    rows = _table(text.replace("\\|", "/"))
    assert len(rows) == 4
    assert [row[-1] for row in rows[2:]] == ["met", "missed"]
    assert {len(row) for row in rows} - {1} == {6}
    assert "- return: not chosen" in text
    assert "return" not in text.split("## Not measured")[0]
    assert "`x \\| y`" in text


def test_what_lies_behind_comes_after_the_table() -> None:
    text = Results("m", "r", details={"Slowest models": ["`a` 1.00 s"]}).text()
    assert text.endswith("## Slowest models\n\n- `a` 1.00 s\n")
    assert "Not measured" not in text


def test_every_goal_has_a_name_of_its_own() -> None:
    names = goal_names()
    assert len(set(names)) == len(names)
    assert {goal.name for goal in load_goals(large=True)} <= set(names)
    assert set(SERVING) <= {goal.name for goal in CITY_GOALS}


def test_memory_of_10_million_rows_comes_after_the_goals_of_1_million() -> None:
    assert load_goals(large=False)[0].name == "load_memory"
    assert load_goals(large=True)[-1].name == "load_memory"


def test_a_pipe_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "psql"
    program.write_text("#!/bin/sh\ncat >/dev/null\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(HuiliuError, match="3"):
        pipe.copy_rows("postgresql://a@b/c", sql.SQL("select 1"), "postgresql://a@b/d", sql.SQL("t"))


def test_work_that_fails_in_its_process_is_an_error() -> None:
    with pytest.raises(HuiliuError, match="no_such_work"):
        child.run("no_such_work")


def test_how_many_times_faster_must_reach_its_goal() -> None:
    finding = faster(theirs=24.0, ours=3.0, at_least=8, absolute="")
    assert (finding.verdict, finding.ratios[0].goal) == ("met", "≥ 8.00 ×")
    assert faster(theirs=23.0, ours=3.0, at_least=8, absolute="").verdict == "missed"
