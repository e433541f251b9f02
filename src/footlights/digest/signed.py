"""Signed. In: a letter and the figures that it tells. Out: a file beside it by which anybody checks both; the check.

    {"kind", "origin", "creator", "week",   whose letter it is, and who signed
     "parts": {"subject", "text 1", ..., "html", "figure view_count", ..., "video ID"},
     "hashes": of each part,                so that a part that was changed can be named
     "signature"}                           over all but the parts: a detached JWS, by a key that the origin publishes

The link that stops the letters is in no file: whoever is shown one could stop them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import msgspec

from footlights.mail import Attachment, Letter
from footlights.public.accounts.export_keys import ExportKeys, is_signed
from footlights.public.board.statements import canonical
from footlights.terms.errors import ProofFailed
from footlights.terms.figures import Figure

KIND = "footlights letter 1"
BYTES_MAX = 1 << 20
_LETTER_BYTES_MAX = 8 << 20
_STOP = re.compile(r"""https?://[^\s"'<>]*/unsubscribe\?token=[^\s"'<>]*""")


class SignedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """The file. hashes: SHA-256 of a part's name and content, in hex, as RFC 8785 writes [name, content]."""

    kind: str
    origin: str
    creator: str
    week: str
    parts: dict[str, Any]
    hashes: dict[str, str]
    signature: str = ""

    def signed_content(self) -> bytes:
        """What the signature is over."""
        said = {name: getattr(self, name) for name in ("kind", "origin", "creator", "week", "hashes")}
        return canonical(said)


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is not as it was signed. signed: what it was; "" where only its hash is known."""

    part: str
    says: str
    signed: str


class LetterVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a letter. parts: how many were checked."""

    origin: str
    creator: str
    week: str
    parts: int
    changed: tuple[Changed, ...]


def attached(
    letter: Letter, keys: ExportKeys, *, origin: str, creator: str, week: str, figures: Mapping[str, Figure],
    videos: Mapping[str, Figure],
) -> Letter:  # fmt: skip
    """A letter with the file beside it. figures: by metric. videos: what each gained, by id."""
    told = {f"figure {metric}": figure for metric, figure in figures.items()}
    told |= {f"video {video}": figure for video, figure in videos.items()}
    parts = _words(letter.subject, letter.text, letter.html) | msgspec.to_builtins(told)
    hashes = {name: _hash(name, content) for name, content in parts.items()}
    unsigned = SignedLetter(kind=KIND, origin=origin, creator=creator, week=week, parts=parts, hashes=hashes)
    signed = msgspec.structs.replace(unsigned, signature=keys.sign(unsigned.signed_content()))
    file = Attachment(name=f"footlights-{week}.json", content=msgspec.json.format(msgspec.json.encode(signed)))
    return msgspec.structs.replace(letter, attachments=(file,))


def read(content: bytes) -> tuple[SignedLetter, dict[str, Any]] | None:
    """The file in a saved letter (.eml) or by itself, and the letter's own words; None for what is neither."""
    alone = _decoded(content)
    if alone is not None:
        return alone, {}
    if len(content) > _LETTER_BYTES_MAX or content.lstrip()[:1] == b"{":
        return None
    message = message_from_bytes(content, policy=policy.default)
    files = [_decoded(_bytes(part)) for part in message.iter_attachments()] if message.is_multipart() else []
    found = next((file for file in files if file is not None), None)
    if found is None:
        return None
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    return found, _words(str(message["Subject"] or ""), _content(text), _content(html))


def verify(letter: SignedLetter, words: Mapping[str, Any], jwks: dict[str, Any]) -> LetterVerdict:
    """Whether a letter is as it was sent. words: of the letter that the file lay in, or {}; jwks: keys of its origin.

    Raises ProofFailed where no key of them signed it.
    """
    if not is_signed(letter.signed_content(), letter.signature, jwks):
        raise ProofFailed(
            f"None of these keys signed this letter. It says that it is from {letter.origin}: take the keys from there."
        )
    changed = [
        Changed(part=name, says=_short(content), signed="")
        for name, content in letter.parts.items()
        if letter.hashes.get(name) != _hash(name, content)
    ]
    changed += [Changed(part=name, says="nothing", signed="") for name in letter.hashes if name not in letter.parts]
    named = {each.part for each in changed}
    for name in dict.fromkeys((*words, *(name for name in letter.parts if words and _is_word(name)))):
        says, signed = words.get(name, ""), letter.parts.get(name, "")
        if says != signed and name not in named:
            changed.append(Changed(part=name, says=_short(says), signed=_short(signed)))
    return LetterVerdict(
        origin=letter.origin, creator=letter.creator, week=letter.week, parts=len(letter.hashes),
        changed=tuple(changed),
    )  # fmt: skip


def _words(subject: str, text: str, html: str) -> dict[str, Any]:
    """What somebody reads, part by part. The HTML is one, by its hash: its lines are nobody's."""
    lines = [line.rstrip() for line in _without_link(text).strip().splitlines()]
    markup = "\n".join(line.rstrip() for line in _without_link(html).strip().splitlines())
    numbered = {f"text {number}": line for number, line in enumerate(lines, start=1)}
    return {"subject": subject, **numbered, "html": sha256(markup.encode()).hexdigest()}


def _without_link(text: str) -> str:
    return _STOP.sub("-", text)


def _is_word(name: str) -> bool:
    return name in ("subject", "html") or name.startswith("text ")


def _hash(name: str, content: Any) -> str:
    return sha256(canonical([name, content])).hexdigest()


def _short(content: Any) -> str:
    if isinstance(content, dict) and {"value", "low", "high", "state"} <= set(content):
        return f"{content['value']} ({content['low']} to {content['high']}), {content['state']}"
    return str(content)[:200]


def _decoded(content: bytes) -> SignedLetter | None:
    if len(content) > BYTES_MAX:
        return None
    try:
        found = msgspec.json.decode(content, type=SignedLetter)
    except msgspec.MsgspecError:
        return None
    return found if found.kind == KIND else None


def _bytes(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _content(part: Any) -> str:
    return "" if part is None else str(part.get_content())
