"""Room. In: how much of something a key asks for. Out: whether it is given. No key can take what the others need.

A key may hold as much as is free. So a key that floods ends at half of all there is, the next one at half of what is
left, and there is always some left for one that comes now (Choudhury and Hahne, "Dynamic queue length thresholds for
shared-memory packet switches", IEEE/ACM Transactions on Networking 6, 1998, with alpha = 1). Nothing is set by key, and
a key that is alone loses half of the room at most.
"""

from __future__ import annotations


class Room:
    """Room for `total` bytes or events. Not for use from several threads."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._held: dict[str, int] = {}

    def take(self, key: str, amount: int) -> bool:
        """Whether a key gets this much. It is given back with give(), and not if it was not taken."""
        held = self._held.get(key, 0)
        # What comes into an empty room is let in whatever its size: else it would be sent again for ever.
        if self._taken and held + amount > self._total - self._taken:
            return False
        self._held[key] = held + amount
        self._taken += amount
        return True

    def give(self, key: str, amount: int) -> None:
        """Take back what a key was given."""
        # Who took nothing, as for a request without a body, may come last: then nothing is held any more.
        left = self._held.get(key, 0) - amount
        assert left >= 0, "a key gives what it took"
        self._taken -= amount
        if left:
            self._held[key] = left
        else:
            self._held.pop(key, None)

    def is_full(self) -> bool:
        """Whether a key that holds nothing would get nothing."""
        return self._taken >= self._total
