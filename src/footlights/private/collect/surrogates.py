r"""Surrogates. In: JSON as clients write it. Out: what a decoder makes of it, halves of a character replaced.

JavaScript cuts texts in the middle of a character and writes the half that is left as \ud83d: a page's title, in what
is not even read. A strict decoder refuses the whole body for it, and a client that is refused forgets its batch.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from footlights.private.collect.decoder import BadJson, Decoder

T = TypeVar("T")

#: An escape that is to be left alone, a whole pair among them; else a half.
_ESCAPE = re.compile(
    rb"(\\(?:[^u]|u(?![dD][89a-fA-F])|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_REPLACEMENT = rb"\ufffd"


def decode(decoder: Decoder[T], text: bytes | msgspec.Raw) -> T:
    """What a decoder makes of JSON; where that fails and there are halves in it, once more without them.

    Raises BadJson.
    """
    try:
        return decoder.decode(text)
    except BadJson:
        whole = without_halves(bytes(text))
        if whole == bytes(text):
            raise
        return decoder.decode(whole)


def without_halves(text: bytes) -> bytes:
    """JSON in which each half of a surrogate pair is U+FFFD, as long as it was."""
    if rb"\ud" not in text and rb"\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: found[1] or _REPLACEMENT, text)
