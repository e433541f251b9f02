"""Store. Opens the private store. In: the private folder. Out: a DuckDB connection that one process holds.

The file belongs to the fold: losing it is an error that says so, never a silent zero.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import duckdb

from footlights.terms.errors import VaultDamaged

STORE_FILE = "store.duckdb"
#: Written beside the store when it is made: without it, a missing store is a loss and not a first start.
_MARK = "store.made"


def open_store(private: Path, *, memory: str, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """The store of a private folder, made at the first call. memory: DuckDB's limit, such as "2GB".

    Raises VaultDamaged when the store is gone or cannot be read, or another process holds it.
    """
    path, mark = private / STORE_FILE, private / _MARK
    if mark.exists() and not path.exists():
        raise VaultDamaged(
            f"{STORE_FILE} is gone: it held what has been counted of every viewer. Restore the private folder from a "
            f"backup; to start again from nothing, move the whole folder away, not this file alone."
        )
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        store = duckdb.connect(
            str(path), config={"memory_limit": memory, "threads": str(threads), "preserve_insertion_order": "false"}
        )
        if not mark.exists():
            schema = resources.files("footlights.private.vault").joinpath("schema.sql").read_text("utf-8")
            store.execute(f"BEGIN; {schema} COMMIT;")
            store.execute("CHECKPOINT")
            mark.touch()
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise VaultDamaged(
                f"{STORE_FILE} is in use by another process: the gate of `footlights up`, or a `footlights tick`."
            ) from None
        raise VaultDamaged(f"{STORE_FILE} cannot be read. Restore the private folder from a backup.") from None
    except (duckdb.Error, UnicodeDecodeError):
        raise VaultDamaged(f"{STORE_FILE} cannot be read. Restore the private folder from a backup.") from None
    return store
