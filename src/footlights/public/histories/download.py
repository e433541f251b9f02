"""Download. In: the JSON of TikTok's "Download your data". Out: the creator's own posts: when, and how many likes.

Everything else in such a file is left out by the parser itself: messages, what they watched, searched and liked, whom
they follow and who follows them, log-ins and purchases are skipped unread, and never become a value of this program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from footlights.public.histories.cells import text_of
from footlights.public.histories.found import FileReport, FoundVideo, Number, Sum, Table, Unreadable, note
from footlights.public.histories.numbers import NotANumber, whole
from footlights.public.histories.rows import Times

LEFT_OUT = note(
    "all but your own posts was left out unread: messages, watching, searches, followers, log-ins, purchases"
)
_ID = re.compile(r"/(?:video|v)/(\d{15,20})")
_SHIFT = 32


class _Post(msgspec.Struct):
    """A post, in the spellings that years of downloads have. What is not named here is skipped."""

    Date: str | None = None
    date: str | None = None
    Link: str | None = None
    link: str | None = None
    Likes: str | int | None = None
    likes: str | int | None = None
    Title: str | None = None
    title: str | None = None


class _Posts(msgspec.Struct):
    VideoList: list[_Post] | None = None


class _Section(msgspec.Struct):
    Posts: _Posts | None = None
    Videos: _Posts | None = None


class _Download(msgspec.Struct):
    """The sections that posts have stood in. There is no field for any other, so none can be kept."""

    Post: _Section | None = None
    Posts: _Section | None = None
    Video: _Section | None = None


_DECODER = msgspec.json.Decoder(_Download)


def is_download(data: bytes) -> bool:
    """Whether a file looks like a download: a JSON object, in UTF-8 or, saved again by an editor, in UTF-16."""
    return data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"{")


def read_download(name: str, data: bytes, *, digest: str, times: Times) -> Table:
    """The own posts of a download. Raises BadFile where it is another JSON."""
    try:
        found = _DECODER.decode(_utf8(data))
    except (msgspec.MsgspecError, UnicodeError):
        # Its message could hold a text of the file.
        raise Unreadable("it is JSON, but not TikTok's “Download your data”") from None
    sections = [section for section in (found.Post, found.Posts, found.Video) if section is not None]
    if not sections:
        raise Unreadable("it is JSON without a section of posts: TikTok's “Download your data” has one")
    lists = [posts.VideoList or [] for section in sections for posts in (section.Posts, section.Videos) if posts]
    posts = [post for each in lists for post in each]
    videos, numbers = _read(posts, times)
    likes = [number.value for number in numbers]
    return Table(
        digest=digest,
        report=FileReport(
            name=name, source="TikTok", kind="posts", by=(), language="en", rows=len(videos), missing=0,
            unread=len(posts) - len(videos), columns=(), sums=(Sum(metric="like_count", rows=sum(likes), total=None),),
            first_day=_day(min((v.posted_at_utc or 0 for v in videos), default=0)),
            last_day=_day(max((v.posted_at_utc or 0 for v in videos), default=0)),
            notes=(LEFT_OUT, *(() if posts else (note("it has no posts"),))),
        ),
        videos=tuple(videos),
        numbers=tuple(numbers),
    )  # fmt: skip


def _utf8(data: bytes) -> bytes:
    """As the parser wants it. A file of hundreds of MB is not copied where it is UTF-8 already."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    return text_of(data).encode() if b"\x00" in data[:64] else data


def _read(posts: Iterable[_Post], times: Times) -> tuple[list[FoundVideo], list[Number]]:
    videos: dict[str, FoundVideo] = {}
    numbers: dict[str, Number] = {}
    for post in posts:
        posted = _moment(post.Date or post.date or "")
        if posted is None:
            continue
        match = _ID.search(post.Link or post.link or "")
        # The link is mostly one of the file itself, signed for its owner: it is not kept.
        video_id = match[1] if match is not None else f"post-{posted}"
        if match is not None:
            posted = int(match[1]) >> _SHIFT
        title = (post.Title or post.title or "").strip()
        videos[video_id] = FoundVideo(id=video_id, title="" if title == "N/A" else title[:500], posted_at_utc=posted)
        likes = _likes(post.Likes if post.Likes is not None else post.likes)
        if likes is not None:
            numbers[video_id] = Number(
                subject=video_id, metric="like_count", axis="", cell="", since_utc=0, until_utc=times.until_utc,
                value=likes,
            )  # fmt: skip
    return list(videos.values()), list(numbers.values())


def _likes(told: str | int | None) -> int | None:
    try:
        return None if told is None else whole(str(told), "count")
    except NotANumber:
        return None


def _moment(text: str) -> int | None:
    """A time of the file, which states no zone: TikTok writes UTC."""
    try:
        return int(datetime.fromisoformat(text.removesuffix(" UTC").strip()).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _day(at_utc: int) -> str | None:
    return datetime.fromtimestamp(at_utc, UTC).date().isoformat() if at_utc else None
