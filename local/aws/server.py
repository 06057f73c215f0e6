"""A small HTTP/1.1 server for one WSGI application, on 127.0.0.1 only.

Werkzeug's development server closes the connection after every response, because it cannot know whether an
application read the whole request. Here the body is read before the application is called, so connections stay open:
boto3 reuses them, and a call costs no TCP handshake.
"""

from __future__ import annotations

import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header


if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
_IDLE_SECONDS = 300  # an idle client connection is given up after this long


class Server:
    """Serves a WSGI application from background threads until stopped.

    Attributes:
        port: The port it listens on; the one asked for, or a free one when that was 0.
    """

    def __init__(self, application: WSGIApplication, port: int) -> None:
        self._server = _HttpServer((HOST, port), application)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="local-aws", daemon=True)

    def start(self) -> None:
        """Begin to accept connections."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting connections and wait for the accepting thread to end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: WSGIApplication) -> None:
        self.application = application
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle of a response is its own affair.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet for head and body
    timeout = _IDLE_SECONDS
    server: _HttpServer

    def _serve(self) -> None:
        body = self._read_body()
        status = "500 Internal Server Error"
        headers: list[tuple[str, str]] = []

        def start_response(
            new_status: str, new_headers: list[tuple[str, str]], _exc_info: object = None
        ) -> Any:  # the write() callable of WSGI's first draft: nothing here uses it
            nonlocal status, headers
            status, headers = new_status, new_headers

        chunks = self.server.application(self._environ(body), start_response)
        try:
            payload = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        self._respond(status, headers, payload)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815  # http.server asks for these names

    def handle_expect_100(self) -> bool:
        """Say "100 Continue" now: boto3 waits a second for it before it sends an object's bytes."""
        accepted = super().handle_expect_100()
        self.wfile.flush()
        return accepted

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _environ(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "RAW_URI": self.path,
            "REQUEST_URI": self.path,
            "SERVER_NAME": HOST,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        names: dict[str, str] = {}
        for name, value in self.headers.items():
            key = "CONTENT_TYPE" if name.lower() == "content-type" else environ_key_for_header(name)
            if key not in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
            if "_" in name:
                names[key] = name
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
        return environ

    def _respond(self, status: str, headers: Iterable[tuple[str, str]], payload: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        length: str | None = None
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if self.command != "HEAD" or length is None:
            length = str(len(payload))
        if int(code) not in (204, 304):
            self.send_header("Content-Length", length)
        self.send_header("Date", self.date_time_string())
        self.end_headers()
        if self.command != "HEAD" and int(code) not in (204, 304):
            self.wfile.write(payload)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Requests are not logged: the call log holds them."""
