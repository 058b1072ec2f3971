"""The curve of docs/linkage.md: `python -m tests.linkage.curve PERSONS SEED` writes its table and picture."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from linkage import decision, evaluation
from linkage.decision import Thresholds
from linkage.evaluation import Quality
from tests.linkage.city_linkage import weighed
from tests.linkage.described import describe

DOCS = Path(__file__).parents[2] / "docs"
ACCEPTED = (0, 2, 4, 6, 8, 10, 12, 14, 16, 18)
_WIDTH, _HEIGHT, _EDGE = 640, 360, 60
_LEAST = 0.90  # where the picture's axis begins
_COLUMNS = "in_review precision recall pair_precision pair_recall cluster_precision cluster_recall"


def main(persons: int, seed: int) -> None:
    """Measure a city at many thresholds and write docs/linkage_curve.csv and .svg."""
    with tempfile.TemporaryDirectory() as folder:
        database = weighed(describe(persons, seed), Path(folder))
        points: dict[int, Quality] = {}
        for accept in ACCEPTED:
            decision.decide(database, Thresholds(accept, min(-2, accept), 3, max(12, accept)))
            points[accept] = evaluation.measure(database)
        database.close()
    lines = [f"accept,{_COLUMNS.replace(' ', ',')}"]
    for accept, quality in points.items():
        lines.append(",".join([str(accept), *(f"{getattr(quality, name):.5g}" for name in _COLUMNS.split())]))
    (DOCS / "linkage_curve.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (DOCS / "linkage_curve.svg").write_text(_picture(points, persons), encoding="utf-8")


def _picture(points: dict[int, Quality], persons: int) -> str:
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_EDGE}" y="24" font-size="14">Records without a number, {persons:,} people</text>',
    ]
    for share in (0.90, 0.92, 0.94, 0.96, 0.98, 1.0):
        y = _y(share)
        drawn.append(f'<line x1="{_EDGE}" x2="{_WIDTH - 20}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>')
        drawn.append(f'<text x="{_EDGE - 8}" y="{y + 4:.0f}" text-anchor="end">{share:.2f}</text>')
    for accept in points:
        drawn.append(f'<text x="{_x(accept):.0f}" y="{_HEIGHT - 36}" text-anchor="middle">{accept}</text>')
    drawn.append(
        f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">accept (match weight)</text>'
    )
    for place, (name, colour) in enumerate(
        (
            ("precision", "#1b6ca8"),
            ("recall", "#c0392b"),
            ("pair_recall", "#e08e0b"),
            ("cluster_recall", "#2e8b57"),
        )
    ):
        line = " ".join(f"{_x(at):.1f},{_y(getattr(quality, name)):.1f}" for at, quality in points.items())
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{_EDGE + 20}" y="{200 + 18 * place}" fill="{colour}">{name}</text>')
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _x(accept: float) -> float:
    return _EDGE + 20 + (accept - ACCEPTED[0]) / (ACCEPTED[-1] - ACCEPTED[0]) * (_WIDTH - _EDGE - 60)


def _y(share: float) -> float:
    return 50 + (1 - max(share, _LEAST)) / (1 - _LEAST) * (_HEIGHT - 110)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
