"""A server that answers as Grafana's HTTP API is documented to, for the calls that pushing boards makes.

No package of the registries holds a real Grafana. So this one is strict: what the documentation does not allow is
a `fault`, which tests look at, and it keeps what it was given as Grafana does (own ids, versions that count up, 412).

https://grafana.com/docs/grafana/latest/developers/http_api/dashboard/ and .../folder/
"""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

TOKEN: Final = "glsa_test"
_UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass
class FakeGrafana:
    """What it holds, and what it is asked to be like."""

    version: str = "11.6.0"
    prefix: str = ""
    hides_version: bool = False
    forbids: set[str] = field(default_factory=set)
    provisioned: set[str] = field(default_factory=set)
    redirect: str = ""
    page: bytes = b""
    """Answer everything with this page: something else than Grafana."""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """Call -> status and JSON (or the bytes of a page) that it is answered with, whatever is right."""
    silent: threading.Event = field(default_factory=threading.Event)
    """Set: answer nothing, until `released`."""
    released: threading.Event = field(default_factory=threading.Event)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    url: str = ""
    changed_meanwhile: bool = False
    """Somebody saves every board between its being read and its being written."""

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        """Status and JSON."""
        if path == "/api/health":
            shown = {} if self.hides_version else {"version": self.version, "commit": "0"}
            return 200, {"database": "ok", **shown}
        if (given := self.answers.get(f"{method} {path}")) is not None:
            return given
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid", "statusCode": 401}
        if f"{method} {path}" in self.forbids:
            return 403, {"message": "You'll need additional permissions to perform this action.", "accessErrorId": "A"}
        if path == "/api/frontend/settings":
            return 200, {"buildInfo": {"version": self.version}}
        if path == "/api/org":
            return 200, {"id": 1, "name": "Main Org."}
        if method in {"POST", "PUT"}:
            if headers.get("Content-Type") != "application/json":
                self.faults.append(f"{method} {path} is not JSON")
            self.writes.append(f"{method} {path}")
        if path.startswith("/api/folders"):
            return self._folders(method, path.removeprefix("/api/folders").strip("/"), body)
        if method == "GET" and path.startswith("/api/dashboards/uid/"):
            return self._board(path.rpartition("/")[2])
        if (method, path) == ("POST", "/api/dashboards/db"):
            return self._save(body)
        self.faults.append(f"unknown call {method} {path}")
        return 404, {"message": "Not found"}

    def _folders(self, method: str, uid: str, body: Any) -> tuple[int, Any]:
        if method == "POST" and not uid:
            if set(body) - {"uid", "title", "parentUid"} or not _UID.fullmatch(body["uid"]):
                self.faults.append(f"folder {body}")
            if body["uid"] in self.folders:
                return 409, {"message": "a folder with the same uid already exists"}
            self.folders[body["uid"]] = {"id": len(self.folders) + 1, "version": 1, **body}
            return 200, self.folders[body["uid"]]
        found = self.folders.get(uid)
        if found is None:
            return 404, {"message": "folder not found", "status": "not-found"}
        if method == "PUT":
            if body.get("version") != found["version"] and not body.get("overwrite"):
                return 412, {"message": "the folder has been changed by someone else", "status": "version-mismatch"}
            found.update(title=body["title"], version=found["version"] + 1)
        return 200, found

    def _board(self, uid: str) -> tuple[int, Any]:
        found = self.boards.get(uid)
        if found is None:
            return 404, {"message": "Dashboard not found", "traceID": ""}
        found = json.loads(json.dumps(found))
        found["meta"]["provisioned"] = uid in self.provisioned
        if self.changed_meanwhile:
            self.boards[uid]["dashboard"]["version"] += 1
        return 200, found

    def _save(self, body: Any) -> tuple[int, Any]:
        if set(body) - {"dashboard", "folderUid", "message", "overwrite"}:
            self.faults.append(f"unknown fields {sorted(body)}")
        board = body["dashboard"]
        if board.get("id", 0) is not None or not _UID.fullmatch(board["uid"]) or not board.get("title"):
            self.faults.append("a board goes by uid: its id is null")
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found", "status": "bad-request"}
        before = self.boards.get(board["uid"])
        if board["uid"] in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        now = before["dashboard"]["version"] if before else 0
        if board.get("version", 0) != now and not body.get("overwrite"):
            return 412, {
                "message": "The dashboard has been changed by someone else",
                "status": "version-mismatch",
            }
        number = before["dashboard"]["id"] if before else len(self.boards) + 10
        kept = {**board, "id": number, "version": now + 1}
        self.boards[board["uid"]] = {
            "dashboard": kept,
            "meta": {"folderUid": body["folderUid"], "slug": "slug", "isFolder": False, "version": now + 1},
        }
        url = f"/d/{board['uid']}/slug"
        return 200, {"id": number, "uid": board["uid"], "url": url, "status": "success", "version": now + 1}


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up is no news."""


@contextmanager
def serving(grafana: FakeGrafana, tls: ssl.SSLContext | None = None) -> Iterator[FakeGrafana]:
    """Answer on a free port; with `tls` by HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            if grafana.silent.is_set():
                grafana.released.wait(30)
                return
            if grafana.redirect:
                self.send_response(301)
                self.send_header("Location", grafana.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if grafana.page or not self.path.startswith(grafana.prefix + "/"):
                status, body, kind = 404 if not grafana.page else 200, grafana.page or b"<h1>?</h1>", "text/html"
            else:
                path = self.path.removeprefix(grafana.prefix)
                status, answer = grafana.answer(self.command, path, self.headers, json.loads(sent) if sent else None)
                page = isinstance(answer, bytes)
                body, kind = (answer, "text/html") if page else (json.dumps(answer).encode(), "application/json")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    for verb in ("GET", "POST", "PUT"):
        setattr(Handler, f"do_{verb}", Handler._any)
    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    grafana.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}{grafana.prefix}"
    try:
        yield grafana
    finally:
        grafana.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
