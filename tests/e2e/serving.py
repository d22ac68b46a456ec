# SPDX-License-Identifier: MIT
"""A real server process for tests: started on a free port with a data folder of its own, asked over HTTP,
stopped, killed and started again on the same folder. Used by the tests beside it and by tests/crash."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ.get("TROUPE_BIN", "build/dev/troupe")
SOURCE = os.environ.get("TROUPE_SOURCE_DIR", os.getcwd())
SAMPLE = os.path.join(SOURCE, "examples", "sample-organisation.json")
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


class Answer:
    """What came back: status, headers, and the body as JSON where it is JSON."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.bytes = response.read()
        kind = response.headers.get_content_type()
        self.json = json.loads(self.bytes) if kind.endswith("json") and self.bytes else None

    def __repr__(self):
        return f"{self.status} {self.bytes[:500]!r}"


class Server:
    """One `troupe serve`. `data` stays the same over restarts; the port is chosen anew each time."""

    def __init__(self, sample=False, arguments=()):
        self.data = os.path.join(tempfile.mkdtemp(prefix="troupe-e2e-"), "data")
        self.sample = sample
        self.arguments = list(arguments)
        self.process = None
        self.url = None
        self.port = None
        self.token = None
        self.said = []
        self.readers = []
        self.local = threading.local()

    def command(self):
        command = [PROGRAM, "serve", "--data", self.data, "--listen", "127.0.0.1:0", *self.arguments]
        return command + ["--sample", SAMPLE] if self.sample else command

    def start(self, before=None):
        """Starts the process; `before` runs in it first."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(self.command(), text=True, bufsize=1, preexec_fn=before, **pipes)
        timer = threading.Timer(START_TIMEOUT_S, self.process.kill)
        timer.start()
        self.said = []
        try:
            for line in self.process.stdout:
                self.said.append(line.rstrip("\n"))
                found = re.search(r"http://[0-9.]+:(\d+)", line)
                if found:
                    self.url, self.port = found.group(0), int(found.group(1))
                    break
            else:
                said = self.process.communicate()[1]
                raise AssertionError(f"the server did not start: {self.process.returncode} {said}")
        finally:
            timer.cancel()
        # From here on its lines are read, so that a full pipe cannot stop it.
        streams = (self.process.stdout, self.process.stderr)
        self.readers = [threading.Thread(target=self.read, args=(stream,), daemon=True) for stream in streams]
        for reader in self.readers:
            reader.start()
        with open(os.path.join(self.data, "token"), encoding="ascii") as file:
            self.token = file.read().strip()
        return self

    def read(self, stream):
        for line in stream:
            self.said.append(line.rstrip("\n"))

    def stop(self, how=signal.SIGTERM):
        """Ends the process and gives its exit status."""
        self.process.send_signal(how)
        try:
            status = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop in time") from None
        for reader in self.readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def close(self):
        """Ends everything; the data folder goes too."""
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(os.path.dirname(self.data), ignore_errors=True)

    # --- asking -------------------------------------------------------------------------------------------

    def raw(self, method, path, body=None, headers=None, timeout=70):
        """One request on a connection of this thread, which is kept for the next."""
        for is_fresh in (False, True):
            connection = getattr(self.local, "connection", None)
            if connection is None or is_fresh or self.local.port != self.port:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
                self.local.connection, self.local.port = connection, self.port
            try:
                connection.request(method, path, body=body, headers=headers or {})
                return Answer(connection.getresponse())
            except ConnectionError:
                connection.close()
                self.local.connection = None
                # A kept connection that the server had closed meanwhile; a fresh one tells the truth.
                if is_fresh:
                    raise
        return None

    def ask(self, method, path, body=None, who=None, token=None, headers=None):
        """As the server's own user or, with `who`, for somebody else."""
        sent = {"Authorization": f"Bearer {token or self.token}", **(headers or {})}
        if who:
            sent["Troupe-As"] = who
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        return self.raw(method, path, body, sent)

    def get(self, path, who=None, **more):
        return self.ask("GET", path, who=who, **more)

    def post(self, path, body, who=None, **more):
        return self.ask("POST", path, body, who, **more)

    # --- what most tests need -----------------------------------------------------------------------------

    def make(self, *people, programs=(), **roles):
        """Actors, and roles as name=[holders]; a double underscore in a name stands for a slash."""
        for name in people:
            self.expect(201, self.post("/v1/actors", {"name": name, "kind": "person"}))
        for name in programs:
            self.expect(201, self.post("/v1/actors", {"name": name, "kind": "program"}))
        for name, holders in roles.items():
            role = {"name": name.replace("__", "/"), "holders": holders}
            self.expect(201, self.post("/v1/roles", role))

    def send(self, to, subject="A subject", who=None, **more):
        return self.expect(202, self.post("/v1/send", {"to": to, "subject": subject, **more}, who))

    def take(self, who, **more):
        """What `next` gives: the list of messages, empty when nothing waits."""
        answer = self.post("/v1/next", more, who)
        return [] if answer.status == 204 else self.expect(200, answer)["messages"]

    @staticmethod
    def expect(status, answer):
        if answer.status != status:
            raise AssertionError(f"expected {status}, got {answer}")
        return answer.json

    def check(self):
        """The conservation check, which must hold; gives its counts."""
        counts = self.expect(200, self.get("/v1/check"))
        if counts["conserved"] is not True:
            raise AssertionError(f"messages are lost or doubled: {counts}")
        counts.pop("awake")  # comes and goes with the time
        return counts

    def awake(self):
        """How many roles have an actor at the moment."""
        return self.expect(200, self.get("/v1/check"))["awake"]

    def settled(self, timeout_s=10):
        """The counts once nothing is on its way from one role to another."""
        end = time.monotonic() + timeout_s
        while True:
            counts = self.check()
            if counts["owed"] == 0 or time.monotonic() > end:
                return counts
            time.sleep(0.02)


class ServerCase(unittest.TestCase):
    """A server for each class of tests; with the sample where the class says so. When the tests have done
    their worst, it must still be there, have lost nothing, and stop in order."""

    sample = False
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.sample, cls.arguments)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        if cls.server.process.poll() is not None:
            raise AssertionError(f"the server is gone: {cls.server.process.returncode} {cls.server.said}")
        cls.server.check()
        status = cls.server.stop()
        if status != 0:
            raise AssertionError(f"the server ended with {status}: {cls.server.said}")

    def post(self, path, body, who=None, **more):
        return self.server.post(path, body, who, **more)

    def get(self, path, who=None, **more):
        return self.server.get(path, who, **more)

    def send(self, to, subject="A subject", who=None, **more):
        return self.server.send(to, subject, who, **more)

    def take(self, who, **more):
        return self.server.take(who, **more)

    def expect(self, status, answer):
        return self.server.expect(status, answer)

    def problem(self, answer, status, kind):
        """The answer is this problem; gives its detail."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        self.assertEqual(answer.json["type"], f"urn:troupe:problem:{kind}")
        self.assertEqual(answer.json["status"], status)
        self.assertTrue(answer.json["title"])
        return answer.json["detail"]
