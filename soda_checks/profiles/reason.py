"""An alarm in Chinese: the measure, what it is, what was usual, and by which batches."""

from __future__ import annotations

from collections.abc import Mapping

from soda_checks.profiles.alarm import Judgement

MEASURES = {
    "rows": "行数",
    "null_share": "空值率",
    "distinct_count": "不同值数",
    "values": "取值分布",
    "ranks": "各值占比（由大到小）",
    "quantiles": "数值分布",
    "ages": "日期远近分布",
    "forms": "文本形式与长度分布",
}


def reason(
    measure: str,
    column_name: str,
    judgement: Judgement,
    parts: Mapping[str, float] | None,
    normal: Mapping[str, float],
) -> str:
    """Say what changed. `parts` and `normal`: a distribution and the usual one."""
    what = f"{column_name} {MEASURES[measure]}" if column_name else MEASURES[measure]
    if parts is None:
        number = _share if measure == "null_share" else _count
        figures = (
            f"{number(judgement.value)}，常态约 {number(judgement.expected)}"
            f"（{number(judgement.low)} 至 {number(judgement.high)}）"
        )
    else:
        figures = (
            f"与常态相距 {judgement.value:.2f}，容许 {judgement.high:.2f}，{_moved(measure, parts, normal)}"
        )
    return f"{what}：{figures}，比照{judgement.basis}"


def _moved(measure: str, parts: Mapping[str, float], normal: Mapping[str, float]) -> str:
    if measure == "quantiles":
        return f"中位数由 {normal.get('50', 0):g} 变为 {parts.get('50', 0):g}"
    part = max(sorted(parts.keys() | normal.keys()), key=lambda it: abs(parts.get(it, 0) - normal.get(it, 0)))
    which = f"第 {part} 位" if measure == "ranks" else f"「{part}」"
    return f"其中{which}由 {_share(normal.get(part, 0))} 变为 {_share(parts.get(part, 0))}"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _count(value: float) -> str:
    return f"{value:,.0f}"
