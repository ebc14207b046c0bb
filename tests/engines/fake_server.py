"""A small server that speaks as much of OpenAI's protocol as a test tells it, and keeps what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request: its path, its body, and the key it came with."""

    path: str
    body: Any
    key: str | None


class Reply(NamedTuple):
    """A reply: JSON, or bytes as they are. `delay` is in seconds."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = {}
    delay: float = 0.0


Answer = Callable[[Any], Reply]


class FakeServer:
    """Replies to each path by a function of the body; others are not found."""

    def __init__(self, paths: Mapping[str, Answer], port: int = 0) -> None:
        self.asked: list[Asked] = []
        self.gave_up = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(None)

            def do_POST(self) -> None:
                self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _reply(self, body: Any) -> None:
                fake.asked.append(Asked(self.path, body, self.headers["Authorization"]))
                answer = paths.get(self.path)
                reply = answer(body) if answer else Reply({"error": {"message": "not here"}}, 404)
                if reply.delay and self._left_within(reply.delay):
                    return
                data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _left_within(self, seconds: float) -> bool:
                self.connection.setblocking(False)
                try:
                    until = time.monotonic() + seconds
                    while time.monotonic() < until:
                        try:
                            if not self.connection.recv(1):
                                fake.gave_up.set()
                                self.close_connection = True
                                return True
                        except BlockingIOError:
                            time.sleep(0.02)
                    return False
                finally:
                    self.connection.setblocking(True)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.root}/v1"

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    @contextmanager
    def running(self) -> Iterator["FakeServer"]:
        """Serve, from a thread of its own."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


def models(*cards: str | Mapping[str, Any]) -> Answer:
    """The list of models; those that are only named are not vLLM's."""
    data = [{"id": card, "owned_by": "someone"} if isinstance(card, str) else dict(card) for card in cards]
    return lambda _: Reply({"object": "list", "data": data})


def says(content: str | None, finish_reason: str | None = "stop", **message: Any) -> Answer:
    """A chat's reply."""
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish_reason}
    return lambda _: Reply({"choices": [choice], "usage": {"prompt_tokens": 12, "completion_tokens": 3}})


def writes(text: str, finish_reason: str = "stop", **choice: Any) -> Answer:
    """A raw prompt's reply."""
    return lambda _: Reply({"choices": [{"text": text, "finish_reason": finish_reason, **choice}]})


def refuses(status: int, message: str, **error: Any) -> Answer:
    """An error, as OpenAI and vLLM write it."""
    return lambda _: Reply({"error": {"message": message, **error}}, status)
