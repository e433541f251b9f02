"""Live. Doors of a running deployment, over HTTP. In: its data folder, for a write key and login links. Time is real.

What is declared through it stays on the board for good, as everything does: videos and creators named for the audit.
"""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from footlights.accounts import end_apps, make_app
from footlights.audit.doors import Answer, Message
from footlights.audit.signing import BACK, AppTokens, Sessions
from footlights.links import make_login_link
from footlights.operate import keyring
from footlights.settings import Settings
from footlights.terms.errors import AuditFailed
from footlights.terms.ticks import MINUTE

KEY_NAME = "audit"
TIMEOUT_SECONDS = 30
#: How far behind its clock a gate may be before the audit gives up.
LATE_SECONDS_MAX = 300
#: Between two looks at whether the gate has published.
_POLL_SECONDS = 0.5


class Live:
    """Doors of a deployment. write_key: one that may declare. clock, sleep: seconds, for tests."""

    def __init__(
        self,
        data: Path,
        settings: Settings,
        *,
        write_key: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._collector = (settings.collect_host, int(settings.collect_port))
        self._site = (settings.serve_host, int(settings.serve_port))
        self._authorization = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
        self._sessions = Sessions(lambda creator: make_login_link(data, settings, creator), self._post)
        self.tokens = AppTokens(lambda name: make_app(data, name=name, back=BACK), self._sessions, self._post)
        self._clock, self._sleep = clock, sleep

    def now_utc(self) -> int:
        """The real clock."""
        return int(self._clock())

    def send(self, messages: list[Message]) -> Answer:
        """POST to the collector."""
        headers = {"authorization": self._authorization, "content-type": "application/json"}
        return _call(self._collector, "POST", "/v1/batch", headers, msgspec.json.encode({"batch": messages}))

    def get(self, path: str, *, creator: str = "", app: str = "") -> Answer:
        """GET from the public side, as a creator or an app of theirs; an app waits where it has asked too often."""
        headers = self.tokens.headers(app, creator) if app else self._sessions.headers(creator)
        while (answer := _call(self._site, "GET", path, headers)).status == 429:
            self._sleep(int(answer.headers["retry-after"]))
        return answer

    def pass_time(self, seconds: int) -> None:
        """Sleep until then, and until the gate has published what was due."""
        later = int(self._clock()) + seconds
        while (left := later - self._clock()) > 0:
            self._sleep(left)
        while self._published_through_utc() < later // MINUTE * MINUTE:
            if self._clock() > later + LATE_SECONDS_MAX:
                raise AuditFailed(
                    f"the gate is more than {LATE_SECONDS_MAX} s behind its clock. `footlights status` says whether "
                    "it is up."
                )
            self._sleep(_POLL_SECONDS)

    def _published_through_utc(self) -> int:
        """As the ETag of every answer states it; 0 while there is no board."""
        stated = self.get("/api/v1/privacy").headers.get("etag", "").removeprefix("W/").strip('"').partition("-")[0]
        return int(stated) if stated.isdecimal() else 0

    def _post(self, path: str, form: bytes, more: dict[str, str]) -> Answer:
        host = f"{self._site[0]}:{self._site[1]}"
        headers = {"host": host, "origin": f"http://{host}", "content-type": "application/x-www-form-urlencoded"}
        return _call(self._site, "POST", path, headers | more, form)


@contextmanager
def live_doors(data: Path, settings: Settings) -> Iterator[Live]:
    """Doors of the deployment of a data folder, with a write key that ends with the context. Raises AuditFailed."""
    if not (data / "private").exists():
        raise AuditFailed(f"{data} is no data folder of a deployment: it has no private folder.")
    keys = keyring(data)
    doors = Live(data, settings, write_key=keys.create(KEY_NAME, replace=True))
    try:
        yield doors
    finally:
        keys.revoke(KEY_NAME)
        end_apps(data, doors.tokens.client_ids())


def _call(address: tuple[str, int], method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_SECONDS)
    began = time.perf_counter()
    try:
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        read = answer.read()
    except (OSError, http.client.HTTPException):
        raise AuditFailed(
            f"nothing answers at {address[0]}:{address[1]}. `footlights status` says whether it is up."
        ) from None
    finally:
        connection.close()
    told = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(status=answer.status, headers=told, body=read, seconds=time.perf_counter() - began)
