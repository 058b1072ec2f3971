"""Random days of a source table: what is inserted, updated, deleted, repeated, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

FAR_FUTURE = -24 * 365 * 50  # hours before the day's end

NASTY = (
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a,b",
    'say "no"',
    '"',
    "'; drop table visit; --",
    "two\nlines",
    "two\r\nlines",
    "tab\there",
    "back\\slash\\",
    "=1+1",
    "{}",
    '{"a": [null]}',
    "<a>&amp;</a>",
    "]]>",
    "％ｆｕｌｌ　ｗｉｄｔｈ",
    "烟台市芝罘区",
    "𠮷㐂ḿ",  # in GB18030 only, not in GBK
    "👩‍👩‍👧‍👦",
    "e\u0301",
    "\ufeff",
    "\u2028",
    "0012",
    "1.10",
    "long" * 5000,
)
# NUL and surrogates no warehouse holds; \x02 and \x1f part the texts of a hash, and are no text of a record.
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(NASTY),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0\x02\x1f"),
        max_size=8,
    ),
)
FEW_TEXTS = st.sampled_from(["a", "b", "", None])  # so that rows and keys repeat
WHICH = st.integers(0, 99)  # of the rows there are, counted round
LAGS = st.one_of(st.integers(0, 60), st.sampled_from([0, 0, 24 * 5, 24 * 30]))  # hours before the day's end


@dataclass(frozen=True)
class Insert:
    name: str | None
    note: str | None
    added: str | None
    lag: int | None  # None: the row says nothing of when it moved
    again: bool  # under the id of a row that was deleted


@dataclass(frozen=True)
class Update:
    which: int
    name: str | None
    note: str | None
    added: str | None
    lag: int | None  # None: the column of the watermark does not move


@dataclass(frozen=True)
class Delete:
    which: int


@dataclass(frozen=True)
class Repeat:
    """A row stands once more: in the table if it has no key, else in the files or the answers."""

    which: int


@dataclass(frozen=True)
class Correct:
    """An earlier file comes again with another content (where each file is read once)."""

    which: int
    note: str | None


Change = Insert | Update | Delete | Repeat | Correct


@dataclass(frozen=True)
class Killed:
    """The load is killed after so many exchanges with the databases."""

    after: int


@dataclass(frozen=True)
class Cut:
    """The connection to the source breaks after so many bytes of its answers."""

    after: int


@dataclass(frozen=True)
class Twice:
    """Two loads begin at once."""


@dataclass(frozen=True)
class Again:
    """Nothing changes, and the source is loaded again."""


@dataclass(frozen=True)
class Vanished:
    """A column is gone, or has another name, until somebody mends it."""

    renamed: bool


Trouble = Killed | Cut | Twice | Again | Vanished


@dataclass(frozen=True)
class Day:
    changes: tuple[Change, ...]
    trouble: Trouble | None
    source_grows: bool  # a column that the spec does not know
    spec_grows: bool  # the spec takes it in
    broken: int  # records


def days(*, few: bool) -> st.SearchStrategy[list[Day]]:
    """Return days, with `few` different texts where rows may repeat."""
    texts = FEW_TEXTS if few else TEXTS
    change = st.one_of(
        st.builds(
            Insert, texts, texts, texts, st.one_of(st.none(), LAGS, st.just(FAR_FUTURE)), st.booleans()
        ),
        st.builds(Insert, texts, texts, texts, LAGS, st.booleans()),
        st.builds(Update, WHICH, texts, texts, texts, LAGS),
        st.builds(Update, WHICH, texts, texts, texts, st.none()),
        st.builds(Delete, WHICH),
        st.builds(Repeat, WHICH),
        st.builds(Correct, WHICH, texts),
    )
    trouble = st.one_of(
        st.none(),
        st.builds(Again),
        st.builds(Killed, st.integers(1, 70)),
        st.builds(Cut, st.integers(0, 6000)),
        st.builds(Twice),
        st.builds(Vanished, st.booleans()),
    )
    seldom = st.integers(0, 4).map(lambda n: n == 1)
    day = st.builds(
        Day, st.lists(change, max_size=6).map(tuple), trouble, seldom, seldom, st.sampled_from([0, 0, 1, 2])
    )
    return st.lists(day, min_size=2, max_size=6)
