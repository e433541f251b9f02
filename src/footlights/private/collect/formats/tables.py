"""Tables. The columns of views, videos and creators, one schema for Parquet and CSV. In: a file's columns. Out: which
of the three it is. docs/guides/loading.md says what each column means.

A column that is not listed refuses the file: one that was misspelled would otherwise be nothing in every row.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from footlights.terms.errors import BadFile


class Type(msgspec.Struct, frozen=True):
    """What a column may be: in words, and by DuckDB's names without their parameters."""

    words: str
    names: frozenset[str]


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_TEXT = Type("text", frozenset({"VARCHAR"}))
_TEXTS = Type("a list of texts", frozenset({"VARCHAR[]"}))
_ID = Type("text or a whole number", frozenset({"VARCHAR", *_WHOLE}))
_NUMBER = Type("a number", frozenset({"DOUBLE", "FLOAT", "DECIMAL", *_WHOLE}))
_FLAG = Type("true or false", frozenset({"BOOLEAN"}))
_TIME = Type(
    "a timestamp, or milliseconds since 1970 as BIGINT",
    frozenset({"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "BIGINT"}),
)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of file: its columns, and what each may be."""

    needed: dict[str, Type]
    allowed: dict[str, Type]

    @property
    def known(self) -> dict[str, Type]:
        """All columns that it may have."""
        return self.needed | self.allowed


TABLES = {
    "views": Table(
        needed={"viewer": _ID, "video": _ID, "at": _TIME, "watch_seconds": _NUMBER},
        allowed={
            "max_position": _NUMBER, "completed": _FLAG, "source": _TEXT, "country": _TEXT, "age": _ID,
            "gender": _TEXT, "is_follower": _FLAG, "session": _ID, "message": _ID,
        },
    ),
    "videos": Table(
        needed={"video": _ID, "creator": _ID, "posted_at": _TIME},
        allowed={
            "title": _TEXT, "duration_seconds": _NUMBER, "hashtags": _TEXTS, "sound": _TEXT,
            "declared_at": _TIME,
        },
    ),
    "creators": Table(
        needed={"creator": _ID},
        allowed={"name": _TEXT, "handle": _TEXT, "tier": _TEXT, "declared_at": _TIME},
    ),
}  # fmt: skip
EXPECTED = "Expected one of: " + "; ".join(
    f"{name} with {', '.join(table.needed)} (and any of {', '.join(table.allowed)})" for name, table in TABLES.items()
)


def recognise(file: str, columns: Collection[str]) -> str:
    """The table that a file of these columns is. file: its name. Raises BadFile."""
    for name, table in TABLES.items():
        if set(table.needed) <= set(columns):
            for column in columns:
                if column not in table.known:
                    raise BadFile(
                        f"{file} is a file of {name} with a column {column}, which is none of "
                        f"{', '.join(table.known)}. Leave it out."
                    )
            return name
    raise BadFile(f"{file} has the columns {', '.join(columns)}. {EXPECTED}")
