"""Plants for A08: points that are none, far from the city, or far from all others of their region."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

from toy_source import Row

from plants.record import Ask, Draft, Recipe, Recipes
from plants.regions import listed

BUILDING = "buildings__building"

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


def _inside(position: str) -> Recipe:
    """In a region of its own, as nothing lies about it there."""

    def recipe(ask: Ask) -> Draft | None:
        if not ask.column:
            return None
        why, village = "inside, at a border or on an island", f"5{ask.fresh.number():05d}101001"
        where = {"village_code": village} if ask.table == BUILDING else {}
        return ask.change({"location": position} | where, why, also=("N03",))

    return recipe


# --- of a table: a point among the others of its township or district -------------------------------------

_MIDDLE = Decimal("121.40"), Decimal("37.53")
_TOWN = "460001101001"
_EACH = 120
_FIRST = 200


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
        row = ask.row | {"location": f"{longitude},{latitude}", "village_code": village}
        return Draft(why, (row,), beside)

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
        *map(_outside, _OUTSIDE),
        _off(("0.321", "0.33", "0.45"), "in the next district", alone=_FIRST),
        _off(("0.7", "1.1", "1.6", "1.9"), "in another city, less than two degrees away", alone=_FIRST),
    ],
    near_misses=[
        *map(_inside, _INSIDE),
        _off(("0.319", "0.31", "0.3"), "at the border of the district", alone=400),
        _off(("0", "0.01", "0.1", "0.2"), "well within the district", alone=400),
    ],
    each=_EACH,
)
