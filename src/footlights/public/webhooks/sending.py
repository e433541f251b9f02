"""Sending. In: an address that a stranger gave, and a body. Out: one POST to it, or why not. No redirect is followed.

The name is resolved once, every address of it is checked, and the connection goes to the one that was checked: a name
that points to this machine or its network, now or a second later, leads nowhere. The answer's body is not read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

import msgspec

from footlights.terms.errors import NotAllowed

URL_LENGTH_MAX = 2000
CONNECT_SECONDS, WHOLE_SECONDS = 5, 15
_GONE = 410
#: Addresses that carry another one inside; RFC 6052.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Nobody's in the world, which some versions of Python do not know: site-local addresses, which networks that are older
#: than 2004 may have inside (RFC 3879), and what is kept for protocols and documentation (IANA).
_NOBODYS = tuple(
    ipaddress.ip_network(text) for text in ("fec0::/10", "3fff::/20", "5f00::/16", "192.0.0.0/24", "192.88.99.0/24")
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one try. word: a status such as 204, or timeout, tls, unreachable, unknown_host, private_address."""

    taken: bool
    word: str

    @property
    def gone(self) -> bool:
        """Whether the receiver asks never to be told again."""
        return self.word == str(_GONE)


def checked_url(url: str, *, private_allowed: bool) -> SplitResult:
    """An endpoint's address in parts. Raises NotAllowed; what its name leads to is looked up when something is sent."""
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_LENGTH_MAX:
        raise NotAllowed("An endpoint is an address of at most %(most)s characters, in ASCII.", most=URL_LENGTH_MAX)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("An endpoint is an address such as https://example.org/hook.") from None
    if parts.scheme != "https" and not (private_allowed and parts.scheme == "http"):
        raise NotAllowed("An endpoint is an address that begins with https://.")
    if not _is_host(parts.hostname) or parts.username is not None or parts.fragment or port == 0:
        raise NotAllowed("An endpoint is an address such as https://example.org/hook.")
    return parts


def _is_host(host: str | None) -> bool:
    """Whether a name can be looked up at all: each of its labels has 1 to 63 characters."""
    return bool(host) and all(0 < len(label) < 64 for label in str(host).removesuffix(".").split("."))


def post(url: str, *, headers: Mapping[str, str], body: bytes, private_allowed: bool) -> Outcome:
    """One try. Never raises for what the other side does."""
    try:
        parts = checked_url(url, private_allowed=private_allowed)
        address = address_of(parts, private_allowed=private_allowed)
    except NotAllowed:
        return Outcome(taken=False, word="private_address")
    except (OSError, ValueError):  # ValueError: a name that no look-up takes
        return Outcome(taken=False, word="unknown_host")
    connection = _connection(parts, address)
    # Each read has its own limit, so somebody who answers a byte at a time needs one for all of it.
    deadline = threading.Timer(WHOLE_SECONDS, _hang_up, (connection,))
    deadline.daemon = True
    deadline.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers={**headers, "User-Agent": "Footlights"})
        status = connection.getresponse().status
    except ssl.SSLError:
        return Outcome(taken=False, word="tls")
    except TimeoutError:
        return Outcome(taken=False, word="timeout")
    except (OSError, ValueError, http.client.HTTPException):  # ValueError: a name that TLS knows no certificate for
        return Outcome(taken=False, word="unreachable")
    finally:
        deadline.cancel()
        connection.close()
    return Outcome(taken=200 <= status < 300, word=str(status))


def address_of(parts: SplitResult, *, private_allowed: bool) -> str:
    """The address that a name leads to. Raises NotAllowed if any of them is not the whole world's, OSError for none."""
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found:
        raise OSError("no address")
    # All of them: a name with one address inside and one outside is somebody trying.
    if not private_allowed and not all(is_public(address) for address in found):
        raise NotAllowed("This address is not open to the world.")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody in the world may be reached at."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is None and ip in _NAT64:
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inside is not None:
            return is_public(str(inside))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not any(ip in net for net in _NOBODYS)


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, which speaks to a host by its name. tls: None for plain HTTP."""

    def __init__(self, host: str, port: int, *, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._address, self._tls = address, tls
        self.default_port = 443 if tls is not None else 80

    def connect(self) -> None:
        """Connect to the address, whatever the name may lead to by now."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _connection(parts: SplitResult, address: str) -> _Pinned:
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return _Pinned(
        parts.hostname or "", port, address=address, tls=ssl.create_default_context() if secure else None
    )  # fmt: skip


def _hang_up(connection: _Pinned) -> None:
    try:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
