# SPDX-License-Identifier: MIT
"""What the tests of the `troupe` program share: running it, a server that answers what a test scripts, and a
mailbox kept in memory that speaks the HTTP interface and loses answers where a test says so.

The scripted servers are for what the real one never does (garbage, a lost answer at an exact moment).
Everything else is tested against the real one, RealServer.
"""

import collections
import fcntl
import http.client
import http.server
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import urllib.parse

BIN = os.environ.get("TROUPE_BIN", os.path.join(os.path.dirname(__file__), "../../build/dev/troupe"))
SOURCE = os.environ.get("TROUPE_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "../.."))

# How the program ends; src/cli/exit.h.
OK, FAILED, USAGE, EMPTY = 0, 1, 2, 3
DATA, INPUT, UNREACHABLE, AGAIN, PROTOCOL, NOT_ALLOWED = 65, 66, 69, 75, 76, 77

PATCH_HEADER = "sent_unix,done_unix,sender,integrator,files,first_path\n"


def environment(**more):
    """The environment of one run: nothing of the caller's settings, English, UTF-8."""
    kept = {
        name: value for name, value in os.environ.items()
        if not name.startswith("TROUPE_") and not name.lower().endswith("_proxy") and name != "NO_COLOR"
    }
    kept.update({"LC_ALL": "C.UTF-8", "TZ": "UTC0"})
    kept.update(more)
    return kept


def run(*arguments, env=None, stdin="", cwd=None, timeout=60):
    """Runs the program; gives the finished process with its output as text."""
    return subprocess.run(
        [BIN, *arguments], env=env or environment(), input=stdin, cwd=cwd, timeout=timeout, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape",
    )


def run_on_terminal(*arguments, env=None, columns=80, stdin=subprocess.DEVNULL):
    """Runs the program with a terminal of that width as standard output; gives exit status and output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [BIN, *arguments], env=env or environment(), stdin=stdin, stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b""
    try:
        while chunk := os.read(ours, 65536):
            output += chunk
    except OSError:
        pass  # Linux says EIO when the other side has closed.
    os.close(ours)
    return process.wait(60), output.decode().replace("\r\n", "\n")


def patch_rows(count, first=1_500_000_000, step=60):
    """The text of a small made-up file for replay."""
    lines = [
        f"{first + i * step},{first + i * step + 30},p{i % 7:04},p{i % 3:04},{i % 5},dir/file{i}.c\n"
        for i in range(count)
    ]
    return PATCH_HEADER + "".join(lines)


class Handler(http.server.BaseHTTPRequestHandler):
    """Reads one request and has the server's `answer` decide: (status, JSON or bytes), or None to hang up."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        try:
            reply = self.server.owner.answer(self.command, self.path, self.headers, body)
        except ConnectionAbortedError:
            reply = None
        if reply is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content = reply
        if not isinstance(content, bytes):
            content = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = handle_any

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    owner = None

    def handle_error(self, request, client_address):
        pass


class ScriptedServer:
    """Answers every request by `answer(method, path, headers, body)`; remembers the requests."""

    def __init__(self, answer=None):
        self.requests = []
        self.scripted = answer
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.owner = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def answer(self, method, path, headers, body):
        with self.lock:
            self.requests.append((method, path, headers, body))
        return self.scripted(method, path, headers, body)

    def run(self, *arguments, **more):
        env = environment(TROUPE_URL=self.url, TROUPE_TOKEN="scripted-token")
        env.update(more.pop("env", {}))
        return run(*arguments, env=env, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class MailboxServer(ScriptedServer):
    """One role held by one program, in memory, with the faults a test asks for.

    lose: a function (path, number of the request on that path) -> "before", "after" or None: the connection
    ends before the request is done, or after it, with the answer lost.
    """

    def __init__(self, capacity=1000, wip_limit=400, kind="program", role="git/integration", exists=True,
                 lose=None):
        self.role, self.kind, self.capacity, self.wip_limit = role, kind, capacity, wip_limit
        self.actors = {"robot": {"kind": kind, "wip_limit": wip_limit}} if exists else {}
        self.roles = {role: {"holder": "robot"}} if exists else {}
        self.lose = lose or (lambda path, number: None)
        self.calls = {}
        self.messages = {}
        self.by_key = {}
        self.queue = collections.deque()
        self.held = {}
        self.finished = []
        self.asked_too_much = 0
        self.clock = 1_700_000_000_000
        super().__init__()

    def answer(self, method, path, headers, body):
        url = urllib.parse.urlsplit(path)
        with self.lock:
            number = self.calls[url.path] = self.calls.get(url.path, 0) + 1
            fault = self.lose(url.path, number)
            if fault == "before":
                return None
            query = {name: values[0] for name, values in urllib.parse.parse_qs(url.query).items()}
            content = json.loads(body) if body else query
            handler = getattr(self, "do_" + url.path.rsplit("/", 1)[1])
            actor = headers.get("Troupe-As", "root")
            if isinstance(content, list):
                assert 1 <= len(content) <= 100
                items = [handler(one, actor) for one in content]
                reply = 200, [{"status": status, "answer": answer} for status, answer in items]
            else:
                reply = handler(content, actor)
            return None if fault == "after" else reply

    def do_health(self, _, __):
        return 200, {"status": "ok", "uptime_ms": 1}

    def do_whoami(self, _, actor):
        return 200, {"actor": actor, "kind": self.actors[actor]["kind"], "administrator": False, "roles": [],
                     "wip_limit": self.actors[actor]["wip_limit"]}

    def do_tree(self, _, __):
        return 200, {"roles": [{"name": name, "holder": role["holder"]} for name, role in self.roles.items()]}

    def do_actors(self, content, _):
        self.actors[content["name"]] = content
        self.wip_limit = content["wip_limit"]
        return 201, {}

    def do_roles(self, content, _):
        self.roles[content["name"]] = {"holder": (content.get("holders") or [None])[0], **content}
        return 201, {}

    def do_send(self, content, _):
        assert content["to"] == self.role
        if content["key"] in self.by_key:
            return 202, {"id": self.by_key[content["key"]], "state": "accepted", "duplicate": True}
        if len(self.queue) >= self.capacity:
            return 429, {"title": "The mailbox is full", "status": 429, "retry_after_ms": 7}
        id = f"{len(self.messages) + 1:013}"
        self.clock += 1
        self.messages[id] = {"id": id, "role": self.role, "state": "queued", "subject": content["subject"],
                             "body": content["body"], "sent": self.clock, "key": content["key"]}
        self.by_key[content["key"]] = id
        self.queue.append(id)
        return 202, {"id": id, "state": "accepted", "position": len(self.queue)}

    def take(self, actor):
        assert actor == self.roles[self.role]["holder"], actor
        if len(self.held) >= self.wip_limit:
            self.asked_too_much += 1
            return list(self.held.values())
        if not self.queue:
            return []
        self.clock += 1
        message = self.messages[self.queue.popleft()]
        self.held[message["id"]] = message
        message.update(state="held", held_since=self.clock)
        return [dict(message)]

    def do_next(self, _, actor):
        messages = self.take(actor)
        return (200, {"messages": messages}) if messages else (204, None)

    def do_done(self, content, actor):
        message = self.messages[content["id"]]
        if message["state"] != "held":
            return 409, {"status": 409, "detail": f"{content['id']} is {message['state']}"}
        message["state"] = "done"
        del self.held[message["id"]]
        self.finished.append(message["key"])
        answer = {"id": content["id"], "state": "done"}
        if content.get("next"):
            answer["messages"] = self.take(actor)
        return 200, answer

    def do_inbox(self, _, __):
        return 200, {"held": list(self.held.values()), "queued": [], "total": len(self.queue)}

    def do_message(self, content, _):
        return 200, self.messages[content["id"]]

    def do_check(self, _, __):
        return 200, {"conserved": True, "accepted": len(self.messages)}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealServer:
    """`troupe serve` on a free port, from a folder of its own; killed, and started again on the same."""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.folder = tempfile.TemporaryDirectory(prefix="troupe-cli-")
        self.data = os.path.join(self.folder.name, "data")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.log = open(os.path.join(self.folder.name, "log"), "ab+")

    def start(self):
        self.process = subprocess.Popen(
            [BIN, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}", *self.arguments],
            env=environment(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.output()}")
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                connection.request("GET", "/v1/health")
                if connection.getresponse().status == 200:
                    return self
            except OSError:
                time.sleep(0.02)
            finally:
                connection.close()
        raise RuntimeError(f"the server does not answer: {self.output()}")

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def kill(self):
        """As the power going away would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """In order; gives the exit status."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.process.returncode if self.process else None

    def environment(self, **more):
        return environment(TROUPE_URL=self.url, TROUPE_DATA=self.data, **more)

    def run(self, *arguments, **more):
        env = self.environment()
        env.update(more.pop("env", {}))
        return run(*arguments, env=env, **more)

    def json(self, *arguments, status=OK, **more):
        """Runs a verb with --json and gives its document, which is one line."""
        done = self.run(*arguments, "--json", **more)
        if done.returncode != status:
            raise AssertionError(f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
        assert re.fullmatch(r"[^\n]*\n", done.stdout), done.stdout
        return json.loads(done.stdout)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.log.close()
            self.folder.cleanup()


NOW_MS = int(time.time() * 1000)
HOUR_MS = 3600 * 1000

MESSAGE = {
    "id": "0000000000abc", "role": "docs", "state": "held", "from": "ann", "subject": "Mend the gate",
    "body": "It squeaks.\n\nSince **Monday**.", "class": "urgent", "sent": NOW_MS - 3 * HOUR_MS - 60000,
    "held_since": NOW_MS, "lease_until": NOW_MS + 72 * HOUR_MS + 60000, "holder": "bob",
    "deadline": NOW_MS + 2 * HOUR_MS + 60000, "thread": "0000000000abc", "in_reply_to": "0000000000000",
    "hops": 0, "attempts": 2,
}
RECEIPT = {
    "id": "0000000000abc", "role": "docs", "state": "accepted", "position": 3, "holder": "ann",
    "wait": {"median_ms": 2 * HOUR_MS, "p95_ms": 26 * HOUR_MS},
}


def answering(status, content):
    return ScriptedServer(lambda *_: (status, content))


class AnswerCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="troupe-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, server, arguments, status=OK, **more):
        done = server.run(*arguments, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done
