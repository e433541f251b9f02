"""Game. One game of one attack. In: doors, names and a coin. Out: what the attacker may do, and the attacker's guess.

    the coin falls ─▶ known viewers act ─▶ the target acts if it was heads ─▶ the attacker reads ─▶ heads or tails?

The coin lies here under lock: a play says what happens on heads, and reads nothing but answers of the doors. Every
game has videos of its own, so that all games of an attack run beside each other in one deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from fractions import Fraction
from typing import Any

import msgspec

from footlights.audit.attacks.promise import Promise
from footlights.audit.doors import Answer, Doors, Message
from footlights.audit.messages import declare_creator, declare_video, track, view
from footlights.terms.errors import FootlightsError

#: A game as it is played: it waits by yielding seconds, and returns the guess: True for heads. It yields PUT_BACK to
#: wait until the deployment has been put back to a copy that was made before the game began.
Play = Generator[int, None, bool]
PUT_BACK = -1

#: How long the videos of all games are.
DURATION_SECONDS = 30.0


class NotHere(FootlightsError):
    """What the attack is about is not there: a 404 of its route."""


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """One attack. about: what it does, in a sentence.

    reads: the families of figures that it makes use of, as the privacy page names them (or family.name, of one count);
    none for a side channel, which is allowed nothing beyond chance. times: rho of how many units its bit moves.
    everything: it reads all that a viewer who watches may move, of video and channel, for which the promise has its own
    law. games_most: where a game is dear. puts_back: it yields PUT_BACK, once. lasts_seconds: how long a game takes on
    the deployment's clock, at most.
    """

    name: str
    about: str
    play: Callable[[Game], Play]
    reads: tuple[str, ...] = ()
    times: int = 1
    everything: bool = False
    games_most: int = 1_000_000
    puts_back: bool = False
    lasts_seconds: int = 600

    def rho(self, promise: Promise) -> Fraction:
        """What the bit costs at most, of all that the attack reads."""
        return promise.watching_rho if self.everything else self.times * promise.rho_of(self.reads)

    @property
    def reads_figures(self) -> bool:
        """Whether noise plays a part in it."""
        return bool(self.reads) or self.everything


class Game:
    """What one game's attacker has. tell: messages that are sent before time passes, in their order."""

    def __init__(
        self, doors: Doors, *, name: str, cast: str, heads: bool, promise: Promise, tell: Callable[[Message], None]
    ) -> None:
        self.name = name
        self.promise = promise
        self.creator = cast
        self.began_utc = doors.now_utc()
        self._doors = doors
        self._heads = heads
        self._tell = tell
        self._count = 0
        self._videos: list[tuple[str, str]] = []
        self._lives: list[str] = []

    def __repr__(self) -> str:
        return "<game, its coin withheld>"

    # ---- The world: what everybody knows, and what hangs on the coin

    def id(self, what: str) -> str:
        """The id of something of this game: a video, a viewer, a creator, a message."""
        return f"{self.name}-{what}"

    def channel(self, what: str = "c") -> str:
        """A creator of this game alone, declared now."""
        creator = self.id(what)
        self.tell(declare_creator(creator, at_utc=self.began_utc))
        return creator

    def video(self, what: str = "v", *, creator: str = "", age_seconds: int = 0, after_seconds: int = 0) -> str:
        """A video, declared as one that has this age, when the game began or so long after it.

        creator: one that all games share, if not said.
        """
        video, at_utc = self.id(what), self.began_utc + after_seconds
        owner = creator or self.creator
        if owner == self.creator:
            self.tell(declare_creator(owner, at_utc=at_utc))
        self.tell(
            declare_video(
                video, creator=owner, at_utc=at_utc, posted_at_utc=at_utc - age_seconds,
                duration_seconds=DURATION_SECONDS,
            )
        )  # fmt: skip
        self._videos.append((video, owner))
        return video

    def live(self, what: str = "live") -> str:
        """A live session of the creator that all games share, begun when the game began."""
        live = self.id(what)
        self.tell(declare_creator(self.creator, at_utc=self.began_utc))
        self.tell(
            track(
                "Live Started", viewer=self.creator, at_utc=self.began_utc, live_id=live, creator_id=self.creator,
                title=live,
            )
        )  # fmt: skip
        self._lives.append(live)
        return live

    def view(self, video: str, viewer: str = "target", *, after_seconds: int = 1, **more: Any) -> Message:
        """A view of a video, so long after the game began. more: as messages.view has it."""
        return view(
            video, viewer=self.id(viewer), at_utc=self.began_utc + after_seconds, **({"message": self.fresh()} | more)
        )

    def crowd(self, video: str, count: int, *, after_seconds: int = 1, kind: str = "known", **more: Any) -> None:
        """Views by viewers whom the attacker knows, one each. kind: a name that tells one crowd from another."""
        for number in range(count):
            self.tell(self.view(video, f"{kind}{number}", after_seconds=after_seconds, **more))

    def fresh(self) -> str:
        """A message id that nothing else has."""
        self._count += 1
        return self.id(f"m{self._count}")

    def tell(self, *messages: Message) -> None:
        """What happens whatever the coin says."""
        for message in messages:
            self._tell(message)

    def on_heads(self, *messages: Message) -> None:
        """What happens on heads alone."""
        if self._heads:
            self.tell(*messages)

    def either(self, heads: Iterable[Message], tails: Iterable[Message]) -> None:
        """What happens on heads, and what happens otherwise."""
        self.tell(*(heads if self._heads else tails))

    def over(self) -> None:
        """Take the game's videos down and end its rooms: other games' waiting costs no more than it has to."""
        for video, owner in self._videos:
            self.tell(track("Video Removed", viewer=owner, at_utc=self.now_utc(), asset_id=video))
        self._videos.clear()
        for live in self._lives:
            self.tell(track("Live Ended", viewer=self.creator, at_utc=self.now_utc(), live_id=live))
        self._lives.clear()

    def was_right(self, guess: bool) -> bool:
        """Whether a guess is right: asked by the suite, once the game is over."""
        return guess == self._heads

    # ---- The attacker

    def now_utc(self) -> int:
        """The deployment's clock."""
        return self._doors.now_utc()

    def send(self, *messages: Message) -> Answer:
        """Send messages now, and see how the collector answers."""
        return self._doors.send(list(messages))

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        """Read as the creator whose the video is; a creator of one's own may be named, and an app of theirs."""
        return self._doors.get(path, creator=creator or self.creator, app=app)

    def read(self, path: str, *, creator: str = "", app: str = "") -> Any:
        """The JSON of an answer; None if it is none of status 200."""
        answer = self.get(path, creator=creator, app=app)
        return answer.json() if answer.status == 200 else None

    def curve(
        self, video: str, metric: str, *, creator: str = "", kind: str = "running", app: str = ""
    ) -> list[dict[str, Any]]:
        """The points of one metric of a video, minute by minute."""
        path = f"/api/v1/videos/{video}/timeseries?metric={metric}&granularity=minute&kind={kind}"
        found = self.read(path, creator=creator, app=app)
        return list(found["points"]) if found else []
