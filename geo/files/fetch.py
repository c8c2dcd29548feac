"""Fetches a file from an https address into a private folder: bounded in size, time and redirects, from public hosts.

It knows nothing of what the file holds: `formats` judges that, as it does with any file. Only for a process of its
own, for the bound on the whole time is an alarm of the process.
"""

import errno
import http.client
import ipaddress
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from geo.errors import TooMuch, TooSlow
from geo.files.formats import CHUNK, bad

LARGEST_MB = 500
"""What a fetched file may have, unless the mapping or the command says otherwise."""

REDIRECTS = 5
NAT64 = ipaddress.ip_network("64:ff9b::/96")
MOVED = {301, 302, 303, 307, 308}
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
HEADERS = {"User-Agent": "gohelle-import", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
REFUSED = {
    401: "asks for a password",
    403: "does not let the file go to everybody",
    404: "has nothing at that address",
    410: "no longer has the file",
    429: "asks to be left alone for a while",
}

Watch = Callable[[int], None]
"""Told how many bytes are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a fetch may take: bytes, and seconds to connect, of silence, and in all. `any_host` is for tests."""

    size: int = LARGEST_MB * 10**6
    connect: float = 10
    silence: float = 30
    total: float = 3600
    any_host: bool = False


def fetch(address: str, target: Path, bounds: Bounds, watch: Watch) -> Path:
    """Write what is at the address to the target. BadInput, TooMuch or TooSlow say in a sentence why it cannot be."""
    with _deadline(bounds.total):
        for _ in range(REDIRECTS + 1):
            parts = _parts(address)
            with _in_words(str(parts.hostname)):
                connection = _Connection(parts, bounds)
                try:
                    moved = _take(connection, parts, target, bounds, watch)
                finally:
                    connection.close()
            if moved is None:
                return target
            address = urljoin(address, moved)
        raise bad(f"the address leads on to others more than {REDIRECTS} times")


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """An alarm reaches also a server that sends a byte now and then, which no time limit of a single read does."""

    def ring(_signal: int, _frame: Any) -> None:
        raise TooSlow(f"the file did not arrive within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise bad("the address cannot be read") from error
    if parts.scheme.lower() != "https":
        raise bad("only https addresses are fetched, and none that leads on to another kind")
    if not host or parts.username or parts.password:
        raise bad("the address must name a server, and hold neither user nor password")
    return parts


def _take(connection: "_Connection", parts: SplitResult, target: Path, bounds: Bounds, watch: Watch) -> str | None:
    """Ask once: write the file, or give the address to which the server sends us."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (
        f"?{quote(parts.query, safe=QUERY)}" if parts.query else ""
    )
    connection.request("GET", path, headers=HEADERS)
    with connection.getresponse() as answer:
        if answer.status in MOVED:
            return answer.headers.get("Location") or ""
        if answer.status != http.client.OK:
            usual = "cannot give the file now" if answer.status >= 500 else "does not give the file"
            raise bad(f"{parts.hostname} {REFUSED.get(answer.status, usual)} ({answer.status})")
        _pour(answer, target, bounds, watch)
        return None


QUERY = "/%:@!$&'()*+,;=~?-._[]"


def _pour(answer: http.client.HTTPResponse, target: Path, bounds: Bounds, watch: Watch) -> None:
    promised, done = answer.length, 0
    _bound(promised or 0, bounds)
    with target.open("wb") as out:
        while chunk := answer.read1(CHUNK):
            done += len(chunk)
            _bound(done, bounds)
            out.write(chunk)
            watch(done)
    if promised is not None and done < promised:
        raise http.client.IncompleteRead(b"", promised - done)


def _bound(size: int, bounds: Bounds) -> None:
    if size > bounds.size:
        raise TooMuch(
            f"the file at the address has more than {bounds.size / 10**6:g} MB; allow more by largest_mb in the "
            "mapping's [file], or by --largest-mb"
        )


class _Connection(http.client.HTTPSConnection):
    """Speaks to the very address that was judged, so that no second look-up of the name can point elsewhere."""

    def __init__(self, parts: SplitResult, bounds: Bounds) -> None:
        host = str(parts.hostname)
        super().__init__(host if ":" in host else host.encode("idna").decode(), parts.port or 443)
        self.bounds, self.tls = bounds, ssl.create_default_context()
        self.tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # which Python sets, for servers that know no manners

    def connect(self) -> None:
        """Connect, and shake hands; an end without a farewell is an error, or a file cut short would pass as whole."""
        plain = _connected(_addresses(self.host, self.port, self.bounds), self.bounds.connect)
        self.sock = self.tls.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        self.sock.do_handshake()  # only now, so that an alarm meanwhile finds a socket that is closed in the end
        self.sock.settimeout(self.bounds.silence)


Address = tuple[socket.AddressFamily, Any]


def _addresses(host: str, port: int, bounds: Bounds) -> list[Address]:
    found = [(family, at) for family, *_, at in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not bounds.any_host and not all(is_public(str(at[0])) for _, at in found):
        raise bad(f"{host} is an address of this machine or of a private network; such are not fetched from")
    return found


def is_public(text: str) -> bool:
    """Whether the address belongs to the open internet, also where it wraps one of IPv4."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _connected(addresses: list[Address], seconds: float) -> socket.socket:
    """The first that lets us in."""
    last: OSError = OSError("no address")
    for family, at in addresses:
        plain = socket.socket(family, socket.SOCK_STREAM)
        plain.settimeout(seconds)
        try:
            plain.connect(at)
        except OSError as error:
            plain.close()
            last = error
        except BaseException:
            plain.close()
            raise
        else:
            return plain
    raise last


@contextmanager
def _in_words(host: str) -> Iterator[None]:
    """What can go wrong on the way, each as one sentence."""
    try:
        yield
    except (socket.gaierror, UnicodeError) as error:
        raise bad(f"no server is known by the name {host}") from error
    except ssl.SSLCertVerificationError as error:
        raise bad(f"the certificate of {host} is not to be trusted: {error.verify_message}") from error
    except TimeoutError as error:
        raise TooSlow(f"{host} does not answer, or stopped sending") from error
    except (ConnectionResetError, BrokenPipeError, http.client.IncompleteRead) as error:
        raise bad(f"{host} broke off before the file was whole; try again") from error
    except ssl.SSLError as error:
        torn = isinstance(error, ssl.SSLEOFError) or "EOF" in (error.reason or "")
        said = "broke off before the file was whole; try again" if torn else "does not speak https as it should"
        raise bad(f"{host} {said}") from error
    except http.client.HTTPException as error:
        raise bad(f"{host} does not answer as a web server does") from error
    except OSError as error:
        if error.errno in FULL:
            raise TooMuch("the disk has no room for the file") from error
        raise bad(f"there is no way to {host}: {error.strerror or error}") from error
