"""Settings. One table: name, default, unit, help. docs/reference/settings.md is made from it.

A setting comes from, in this order: the command line, FOOTLIGHTS_<NAME> in the environment, settings.toml in the
data folder, the default here.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from footlights.terms.errors import BadSetting


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. unit: what the number counts, or "" for text."""

    name: str
    default: str | int
    unit: str
    help: str
    least: int = 0


SETTINGS: tuple[Setting, ...] = (
    Setting(name="collect_host", default="127.0.0.1", unit="", help="Address that the collector listens on."),
    Setting(name="collect_port", default=8710, unit="port", help="Port of the collector."),
    Setting(name="serve_host", default="127.0.0.1", unit="", help="Address that the public side listens on."),
    Setting(name="serve_port", default=8700, unit="port", help="Port of the public side."),
    Setting(
        name="serve_user", default="nobody", unit="",
        help="User that the public process runs as, when `up` is started as root. It cannot open the private folder.",
    ),
    Setting(name="body_bytes_max", default=524_288, unit="bytes", least=1024, help="Largest request body, unpacked."),
    Setting(name="event_bytes_max", default=32_768, unit="bytes", least=256, help="Largest single event."),
    Setting(
        name="batch_events_max", default=5000, unit="events", least=1,
        help="Most events in one request; a larger batch is refused as too_many_events.",
    ),
    Setting(name="text_length_max", default=256, unit="characters", least=16, help="Longest id; titles are cut."),
    Setting(
        name="future_seconds_max", default=300, unit="seconds",
        help="An event whose time is further ahead of the collector's clock is dropped as future_time.",
    ),
    Setting(
        name="past_days_max", default=0, unit="days",
        help="An event over HTTP that is older is dropped as too_late. 0: as old as the oldest season that has a key.",
    ),
    Setting(
        name="key_events_a_second_max", default=0, unit="events/s",
        help="What a write key may send that was made without --rate; beyond it 429 with Retry-After. 0: no limit.",
    ),
    Setting(
        name="key_burst_seconds", default=5, unit="seconds", least=1,
        help="How many seconds of its rate a write key may send at once.",
    ),
    Setting(
        name="header_seconds_max", default=30, unit="seconds", least=1,
        help="How long a client may take over the head of a request, or leave a connection idle. Let your proxy's own "
        "limit on idle connections be shorter.",
    ),
    Setting(
        name="body_seconds_max", default=60, unit="seconds", least=1,
        help="How long a client may take over the body of a request; beyond it 408.",
    ),
    Setting(
        name="connections_max", default=16_384, unit="connections", least=16,
        help="Connections at a time; more wait to be let in. The system must allow the collector so many open files.",
    ),
    Setting(
        name="honour_gpc", default=1, unit="0 or 1",
        help="Whether a browser that sends Sec-GPC: 1 opts its viewer out: its events are dropped.",
    ),
    Setting(
        name="honour_dnt", default=1, unit="0 or 1",
        help="Whether a browser that sends DNT: 1 opts its viewer out: its events are dropped.",
    ),
    Setting(
        name="collect_url", default="", unit="",
        help="Public address of the collector, such as https://collect.example. With it, opt-out links work.",
    ),
    Setting(
        name="commit_wait_ms", default=5, unit="milliseconds",
        help="How long the journal waits for more events before it writes and syncs.",
    ),
    Setting(
        name="commit_queue_max", default=40_000, unit="events", least=100,
        help="Events that may wait for the disk; beyond it the collector answers 503 with Retry-After. "
        "A write key may hold as many as are free, so one that floods gets half.",
    ),
    Setting(
        name="flight_bytes_max", default=33_554_432, unit="bytes", least=1_048_576,
        help="Bodies that the collector may hold, until they are answered; shared among keys in the same way.",
    ),
    Setting(name="segment_bytes", default=268_435_456, unit="bytes", least=65_536, help="Size of a journal segment."),
    Setting(
        name="disk_reserve_bytes", default=536_870_912, unit="bytes",
        help="Room that is left on the journal's disk for the gate: with less, events are answered with 503 and "
        "Retry-After, and what is due is still published.",
    ),
    Setting(name="fold_events", default=1_000_000, unit="events", least=1000, help="Events folded in one transaction."),
    Setting(name="duckdb_memory", default="2GB", unit="", help="Most memory that the private store may use."),
    Setting(name="login_link_minutes", default=30, unit="minutes", least=1, help="How long a login link works."),
    Setting(name="session_days", default=30, unit="days", least=1, help="How long a creator stays signed in."),
    Setting(
        name="public_url", default="", unit="",
        help="Where browsers reach the public side, such as https://studio.example. Links begin with it, passkeys are "
        "tied to it. Empty: http and the address that it listens on.",
    ),
    Setting(
        name="operator_session_hours", default=8, unit="hours", least=1, help="How long an operator stays signed in."
    ),
    Setting(
        name="signin_issuer", default="platform", unit="", help="What `iss` says in tokens that the platform signs."
    ),
    Setting(
        name="signin_audience", default="footlights", unit="",
        help="What `aud` says in them. Two deployments of one platform need two.",
    ),
    Setting(
        name="signin_jwks_url", default="", unit="",
        help="Where the platform publishes its public keys (JWKS): https, or http to this machine. Empty: tokens are "
        "signed with a shared key, which `footlights creator signing-key` makes.",
    ),
    Setting(
        name="app_requests_a_minute_max", default=600, unit="requests", least=1,
        help="What one app may ask of one address in any minute; beyond it 429 with Retry-After.",
    ),
    Setting(
        name="app_excess", default="refuse", unit="",
        help="What becomes of an app that asks for more than its declared purpose needs: refuse, or review, where "
        "it is registered, you decide, and creators are told what is not needed.",
    ),
    Setting(
        name="app_log_days", default=90, unit="days", least=1,
        help="How long creators can look up what apps read of their channels.",
    ),
    Setting(
        name="metrics_open", default=0, unit="0 or 1",
        help="1: /metrics answers everybody, and not just this machine. It holds public facts alone.",
    ),
    Setting(
        name="languages", default="en de", unit="",
        help="Languages that pages and letters are offered in, by code, with a space between them; the first is for "
        "whoever asks for none of them. There are en, de, and en-XB: English mirrored, to see a page from the right.",
    ),
    Setting(
        name="watchers_max", default=20_000, unit="watchers", least=1,
        help="Open streams of one live session at a time. The system must allow the public process so many open files.",
    ),
    Setting(
        name="watchers_a_person_max", default=12, unit="watchers", least=1,
        help="Of them, how many one sign-in may hold, or one app for one creator.",
    ),
    Setting(
        name="webhooks_private", default=0, unit="0 or 1",
        help="1: webhooks may go to addresses of this machine and its network, and over http. Whoever may set one can "
        "then reach what is there.",
    ),
    Setting(name="mail_from", default="", unit="", help="Who letters are from, such as studio@example.org."),
    Setting(name="smtp_host", default="", unit="", help="Mail server that letters are handed to. Empty: no mail."),
    Setting(name="smtp_port", default=587, unit="port", least=1, help="Its port."),
    Setting(
        name="smtp_tls", default="starttls", unit="",
        help="starttls, tls (from the first byte, mostly port 465), or none, which is for this machine alone. "
        "The server's certificate is checked.",
    ),
    Setting(name="smtp_user", default="", unit="", help="Name to sign in with there. Empty: without signing in."),
    Setting(
        name="smtp_password", default="", unit="",
        help="Password for it. Let it come from the environment: backups hold settings.toml.",
    ),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The settings in force. Attribute access by name; an unknown name is a programming error."""

    def __init__(self, values: dict[str, str | int]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None


def load_settings(data: Path, *, over: dict[str, str | int] | None = None) -> Settings:
    """Read the settings of a data folder. over: what the command line says. Raises BadSetting."""
    values: dict[str, str | int] = {setting.name: setting.default for setting in SETTINGS}
    values |= _from_file(data / "settings.toml")
    values |= {
        setting.name: _checked(setting.name, os.environ[key], source=key)
        for setting in SETTINGS
        if (key := f"FOOTLIGHTS_{setting.name.upper()}") in os.environ
    }
    values |= {name: _checked(name, value, source="command line") for name, value in (over or {}).items()}
    return Settings(values)


def _from_file(path: Path) -> dict[str, str | int]:
    if not path.exists():
        return {}
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"settings.toml is not TOML: {error}") from None
    return {name: _checked(name, value, source="settings.toml") for name, value in raw.items()}


def _checked(name: str, value: Any, *, source: str) -> str | int:
    setting = BY_NAME.get(name)
    if setting is None:
        raise BadSetting(f"{source}: {name} is no setting. docs/reference/settings.md lists them.")
    if isinstance(setting.default, str):
        return str(value)
    try:
        number = int(str(value))  # through text: int() itself would read true as 1 and cut 8700.5 to 8700
    except ValueError:
        raise BadSetting(f"{source}: {name} must be a whole number of {setting.unit}.") from None
    if number < setting.least:
        raise BadSetting(f"{source}: {name} must be at least {setting.least} {setting.unit}.")
    return number
