"""A web server in place of a robot: it keeps what it is told, and answers as it is told to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One request."""

    at: float
    """Unix time."""
    path: str
    body: bytes
    status: int
    """What it was answered."""

    @property
    def document(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """What apprise's json:// said, or the robots of DingTalk, WeCom and Feishu."""
        said = self.document
        if "message" in said:
            return f"{said['title']}\n{said['message']}"
        return str(said.get("text") or said.get("content") or said)


@dataclass
class Receiver:
    """A running receiver. `status` and `answer` may be changed at any time."""

    port: int
    status: int = 200
    answer: bytes = b'{"errcode": 0, "errmsg": "ok"}'
    heard: list[Heard] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """As apprise names it: a webhook that takes JSON."""
        return f"json://127.0.0.1:{self.port}/robot/"

    @property
    def taken(self) -> list[Heard]:
        """What it took: requests that were answered 200."""
        with self.news:
            return [one for one in self.heard if one.status == 200]

    def wait_for(self, what: Any, patience: float = 60.0) -> Any:
        """Wait until `what(taken)` is true; its value. Raises AssertionError with what was taken."""
        until = time.monotonic() + patience
        while True:
            found = what(self.taken)
            if found:
                return found
            with self.news:
                left = until - time.monotonic()
                assert left > 0, f"taken so far: {[one.text for one in self.taken]}"
                self.news.wait(min(left, 0.5))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with receiver.news:
                status, answer = receiver.status, receiver.answer
                receiver.heard.append(Heard(time.time(), self.path, body, status))
                receiver.news.notify_all()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
