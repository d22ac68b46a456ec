# SPDX-License-Identifier: MIT
"""What README.md, docs/runtime.md, docs/simulation.md and docs/observing.md show a newcomer is what happens.
Every program in them is saved under its name, built against the installed library by the command that the
document gives, and prints what stands below it. A block ```c NAME.c is a program, ```text NAME what it
prints, ```sh commands."""

import glob
import json
import os
import re
import subprocess
import unittest

from installed import ROOT, Installed

INSTALLING = ["tools/packages library", "cmake --preset library", "cmake --build --preset library",
              "cmake --install build/library", "ldconfig"]


def blocks(document):
    """(kind, name, text) of the fenced blocks of a document, in order."""
    with open(os.path.join(ROOT, document), encoding="utf-8") as file:
        return re.findall(r"^```(\w+) ?([\w.]*)\n(.*?)^```$", file.read(), re.M | re.S)


class Documents(Installed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Where a reader's pkg-config and ldconfig look by themselves.
        cls.environment = dict(
            os.environ, PKG_CONFIG_PATH=cls.pkg_config_path, LD_LIBRARY_PATH=cls.library_path
        )

    def shell(self, commands):
        return subprocess.run(
            ["bash", "-euc", commands], cwd=self.folder, env=self.environment, timeout=120, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def save_programs(self, document):
        programs = [(name[:-2], text) for kind, name, text in blocks(document) if kind == "c"]
        for name, text in programs:
            with open(os.path.join(self.folder, name + ".c"), "w", encoding="utf-8") as file:
                file.write(text)
        return [name for name, _ in programs]

    def expected(self, document):
        return {name: text for kind, name, text in blocks(document) if kind == "text"}

    def test_readme_installs_as_the_test_does(self):
        commands = [text.splitlines() for kind, _, text in blocks("README.md") if kind == "sh"]
        self.assertIn(INSTALLING, commands)

    def test_readme_programs_build_and_run_as_it_says(self):
        names = self.save_programs("README.md")
        self.assertEqual(["hello", "supervised"], names)
        expected = self.expected("README.md")
        commands = [text for kind, _, text in blocks("README.md") if kind == "sh" and text.startswith("cc ")]
        self.assertEqual(len(names), len(commands))
        for name, text in zip(names, commands):
            with self.subTest(name):
                # As a stranger runs it, and with every warning on.
                done = self.shell(text.replace("cc ", "cc -Wall -Wextra -Wpedantic -Werror ", 1))
                self.assertEqual((expected[name], "", 0), (done.stdout, done.stderr, done.returncode))

    def test_readme_programs_are_the_examples(self):
        for kind, name, text in blocks("README.md"):
            if kind == "c":
                with open(os.path.join(ROOT, "examples", name), encoding="utf-8") as file:
                    self.assertTrue(file.read().endswith(text), name)

    def test_guide_programs_build_and_print_what_it_says(self):
        document = "docs/runtime.md"
        names = self.save_programs(document)
        expected = self.expected(document)
        self.assertGreater(len(names), 7)
        self.assertEqual(set(names), set(expected))
        command = next(text for kind, _, text in blocks(document) if kind == "sh")
        for name in names:
            with self.subTest(name):
                build = command.replace("counter", name).replace("-Wextra", "-Wextra -Wpedantic -Werror")
                done = self.shell(build)
                self.assertEqual(("", 0), (done.stderr, done.returncode))
                done = self.shell("./" + name)
                self.assertEqual((expected[name], 0), (done.stdout, done.returncode))

    def test_page_of_seeds_shows_a_test_that_passes_and_one_that_finds(self):
        document = "docs/simulation.md"
        self.assertEqual(["orders"], self.save_programs(document))
        commands = next(text for kind, _, text in blocks(document) if kind == "sh")
        done = self.shell(commands)
        printed = self.expected(document)["orders"]
        self.assertEqual((printed, "", 0), (done.stdout, done.stderr, done.returncode))
        source = os.path.join(self.folder, "orders.c")
        with open(source, encoding="utf-8") as file:
            text = file.read()
        with open(source, "w", encoding="utf-8") as file:
            file.write(text.replace("if (o->number > shop->last)", "if (true)"))
        done = self.shell(commands)
        self.assertEqual(("", 1), (done.stdout, done.returncode))
        self.assertRegex(done.stderr, r"^seed \d+ failed; replay it with:\n    \./orders --seed \d+\n$")

    def test_examples_build_as_their_readme_says(self):
        with open(os.path.join(ROOT, "examples", "README.md"), encoding="utf-8") as file:
            text = file.read()
        command = re.search(r"^    (cc .*)$", text, re.M).group(1)
        files = os.listdir(os.path.join(ROOT, "examples"))
        names = sorted(name[:-2] for name in files if name.endswith(".c"))
        self.assertEqual(names, sorted(re.findall(r"^\| \[(\w+)\.c\]", text, re.M)))
        for name in names:
            with self.subTest(name):
                source = os.path.join(ROOT, "examples", name + ".c")
                build = command.replace("pool.c", source + " -Wall -Wextra -Werror")
                done = self.shell(build.replace("-o pool", "-o " + name))
                self.assertEqual(("", 0), (done.stderr, done.returncode))

    def test_page_of_observing_shows_what_happens_and_leaves_a_trace(self):
        document = "docs/observing.md"
        self.assertEqual(["warden"], self.save_programs(document))
        commands = [text for kind, _, text in blocks(document) if kind == "sh"]
        done = self.shell(commands[0].replace("-Wextra", "-Wextra -Wpedantic -Werror"))
        printed = self.expected(document)["warden"]
        self.assertEqual((printed, "", 0), (done.stdout, done.stderr, done.returncode))
        done = self.shell(commands[1])
        self.assertEqual(("0 lost\n", "", 0), (done.stdout, done.stderr, done.returncode))
        with open(os.path.join(self.folder, "warden.trace"), encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        names = {event["name"] for event in events}
        self.assertLessEqual({"parcel", "rumour", "anna", "restarted anna"}, names)

    def test_page_of_observing_names_calls_that_exist(self):
        self.names_check("docs/observing.md", 15)

    def test_guide_names_calls_that_exist(self):
        self.names_check("docs/runtime.md", 60)

    def test_page_of_seeds_names_calls_that_exist(self):
        self.names_check("docs/simulation.md", 20)

    def names_check(self, document, names_min):
        with open(os.path.join(ROOT, document), encoding="utf-8") as file:
            text = file.read()
        known = set()
        for name in os.listdir(os.path.join(ROOT, "include", "troupe")):
            known.add("troupe_" + name[:-2])  # its manual page
            with open(os.path.join(ROOT, "include", "troupe", name), encoding="utf-8") as file:
                known |= set(re.findall(r"\b(?:troupe|TROUPE)_\w+", file.read()))
        for path in glob.glob(os.path.join(ROOT, "src", "**", "*.c"), recursive=True) + glob.glob(
            os.path.join(ROOT, "tests", "**", "*.[ch]"), recursive=True
        ):
            with open(path, encoding="utf-8") as file:
                known |= set(re.findall(r"\"(TROUPE_[A-Z_]+)\"", file.read()))  # of the environment
        named = set(re.findall(r"\b(?:troupe|TROUPE)_\w+", text))
        self.assertGreater(len(named), names_min)
        # A message type gives names of its own.
        named = {name if name in known else re.sub(r"_(of|type|fields)$", "", name) for name in named}
        self.assertEqual([], sorted(named - known))

    def test_links_lead_somewhere(self):
        documents = glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "[!b]*", "*.md"))
        self.assertIn(os.path.join(ROOT, "docs", "runtime.md"), documents)
        for document in documents:
            with open(document, encoding="utf-8") as file:
                links = re.findall(r"\]\(([^)#]+)\)", file.read())
            for link in links:
                if not link.startswith("http"):
                    path = os.path.join(os.path.dirname(document), link)
                    self.assertTrue(os.path.exists(path), f"{document}: {link}")


if __name__ == "__main__":
    unittest.main()
