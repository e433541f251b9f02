"""Ages. In: the private folder's names of files. Out: how old the oldest of what is kept is. Opens no file.

Whole days and months: they tell when the collector began to write, and nothing of any event.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from footlights.private.vault.journal import begun_at
from footlights.private.vault.manifest import segments_in
from footlights.terms.ticks import DAY


def ages(private: Path, *, at_utc: int) -> dict[str, Any] | None:
    """What `status` shows of what is kept; None where there is no private folder or it is not ours to look into.

    oldest_raw_event_days: since the oldest segment of the journal began, in whole days; None if there is none.
    season_keys: the seasons whose key is there, oldest first.
    """
    try:
        names = sorted(segments_in(private / "journal"))
        keys = sorted(path.stem for path in (private / "keys" / "seasons").glob("????-??.key"))
        if not private.is_dir():
            return None
    except PermissionError:
        return None
    days = int(at_utc - begun_at(names[0]).timestamp()) // DAY if names else None
    return {"oldest_raw_event_days": days, "season_keys": keys}
