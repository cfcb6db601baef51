"""A language-model server that speaks OpenAI's chat protocol and says what a script tells it to say.

A request that the script did not foresee is answered with an error, so that an unexpected call fails its test.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool. `arguments` as text are sent as they are, broken JSON included."""

    name: str
    arguments: Mapping[str, Any] | str


@dataclass(frozen=True)
class Answer:
    """One answer of the server: by default a good one of status 200."""

    content: str | None = None
    tool_calls: Sequence[ToolCall] = ()
    refusal: str | None = None
    finish_reason: str | None = None  # "length": cut off
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0  # before the first byte
    raw_body: bytes | None = None  # sent instead of a well-formed answer
    without_choices: bool = False
    drops_connection: bool = False  # at once, or in a stream after half of the words


@dataclass(frozen=True)
class ChatRequest:
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


Scripted = Answer | Callable[[Mapping[str, Any]], Answer]

_SCRIPT_IS_OUT = Answer(status=500, raw_body=b'{"error": {"message": "the script is out", "type": "server_error"}}')
_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


class ChatServer:
    """A running server. `base_url` is what goes into `OPENAI_BASE_URL`; `requests` is what came in, oldest first."""

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []
        self._script: list[Scripted] = []
        self._lock = threading.Lock()
        self._is_stopping = threading.Event()
        self._server = _Server(self)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def will_answer(self, *answers: Scripted) -> None:
        """Append to the script. A callable gets the request's body and makes the answer."""
        with self._lock:
            self._script.extend(answers)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._is_stopping.set()  # wakes the slow answers
        self._server.shutdown()
        self._server.server_close()

    def next_answer(self, request: ChatRequest) -> Answer:
        """Note the request and take the next answer from the script, after its delay."""
        with self._lock:
            self.requests.append(request)
            scripted = self._script.pop(0) if self._script else _SCRIPT_IS_OUT
        answer = scripted if isinstance(scripted, Answer) else scripted(request.body)
        if answer.delay_s:
            self._is_stopping.wait(answer.delay_s)
        return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, chat: ChatServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chat = chat


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
        """Stay silent: the test's output is not an access log."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        answer = self.server.chat.next_answer(ChatRequest(path=self.path, headers=dict(self.headers), body=body))
        # A client that gave up waiting has closed its end.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._answer(answer, body)

    def _answer(self, answer: Answer, body: Mapping[str, Any]) -> None:
        if body.get("stream") and answer.status == 200 and answer.raw_body is None:
            self._stream(answer, body)
        elif answer.drops_connection:
            self._drop()
        else:
            self._send(answer, answer.raw_body or json.dumps(_whole(answer, body)).encode())

    def _send(self, answer: Answer, payload: bytes) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _stream(self, answer: Answer, body: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = list(_chunks(answer, body))
        if answer.drops_connection:
            chunks = chunks[: len(chunks) // 2]
        for chunk in chunks:
            self._write_piece(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        if answer.drops_connection:
            self._drop()
        else:
            self._write_piece(b"data: [DONE]\n\n")
            self._write_piece(b"")  # the end of the stream

    def _write_piece(self, payload: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))
        self.wfile.flush()

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _head(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1, "model": body.get("model", "scripted"), "object": kind}


def _tool_calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": call.arguments if isinstance(call.arguments, str) else json.dumps(dict(call.arguments)),
            },
        }
        for number, call in enumerate(answer.tool_calls)
    ]


def _finish_reason(answer: Answer) -> str:
    return answer.finish_reason or ("tool_calls" if answer.tool_calls else "stop")


def _whole(answer: Answer, body: Mapping[str, Any]) -> dict[str, Any]:
    if answer.status != 200:
        return {"error": {"message": "scripted failure", "type": "scripted", "code": None, "param": None}}
    message: dict[str, Any] = {"role": "assistant", "content": answer.content, "refusal": answer.refusal}
    if answer.tool_calls:
        message["tool_calls"] = _tool_calls(answer)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(answer), "logprobs": None}
    return {**_head(body, "chat.completion"), "usage": _USAGE, "choices": [] if answer.without_choices else [choice]}


def _chunks(answer: Answer, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    head = _head(body, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}

    yield chunk({"role": "assistant", "content": ""})
    for word in (answer.content or "").split():
        yield chunk({"content": f"{word} "})
    if answer.tool_calls:
        yield chunk({"tool_calls": [{**call, "index": number} for number, call in enumerate(_tool_calls(answer))]})
    yield chunk({}, _finish_reason(answer))
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": _USAGE}
