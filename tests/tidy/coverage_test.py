#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tools/coverage prints and when it fails: below the floor, and for entries that are stale."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOURCE = "int main(void)\n{\n    often();\n    never();\n    maybe();\n    often();\n}\n"


class Coverage(unittest.TestCase):
    def run_tool(self, exceptions, percent_min, uncovered=(4,)):
        with tempfile.TemporaryDirectory() as folder:
            lines = [{"line_number": n, "count": 0 if n in uncovered else 7} for n in range(3, 7)]
            lines.append({"line_number": 2, "count": 0, "gcovr/noncode": True})
            functions = [{"lineno": 1, "name": "main"}]
            counts = {"files": [{"file": "a.c", "lines": lines, "functions": functions}]}
            for name, text in (("a.c", SOURCE), ("counts", json.dumps(counts)), ("list", exceptions)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            tool = os.path.join(os.path.abspath(ROOT), "tools", "coverage")
            command = [sys.executable, tool, "counts", "list", str(percent_min)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def test_line_without_a_reason_is_printed(self):
        status, output = self.run_tool("", 50)
        self.assertEqual(status, 0)
        self.assertIn("a.c:4: no test runs it, no reason says why: never();", output)
        self.assertIn("75.0% of 4 lines", output)

    def test_line_with_a_reason_is_not_printed(self):
        status, output = self.run_tool("never | a.c | never(); | so\n", 50)
        self.assertEqual(status, 0)
        self.assertNotIn("no reason", output)

    def test_entry_for_a_function_names_all_its_lines(self):
        status, output = self.run_tool("never | a.c | main() | so\n", 50, uncovered=(3, 4))
        self.assertEqual(status, 0)
        self.assertNotIn("no reason", output)

    def test_less_than_the_floor_fails(self):
        status, output = self.run_tool("never | a.c | never(); | so\n", 76)
        self.assertEqual(status, 1)
        self.assertIn("less than 76%", output)

    def test_entry_for_a_covered_line_is_stale(self):
        status, output = self.run_tool("# a comment\n\nnever | a.c | maybe(); | so\n", 50)
        self.assertEqual(status, 1)
        self.assertIn("list:3: stale: a.c: maybe();", output)

    def test_entry_that_depends_on_threads_may_be_covered(self):
        self.assertEqual(self.run_tool("seldom | a.c | maybe(); | so\n", 50)[0], 0)

    def test_entry_for_no_line_is_stale(self):
        self.assertEqual(self.run_tool("seldom | a.c | gone(); | so\n", 50)[0], 1)

    def test_entry_without_a_reason_is_refused(self):
        self.assertNotEqual(self.run_tool("never | a.c | never();\n", 50)[0], 0)


if __name__ == "__main__":
    unittest.main()
