# SPDX-License-Identifier: MIT
"""What docs/http-api.md shows is what the server does: every call of its walk is made, in its order, and the
answer compared; every call of its tables is in the walk, and its limits are the program's.

How a block is read: one marked `http` holds a request (method and path, headers, a body), an empty line, the
status, and the JSON of the answer. One marked `console` holds a command after "$ " and what it prints. An id,
thirteen characters, stands for whichever id came the first time, and so does a token; "…" stands for any text
or part of one; times and ages may differ, and how many roles are awake.
"""

import json
import os
import re
import shutil
import subprocess
import unittest

from serving import SOURCE, Server

GUIDE = os.path.join(SOURCE, "docs", "http-api.md")
ID = re.compile(r"\b0[0-9a-z]{12}\b")
TIME_MS = 10 ** 12  # numbers beyond are moments
LOOSE = {"uptime_ms", "oldest_ms", "awake"}


def read():
    with open(GUIDE, encoding="utf-8") as file:
        return file.read()


def blocks(kind):
    """(line, text) of each fenced block of a kind."""
    text = read()
    for match in re.finditer(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 1, match[1]


class Exchange:
    """One block: what is asked, and what is to come back."""

    def __init__(self, text):
        asked, _, answered = text.partition("\n\n")
        lines = asked.split("\n")
        self.method, self.path = lines[0].split(" ", 1)
        self.headers = {}
        while len(lines) > 1 and (match := re.fullmatch(r"([A-Z][\w-]+): (.*)", lines[1])):
            self.headers[match[1]] = match[2]
            del lines[1]
        self.body = "\n".join(lines[1:])
        status, _, expected = answered.partition("\n")
        self.status = int(status)
        self.expected = json.loads(expected) if expected.strip() else None


class Guide(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.known = {}  # what stands in the guide -> what it is here

    def here(self, text):
        for ours, theirs in self.known.items():
            text = text.replace(ours, theirs)
        return text

    def same(self, expected, got, name=""):
        """Whether an answer is the one that is shown; learns the ids and tokens that are new in it."""
        if isinstance(expected, dict) and isinstance(got, dict):
            return list(expected) == list(got) and all(self.same(expected[key], got[key], key) for key in got)
        if isinstance(expected, list) and isinstance(got, list):
            return len(expected) == len(got) and all(map(self.same, expected, got))
        if isinstance(expected, bool) or expected is None or isinstance(got, bool) or got is None:
            return expected is got
        if isinstance(expected, int) and isinstance(got, int):
            return expected == got or name in LOOSE or min(expected, got) > TIME_MS
        if not isinstance(expected, str) or not isinstance(got, str):
            return False
        if ID.fullmatch(expected) and ID.fullmatch(got):
            return self.known.setdefault(expected, got) == got
        if name == "token":
            self.known[expected] = got
        parts = [re.escape(part) for part in expected.split("…")]
        return re.fullmatch(".+".join(parts), got) is not None

    def check(self, line, exchange, server):
        where = f"docs/http-api.md:{line}: {exchange.method} {exchange.path}"
        headers = {name: self.here(value) for name, value in exchange.headers.items()}
        token = headers.pop("Authorization", f"Bearer {server.token}").removeprefix("Bearer ")
        body = self.here(exchange.body) or None
        answer = server.ask(exchange.method, self.here(exchange.path), body, token=token, headers=headers)
        self.assertEqual(answer.status, exchange.status, f"{where}\n{answer}")
        if not self.same(exchange.expected, answer.json):
            self.assertEqual(exchange.expected, answer.json, where)

    def settle(self, server):
        """What is owed between roles is delivered before the next call, as it is for whoever reads."""
        self.assertEqual(server.settled()["owed"], 0)

    def test_every_call_of_the_walk_does_what_it_shows(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        count = 0
        for line, text in blocks("http"):
            self.check(line, Exchange(text), server)
            self.settle(server)
            count += 1
        self.assertGreater(count, 40)
        self.assertEqual(server.stop(), 0)

    def test_every_call_of_the_tables_is_in_the_walk(self):
        told = set(re.findall(r"^\| `((?:GET|POST) /v1/[\w/]+)", read(), re.MULTILINE))
        shown = {f"{one.method} {one.path.partition('?')[0]}" for one in
                 (Exchange(text) for _, text in blocks("http"))}
        self.assertEqual(told, shown)

    def test_every_call_of_the_server_is_in_the_tables(self):
        with open(os.path.join(SOURCE, "src", "server", "routes.c"), encoding="utf-8") as file:
            served = {" ".join(found) for found in re.findall(r'\{"(\w+)", "(/v1/[\w/]+)"', file.read())}
        told = set(re.findall(r"^\| `((?:GET|POST) /v1/[\w/]+)", read(), re.MULTILINE))
        self.assertEqual(told, served)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_commands_print_what_they_show(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        for line, text in blocks("console"):
            command, _, expected = text.removeprefix("$ ").partition("\n")
            command = command.replace("http://127.0.0.1:7373", server.url)
            done = subprocess.run(["/bin/bash", "-c", command], cwd=os.path.dirname(server.data), text=True,
                                  capture_output=True, check=True, timeout=60)
            parts = [re.escape(part) for part in expected.strip().split("…")]
            self.assertRegex(done.stdout.strip(), f"^{'.+'.join(parts)}$", f"docs/http-api.md:{line}")

    def test_problems_of_the_table_are_the_programs(self):
        with open(os.path.join(SOURCE, "src", "server", "problem.h"), encoding="utf-8") as file:
            rows = re.findall(r'X\(\w+, ([45]\d+), "([\w-]+)",', file.read())
        told = re.findall(r"^\| (\d{3}) \| `([\w-]+)` \|", read(), re.MULTILINE)
        self.assertEqual(sorted(told), sorted(rows))


if __name__ == "__main__":
    unittest.main()
