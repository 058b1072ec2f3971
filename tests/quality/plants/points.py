"""Plants for A08: points that are none, far from the city, or far from all others of their region."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

from toy_source import Row

from plants.record import Ask, Draft, Recipe, Recipes
from plants.regions import listed

BUILDING = "buildings__building"
_MIDDLE = Decimal("121.40"), Decimal("37.53")
"""Where the good rows are."""

# --- of a column: a point near the city ------------------------------------------------------------------

_OUTSIDE = [
    "116.400000,39.900000", "121.470000,31.230000", "117.120000,36.650000", "126.630000,45.750000",
    "104.060000,30.670000", "113.260000,23.130000", "121.600000,40.700000", "124.380000,40.120000",
    "37.530000,121.400000", "36.900000,120.500000", "37.920000,120.740000", "39.900000,116.400000", "0,0",
    "0.000000,0.000000", "-121.400000,37.530000", "121.400000,-37.530000", "2.350000,48.850000",
    "-74.000000,40.700000", "151.200000,-33.900000", "140.000000,37.500000", "121.400000,60.000000",
    "72.990000,37.530000", "136.010000,37.530000", "121.400000,54.010000", "121.400000,2.990000", "121.4",
    "在文化路东", "1214000,375300", "121.400000;37.530000", "180,90",
]  # fmt: skip
_INSIDE = [
    "121.400000,37.530000", "119.570000,37.100000", "121.950000,37.300000", "120.700000,38.390000",
    "120.736000,37.916000", "120.910000,38.360000", "120.600000,36.270000", "121.4,37.5",
    "121.400001,37.530001",
    "120.000000,37.000000", "121.395700,37.539300", "121.600000,37.400000",
]  # fmt: skip


def _outside(position: str) -> Recipe:
    return lambda ask: ask.put(position, "outside the region, or no point") if ask.column else None


def _away(ask: Ask) -> Draft | None:
    """More than two degrees from the middle of all, by as little as a millionth, to all sides."""
    further = Decimal(2) + Decimal("0.000001") * ask.turn**2 + Decimal("0.000001")
    return ask.put(_to_a_side(ask, further), "over two degrees away") if ask.column else None


def _to_a_side(ask: Ask, degrees: Decimal) -> str:
    longitude, latitude = _MIDDLE
    sign, across = (1, -1)[ask.turn % 2], ask.turn // 2 % 2
    east, north = (degrees * sign, Decimal(0)) if across else (Decimal(0), degrees * sign)
    return f"{longitude + east:.6f},{latitude + north:.6f}"


def _inside(position: str) -> Recipe:
    return lambda ask: _alone_at(ask, position) if ask.column else None


def _near(ask: Ask) -> Draft | None:
    """Two degrees from the middle of all, or less, to all sides."""
    if not ask.column:
        return None
    return _alone_at(ask, _to_a_side(ask, Decimal(2) - Decimal("0.000001") * ask.turn**2))


def _alone_at(ask: Ask, position: str) -> Draft:
    """In a region of its own, as nothing lies about it there."""
    why, village = "inside, at a border or on an island", f"5{ask.fresh.number():05d}101001"
    where = {"village_code": village} if ask.table == BUILDING else {}
    return ask.change({"location": position} | where, why, also=("N03",), case=position)


# --- of a table: a point among the others of its township or district -------------------------------------

_TOWN = "460001101001"
_EACH = 120
_FIRST = 200


def _steps(first: str, last: str) -> tuple[str, ...]:
    """So many distances that no two plants of a kind stand at one place."""
    count = _EACH // 4
    start, end = Decimal(first), Decimal(last)
    return tuple(f"{start + (end - start) * step / (count - 1):.6f}" for step in range(count))


def _off(steps: tuple[str, ...], why: str, *, alone: int) -> Recipe:
    """A building so far from the middle of its district, in turns to all sides.

    Every other eight stand in townships of their own, numbered from `alone`: there the district judges.
    """

    def recipe(ask: Ask) -> Draft | None:
        if ask.column:
            return None
        number = ask.turn % _EACH
        step = Decimal(steps[number // 4 % len(steps)]) * (1, -1)[number % 2]
        longitude, latitude = _MIDDLE
        if number // 2 % 2:
            latitude += step
        else:
            longitude += step
        village, beside = _TOWN, ask.beside
        if number // 8 % 2:
            village = f"{_TOWN[:6]}{alone + number:03d}001"
            beside += (("region_codes__division", listed(village)),)
        elif alone == _FIRST and number == 0:
            beside += _others(ask)
        location = f"{longitude},{latitude}"
        row = ask.row | {"location": location, "village_code": village}
        return Draft(why, (row,), beside, case=(location, village))

    return recipe


def _others(ask: Ask) -> tuple[tuple[str, Row], ...]:
    """800 buildings of one township: three in eight 0.02 degrees off the middle either way, the others 0.04.

    With the plants among them, the median deviation is 0.04 and the reach eight times that.
    """
    sizes = [Decimal("0.02")] * 3 + [Decimal("0.04")] * 5
    places = [
        f"{_MIDDLE[0] + size * east},{_MIDDLE[1] + size * north}"
        for size, east, north in product(sizes, (1, -1), (1, -1))
    ]
    rows = [ask.fresh.row(BUILDING)[0] | {"location": place, "village_code": _TOWN} for place in places * 25]
    return (("region_codes__division", listed(_TOWN)), *((BUILDING, row) for row in rows))


A08 = Recipes(
    faults=[
        *(recipe for position in _OUTSIDE for recipe in (_outside(position), *[_away] * 3)),
        _off(_steps("0.321", "0.45"), "in the next district", alone=_FIRST),
        _off(_steps("0.7", "1.9"), "in another city, less than two degrees away", alone=_FIRST),
    ],
    near_misses=[
        *(recipe for position in _INSIDE for recipe in (_inside(position), *[_near] * 9)),
        _off(_steps("0.319", "0.3"), "at the border of the district", alone=400),
        _off(_steps("0", "0.2"), "well within the district", alone=400),
    ],
    each=_EACH,
)
