# SPDX-License-Identifier: MIT
"""The guide and the manual pages say what the program does: every command in docs/cli.md is run, in its
order, against a real server, and its output compared; every option is in its manual page, and none more.

How a block of docs/cli.md is read: one marked `console` holds commands after "$ " with their output (both
streams) and, where it is not 0, "[exit status N]"; one marked `file=NAME` is written to the folder that the
commands run in. An id, thirteen characters, stands for whichever id came the first time; "…" stands for
anything on its line; ages and the timings of a replay may differ.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import unittest

from cli_support import BIN, OK, SOURCE, RealServer, environment, run

GUIDE = os.path.join(SOURCE, "docs", "cli.md")
MANUAL = os.path.join(SOURCE, "docs", "man")
ID = re.compile(r"\b0[0-9a-z]{12}\b")
AGE = re.compile(r"\b(now|\d+ (ms|s|min|h|d) ago|in \d+ (ms|s|min|h|d))\b")
TIMING = re.compile(r"^(median wait|95th percentile wait|seconds|messages per second) +[\d.,]+")


def blocks():
    """(line, kind, text) of each fenced block of the guide."""
    kind, start, lines = None, 0, []
    with open(GUIDE, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("```"):
                if kind is None:
                    kind, start, lines = line[3:].strip(), number, []
                else:
                    yield start, kind, "".join(lines)
                    kind = None
            elif kind is not None:
                lines.append(line)


def commands(start, text):
    """(line, command, expected output, expected status) of a console block."""
    found = []
    for number, line in enumerate(text.splitlines(), start + 1):
        if line.startswith("$ "):
            found.append([number, line[2:], [], OK])
        elif match := re.fullmatch(r"\[exit status (\d+)\]", line):
            found[-1][3] = int(match[1])
        else:
            found[-1][2].append(line)
    return found


class Guide(unittest.TestCase):
    maxDiff = None

    def pattern(self, line):
        """What an expected line matches, once its ids are known."""
        line = ID.sub(lambda match: self.ids.get(match[0], match[0]), line)
        line = TIMING.sub(lambda match: match[1] + " #", AGE.sub("@", line))
        parts = [re.escape(" ".join(part.split())) for part in re.split("…", line)]
        return r" ?\S.* ?".join(parts) if len(parts) > 1 else parts[0]

    def same(self, expected, got):
        """Compares a line, and learns the ids that are new in it."""
        known = ID.findall(expected)
        ids = ID.findall(got)
        for ours, theirs in zip(known, ids):
            self.ids.setdefault(ours, theirs)
        shown = " ".join(TIMING.sub(lambda match: match[1] + " #", AGE.sub("@", got)).split())
        return re.fullmatch(self.pattern(expected), shown) is not None

    def check(self, line, command, expected, status, server):
        for ours, theirs in self.ids.items():
            command = command.replace(ours, theirs)
        env = server.environment(PATH=os.path.dirname(BIN) + ":" + os.environ["PATH"])
        done = subprocess.run(["/bin/bash", "-c", command], env=env, cwd=server.folder.name, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        got = done.stdout.splitlines()
        where = f"docs/cli.md:{line}: {command}\n{done.stdout}"
        self.assertEqual(done.returncode, status, where)
        self.assertEqual(len(got), len(expected), where)
        for one, other in zip(expected, got):
            if not self.same(one, other):
                self.assertEqual(one, other, where)

    def test_every_command_of_the_guide_does_what_it_shows(self):
        self.ids = {}
        count = 0
        with RealServer() as server:
            for start, kind, text in blocks():
                if match := re.search(r"file=(\S+)", kind):
                    with open(os.path.join(server.folder.name, match[1]), "w", encoding="utf-8") as file:
                        file.write(text)
                elif kind == "console":
                    for command in commands(start, text):
                        self.check(*command, server)
                        count += 1
        self.assertGreater(count, 20)

    def test_every_verb_is_in_the_guide(self):
        with open(GUIDE, encoding="utf-8") as file:
            guide = file.read()
        for verb in json.loads(run("help", "--json").stdout)["verbs"]:
            self.assertIn(f"troupe {verb['name']}", guide)

    def test_exit_statuses_of_the_guide_are_the_programs(self):
        with open(GUIDE, encoding="utf-8") as file:
            rows = re.findall(r"^\| (\d+) \| (.*) \|$", file.read(), re.MULTILINE)
        statuses = json.loads(run("help", "--json").stdout)["exit_statuses"]
        self.assertEqual(rows, [(str(entry["status"]), entry["text"]) for entry in statuses])


class Manual(unittest.TestCase):
    def setUp(self):
        self.help = json.loads(run("help", "--json").stdout)

    @staticmethod
    def read(name):
        with open(os.path.join(MANUAL, name), encoding="utf-8") as file:
            return file.read()

    def test_every_verb_has_its_page_and_no_page_is_left_over(self):
        pages = {os.path.basename(path) for path in glob.glob(os.path.join(MANUAL, "troupe*.1"))}
        self.assertEqual(pages, {"troupe.1"} | {f"troupe-{verb['name']}.1" for verb in self.help["verbs"]})
        overview = re.findall(r"^\.It Xr troupe-(\w+) 1$", self.read("troupe.1"), re.MULTILINE)
        self.assertEqual(sorted(overview), sorted(verb["name"] for verb in self.help["verbs"]))

    def test_options_of_each_page_are_the_programs(self):
        for verb in self.help["verbs"]:
            page = self.read(f"troupe-{verb['name']}.1")
            described = re.findall(r"^\.It (?:Fl (\w) , )?Fl -([\w-]+)(?: (.*))?$", page, re.MULTILINE)
            expected = [(option.get("letter", ""), option["name"]) for option in verb["options"]]
            self.assertEqual([(letter, name) for letter, name, _ in described], expected, verb["name"])
            for (_, name, argument), option in zip(described, verb["options"]):
                words = [word for word in argument.split() if word not in ("Ar", "Cm")]
                self.assertEqual("".join(words), option.get("argument", ""), f"{verb['name']} --{name}")

    def test_exit_statuses_of_the_manual_are_the_programs(self):
        described = re.findall(r"^\.It (\d+)\n(.*)\.$", self.read("troupe.1"), re.MULTILINE)
        expected = [(str(entry["status"]), entry["text"]) for entry in self.help["exit_statuses"]]
        self.assertEqual([(status, text[0].lower() + text[1:]) for status, text in described], expected)

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_pages_are_without_a_warning(self):
        for path in glob.glob(os.path.join(MANUAL, "*.1")):
            done = subprocess.run(["groff", "-mandoc", "-ww", "-z", "-Tutf8", path], capture_output=True,
                                  check=False, text=True, env=environment())
            self.assertEqual((done.returncode, done.stderr), (0, ""), path)


if __name__ == "__main__":
    unittest.main()
