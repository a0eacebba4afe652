"""An API server that forwards connections into pods as a real one does: by a WebSocket, on which bytes go both ways.

Everything else that it is asked, a `FakeKubernetes` answers. What a pod is stands on loopback.
"""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websocket import ABNF, WebSocketException, frame_buffer

from tests.fakes.kubernetes import TOKEN, FakeKubernetes

_PROTOCOL = "v4.channel.k8s.io"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 has every server answer with."""
_DATA, _ERRORS = b"\x00", b"\x01"


@contextmanager
def forwarding(fake: FakeKubernetes, pods: Mapping[str, str]) -> Iterator[str]:
    """Serve until the block ends; give the URL.

    :param pods: what listens in each pod, as `host:port` by the pod's name.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            self.close_connection = True
            if urlsplit(self.path).path.endswith("/portforward"):
                self._forward()
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            reply = fake.answer(
                self.command, self.path, self.headers, json.loads(body) if body else None
            )
            self._say(reply.status, reply.content)

        do_GET = do_POST = do_PATCH = _handle  # noqa: N815

        def _say(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def _forward(self) -> None:
            parts = urlsplit(self.path)
            (port,) = parse_qs(parts.query)["ports"]
            assert self.headers["Sec-WebSocket-Protocol"] == _PROTOCOL
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            if refusal := fake.broken.get(parts.path):
                self._say(refusal.status, refusal.content)
                return
            key = sha1(f"{self.headers['Sec-WebSocket-Key']}{_MAGIC}".encode()).digest()
            self.send_response(101)
            for name, value in (
                ("Upgrade", "websocket"),
                ("Connection", "Upgrade"),
                ("Sec-WebSocket-Accept", b64encode(key).decode()),
                ("Sec-WebSocket-Protocol", _PROTOCOL),
            ):
                self.send_header(name, value)
            self.end_headers()
            host, _, inner = pods[parts.path.split("/")[-2]].partition(":")
            with socket.create_connection((host, int(inner))) as pod:
                _relay(self.connection, pod, int(port))

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _relay(client: socket.socket, pod: socket.socket, port: int) -> None:
    """Carry bytes between a WebSocket and a pod until either closes."""
    number = port.to_bytes(2, "little")
    for channel in (_DATA, _ERRORS):
        client.sendall(_frame(channel + number))

    def back() -> None:
        with suppress(OSError):
            while found := pod.recv(65536):
                client.sendall(_frame(_DATA + found))
        with suppress(OSError):
            client.sendall(_frame(b"", ABNF.OPCODE_CLOSE))
            client.shutdown(socket.SHUT_RDWR)

    Thread(target=back, daemon=True).start()
    frames = frame_buffer(client.recv, skip_utf8_validation=True)
    with suppress(OSError, WebSocketException):
        while (frame := frames.recv_frame()).opcode == ABNF.OPCODE_BINARY:
            assert isinstance(frame.data, bytes)
            pod.sendall(frame.data[1:])
    with suppress(OSError):
        pod.shutdown(socket.SHUT_RDWR)


def _frame(data: bytes, opcode: int = ABNF.OPCODE_BINARY) -> bytes:
    """Return a frame as a server sends it, unmasked."""
    made: Any = ABNF(1, 0, 0, 0, opcode, 0, data)
    found: bytes = made.format()
    return found
