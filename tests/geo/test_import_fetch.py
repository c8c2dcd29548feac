"""Files that are fetched: from a real https server of the test's own, which serves, lies, dawdles and breaks off."""

import gzip
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from geo.errors import BadInput, TooMuch, TooSlow
from geo.files.fetch import Bounds, fetch, is_public
from tests.conftest import Territory
from tests.geo.importing import PLACES, Desk, collection, feature

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the server's certificate")

FILE = collection(feature(1, "Point", [2.8, 50.4])).encode()
LONG = b"x" * 300_000


class Site(BaseHTTPRequestHandler):
    """One answer a path."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_words: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The test's output is its own."""

    def do_GET(self) -> None:
        """The answer of that path."""
        name = self.path.partition("?")[0].strip("/").partition("/")[0]
        getattr(self, f"answer_{name}", self.answer_nothing)()
        self.close_connection = True

    def give(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for header, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_nothing(self) -> None:
        self.give(b"", 404)

    def answer_file(self) -> None:
        self.give(FILE)

    def answer_packed(self) -> None:
        self.give(gzip.compress(FILE))

    def answer_page(self) -> None:
        self.give(b"<!DOCTYPE html><html><body>Not here</body></html>")

    def answer_broken(self) -> None:
        self.give(b"", 503)

    def answer_long(self) -> None:
        self.give(LONG)

    def answer_chunks(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (LONG[:200_000], LONG[200_000:], b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def answer_short(self) -> None:
        self.give(LONG, Content_Length=str(len(LONG) + 1))

    def answer_torn(self) -> None:
        """No length, and no farewell of TLS either: cut off, for all that anybody can tell."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(LONG)
        self.wfile.flush()
        os.close(self.connection.detach())

    def answer_silence(self) -> None:
        time.sleep(1)

    def answer_drops(self) -> None:
        """A byte now and then: no single read takes long."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(30):
            try:
                self.wfile.write(b"x")
                time.sleep(0.1)
            except OSError:
                return

    def answer_moved(self) -> None:
        self.give(b"", 302, Location="/file")

    def answer_round(self) -> None:
        self.give(b"", 307, Location="/round")

    def answer_down(self) -> None:
        self.give(b"", 301, Location="http://127.0.0.1/file")

    def answer_inside(self) -> None:
        self.give(b"", 301, Location="file:///etc/passwd")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, and its key behind it."""
    folder = tmp_path_factory.mktemp("tls")
    both = folder / "both.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    made += ["-subj", "/CN=localhost", "-addext", names, "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    both.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both


@pytest.fixture(scope="module")
def site(certificate: Path) -> Iterator[str]:
    """The server's address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


Get = Callable[..., bytes]


@pytest.fixture
def get(site: str, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Get:
    """Fetch a path of the site, whose certificate is trusted; what was written."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def fetched(path: str, **bounds: float) -> bytes:
        address = path if path.startswith("http") else f"{site}/{path}"
        kept = Bounds(**({"any_host": True, "silence": 20} | bounds))  # pyright: ignore[reportArgumentType]
        return fetch(address, tmp_path / "fetched", kept, lambda _size: None).read_bytes()

    return fetched


def test_what_the_server_has_is_written(get: Get) -> None:
    """Whole or in chunks, and also where it has moved to."""
    assert get("file") == FILE
    assert get("moved?a=1 2&b=é") == FILE
    assert get("chunks") == LONG


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nowhere", r"nothing at that address \(404\)"),
        ("broken", r"cannot give the file now \(503\)"),
        ("short", "broke off before the file was whole"),
        ("torn", "broke off before the file was whole"),
        ("round", "leads on to others more than 5 times"),
        ("down", "only https"),
        ("inside", "only https"),
        ("https://user:secret@localhost/", "neither user nor password"),
        ("http://localhost/", "only https"),
        ("https://localhost:99999/", "cannot be read"),
        ("https://no-such-host.invalid/", "no server is known by the name no-such-host.invalid"),
        ("https://localhost:9/", "no way to localhost"),
    ],
)
def test_what_cannot_be_fetched_is_said(get: Get, path: str, said: str) -> None:
    """One sentence each."""
    with pytest.raises(BadInput, match=said) as caught:
        get(path)
    assert "secret" not in str(caught.value)


def test_size_and_time_are_bounded(get: Get) -> None:
    """By what the server promises, by what it sends, by its silence, and by the clock."""
    for path in ("long", "chunks"):
        with pytest.raises(TooMuch, match=r"more than 0\.2 MB.*--largest-mb"):
            get(path, size=200_000)
    with pytest.raises(TooSlow, match="does not answer"):
        get("silence", silence=0.2)
    began = time.monotonic()
    with pytest.raises(TooSlow, match=r"within 0\.5 s"):
        get("drops", total=0.5)
    assert time.monotonic() - began < 1.5


def test_an_unknown_certificate_is_not_trusted(get: Get, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor is a server that speaks no TLS."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(BadInput, match="certificate of localhost is not to be trusted"):
        get("file")
    plain = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    try:
        with pytest.raises(BadInput, match=r"does not speak https|broke off"):
            get(f"https://localhost:{plain.server_port}/file")
    finally:
        plain.shutdown()
        plain.server_close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_private_addresses_are_known(address: str, public: bool) -> None:
    """In every dress."""
    assert is_public(address) is public


def test_a_private_host_is_not_asked(get: Get) -> None:
    """Unless the operator allows it."""
    with pytest.raises(BadInput, match="this machine or of a private network"):
        get("file", any_host=False)


def test_an_import_from_an_address(get: Get, site: str, database: Territory, tmp_path: Path) -> None:
    """Fetched in the reading process, judged like any file, and nothing of it stays."""
    desk = Desk(database, tmp_path)
    assert desk.run(f"{site}/packed", PLACES, any_host=True).written == 1
    with pytest.raises(BadInput, match="a web page"):
        desk.run(f"{site}/page", PLACES, any_host=True)
    with pytest.raises(TooMuch, match=r"more than 0\.1 MB"):
        desk.run(f"{site}/long", PLACES + "[file]\nlargest_mb = 0.1\n", any_host=True)
    with pytest.raises(BadInput, match="private network"):
        desk.run(f"{site}/file", PLACES)
