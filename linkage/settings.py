"""How two people are compared: the comparisons and blocking rules of a new model, before any training."""

from __future__ import annotations

from typing import Any

Level = dict[str, Any]

# The rarest name counts as this frequent: evidence of one name alone is never boundless.
_RAREST = 0.00001

# Levels (of the comparisons below, counted from the last, 0) that let a claimed number be read as the
# candidate's: it is the same and so is the name but for one character, or one digit differs and the name is
# the same; and neither sex nor birth say no.
REPAIRS = "(number = 2 and name >= 2 or number = 1 and name = 4) and sex <> 0 and (birth < 0 or birth >= 2)"

# One of three characters taken for another, or lost. `{0}`: what a name's columns begin with.
_ONE_CHARACTER = (
    "length({0}_l) = length({0}_r) and length({0}_l) >= 3 and len(list_filter(range(1, length({0}_l) + 1),"
    " lambda place: substr({0}_l, place, 1) <> substr({0}_r, place, 1))) = 1"
    " or length({0}_l) = 3 and {0}_r in (left({0}_l, 2), right({0}_l, 2), left({0}_l, 1) || right({0}_l, 1))"
    " or length({0}_r) = 3 and {0}_l in (left({0}_r, 2), right({0}_r, 2), left({0}_r, 1) || right({0}_r, 1))"
)
_HALF = (
    "length({0}_l) = 2 and length({0}_r) = 2"
    " and (left({0}_l, 1) = left({0}_r, 1) or right({0}_l, 1) = right({0}_r, 1))"
)
# A number of 15 digits says as much as the one of 18 that it became.
_SAME_NUMBER = (
    "number_l = number_r or number15_l = number15_r and least(length(number_l), length(number_r)) = 15"
)
_NEAR_NUMBER = (
    "case when length(number_l) = 18 and length(number_r) = 18"
    " then damerau_levenshtein(number_l, number_r) <= 1"
    " else length(number15_l) = 15 and length(number15_r) = 15"
    " and damerau_levenshtein(number15_l, number15_r) <= 1 end"
)


def _assumed(m: float, u: float) -> dict[str, float]:
    """Return probabilities for a level that the training pairs may not show; training replaces what it
    sees."""
    return {"m_probability": m, "u_probability": u}


def _null(condition: str) -> Level:
    return {"sql_condition": condition, "label_for_charts": "unknown", "is_null_level": True}


def _level(label: str, condition: str, **more: object) -> Level:
    return {"sql_condition": condition, "label_for_charts": label, **more}


def _else() -> Level:
    return _level("else", "ELSE")


def _comparison(name: str, *levels: Level) -> dict[str, Any]:
    return {"output_column_name": name, "comparison_levels": list(levels)}


def _by_frequency(column: str) -> dict[str, Any]:
    return {
        "tf_adjustment_column": column,
        "tf_adjustment_weight": 1.0,
        "tf_minimum_u_value": _RAREST,
    }


def _name() -> dict[str, Any]:
    return _comparison(
        "name",
        _null("name_l is null or name_r is null"),
        _level("same", "name_l = name_r", **_by_frequency("name")),
        _level("look-alike", "name_folded_l = name_folded_r"),
        _level("one character", _ONE_CHARACTER.format("name_folded")),
        _level("one of two characters", _HALF.format("name_folded")),
        _else(),
    )


def _spouse() -> dict[str, Any]:
    return _comparison(
        "spouse",
        _null("spouse_name_l is null or spouse_name_r is null"),
        _level("same", "spouse_name_l = spouse_name_r", **_by_frequency("spouse_name")),
        _level("look-alike", "spouse_folded_l = spouse_folded_r"),
        _level("one character", _ONE_CHARACTER.format("spouse_folded")),
        _level("one of two characters", _HALF.format("spouse_folded")),
        _else(),
    )


def _birth() -> dict[str, Any]:
    swapped = (
        "left(birth_text_l, 4) = left(birth_text_r, 4)"
        " and substr(birth_text_l, 5, 2) = substr(birth_text_r, 7, 2)"
        " and substr(birth_text_l, 7, 2) = substr(birth_text_r, 5, 2)"
    )
    one_unknown = "(birth_text_l is null or birth_text_r is null)"
    return _comparison(
        "birth",
        _null("birth_year_l is null or birth_year_r is null"),
        _level("same day", "birth_text_l = birth_text_r"),
        _level("day and month swapped", swapped),
        _level("one digit", "hamming(birth_text_l, birth_text_r) = 1"),
        _level("same year, day unknown", f"{one_unknown} and birth_year_l = birth_year_r"),
        _level("next year, day unknown", f"{one_unknown} and abs(birth_year_l - birth_year_r) = 1"),
        _level(
            "same year or same day of the year", "birth_year_l = birth_year_r or birth_day_l = birth_day_r"
        ),
        _else(),
    )


def _region() -> dict[str, Any]:
    return _comparison(
        "region",
        _null("districts_l is null or districts_r is null"),
        _level("township", "list_has_any(townships_l, townships_r)"),
        _level(
            "district, township unknown",
            "(townships_l is null or townships_r is null) and list_has_any(districts_l, districts_r)",
        ),
        _level("district", "list_has_any(districts_l, districts_r)"),
        _else(),
    )


def _number() -> dict[str, Any]:
    return _comparison(
        "number",
        _null("number_l is null or number_r is null"),
        _level("same", _SAME_NUMBER, **_assumed(0.9, 0.000001)),
        _level("one digit", _NEAR_NUMBER),
        _else(),
    )


def _death() -> dict[str, Any]:
    return _comparison(
        "death",
        _null("died_on_l is null or died_on_r is null"),
        _level("same days", "abs(date_diff('day', died_on_l, died_on_r)) <= 15", **_assumed(0.97, 0.05)),
        _level("else", "ELSE", **_assumed(0.03, 0.95)),
    )


def _sex() -> dict[str, Any]:
    return _comparison(
        "sex", _null("sex_l is null or sex_r is null"), _level("same", "sex_l = sex_r"), _else()
    )


_BLOCKING = (
    # One join on the name; what stands behind it keeps pairs that nothing but the name would join from
    # being scored.
    "l.name_folded = r.name_folded and (coalesce(abs(l.birth_year - r.birth_year) <= 1, true)"
    " or l.birth_day = r.birth_day or l.spouse_folded = r.spouse_folded)",
    "l.birth_date = r.birth_date and l.sex = r.sex",
    "l.spouse_folded = r.spouse_folded and l.birth_year = r.birth_year",
    "l.number15 = r.number15",
)


def untrained() -> dict[str, Any]:
    """Return the settings of Splink for people, without probabilities."""
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "comparisons": [_name(), _birth(), _sex(), _spouse(), _region(), _number(), _death()],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": rule, "sql_dialect": "duckdb"} for rule in _BLOCKING
        ],
        "retain_intermediate_calculation_columns": False,
        "retain_matching_columns": True,
        "em_convergence": 0.001,
        "max_iterations": 30,
    }
