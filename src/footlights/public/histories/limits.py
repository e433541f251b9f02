"""Limits. How much of a file is read at all. An export that its own creator downloads is far below each.

A zip of a few kilobytes can unpack to terabytes, and a sheet of one cell can say that it has sixteen billion: so
nothing is unpacked or walked before its size is held against these.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """packed_bytes: what is handed in, in all. unpacked_bytes: what it may grow to, in all.

    members: files in it. rows, columns: of one sheet. text_length: of one cell.
    """

    packed_bytes: int
    unpacked_bytes: int
    members: int
    rows: int = 400_000
    columns: int = 120
    text_length: int = 10_000


#: On a creator's own machine. TikTok's "Download your data" of a heavy user has a few hundred MB of JSON.
ON_THIS_MACHINE = Limits(packed_bytes=1_000_000_000, unpacked_bytes=1_000_000_000, members=5_000)
#: What a server takes from a browser. A channel's year by country, the largest export seen, is 1.2 MB.
UPLOADED = Limits(packed_bytes=24_000_000, unpacked_bytes=96_000_000, members=400)
#: What Python's readers of zips raise for one that is damaged, or of a kind that they do not know.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, EOFError, ValueError,
    RuntimeError, OSError, KeyError,
)  # fmt: skip
#: Zip in zip in zip: an export is one deep, and a creator who zips a folder of exports makes it two.
DEPTH_MAX = 2
