#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every measuring program of bench/ at a small size, with one worker and with two: each must end well
and have validated its own result. How fast it was is not looked at.
"""

import json
import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("TROUPE_SOURCE_DIR", os.path.join(HERE, "../.."))
BENCH = os.path.join(os.environ.get("TROUPE_BUILD_DIR", os.path.join(SOURCE, "build/dev")), "bench")
SECONDS_MAX = 50
MEMBERS = {
    "kernel", "workers", "n", "actors", "seconds", "rate", "unit", "rss_bytes", "bytes_per_actor", "checked",
}
# n and actors: enough for every branch of the kernel, which is more than what is in flight, in a turn, or in
# a bounded mailbox.
SIZES = {
    "pingpong": (20_000, 2),
    "ring": (20_000, 503),
    "counting": (20_500, 2),
    "fanin": (5_500, 8),
    "create": (5_500, 1),
    "idle": (2_000, 1),
    "big": (100, 50),
    "bank": (25_000, 100),
    "skynet": (2, 1_111),
    "timers": (2_001, 1),
}


def run(name, *options):
    return subprocess.run(
        [os.path.join(BENCH, name), *map(str, options)],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


class Kernels(unittest.TestCase):
    def measure(self, name, workers, n, actors):
        done = run(name, "--workers", workers, "--n", n, "--actors", actors)
        self.assertEqual(done.returncode, 0, f"{done.stdout}{done.stderr}")
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 1, done.stdout)
        return json.loads(lines[0])

    def test_every_kernel_of_the_runner_is_run_here(self):
        listed = subprocess.run(
            [os.path.join(SOURCE, "bench/run"), "--list"], capture_output=True, text=True, check=True
        )
        self.assertEqual(set(listed.stdout.split()), set(SIZES))

    def test_each_kernel_validates_its_result(self):
        for name, (n, actors) in SIZES.items():
            for workers in (1, 2):
                with self.subTest(kernel=name, workers=workers):
                    line = self.measure(name, workers, n, actors)
                    self.assertEqual(set(line), MEMBERS)
                    self.assertIs(line["checked"], True)
                    did = tuple(line[key] for key in ("kernel", "workers", "n", "actors"))
                    self.assertEqual(did, (name, workers, n, actors))
                    self.assertGreater(line["rate"], 0)
                    self.assertGreater(line["rss_bytes"], 0)

    def test_idle_measures_bytes_of_an_actor(self):
        # Few enough to be quick, and enough that the process's own pages do not count.
        line = self.measure("idle", 1, 20_000, 1)
        self.assertGreater(line["bytes_per_actor"], 16)

    def test_ring_of_one_actor_passes_to_itself(self):
        self.assertIs(self.measure("ring", 1, 1_000, 1)["checked"], True)

    def test_skynet_takes_the_largest_full_tree(self):
        for asked, got in ((1, 1), (10, 1), (11, 11), (1_110, 111), (1_111, 1_111)):
            with self.subTest(asked=asked):
                self.assertEqual(self.measure("skynet", 1, 1, asked)["actors"], got)


class Options(unittest.TestCase):
    def refuses(self, why, *options):
        done = run("pingpong", *options)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_an_unknown_option_is_refused(self):
        self.refuses("options are", "--turns", "5")

    def test_an_option_without_its_number_is_refused(self):
        self.refuses("lacks its number", "--n")

    def test_a_number_with_letters_is_refused(self):
        self.refuses("a number is expected", "--n", "5k")

    def test_more_workers_than_the_library_allows_are_refused(self):
        self.refuses("does not start", "--workers", "65")


class Journal(unittest.TestCase):
    def test_journal_appends_and_reads_small(self):
        if not os.path.exists(os.path.join(BENCH, "journal")):
            self.skipTest("this build has no journal")
        with tempfile.TemporaryDirectory() as folder:
            done = run("journal", "--n", 2560, "--rounds", 1, "--dir", folder, "--only", "appends")
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual({line["what"] for line in lines}, {"driver", "plain", "indexed", "writer"})
            self.assertTrue(all(line["checked"] is True for line in lines))
            self.assertEqual(os.listdir(folder), [])

    def test_a_server_starts_on_a_file_that_was_filled(self):
        if not os.path.exists(os.path.join(BENCH, "start")):
            self.skipTest("this build has no server")
        with tempfile.TemporaryDirectory() as folder:
            done = run("start", "--n", 3000, "--actors", 100, "--dir", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            line = json.loads(done.stdout)
            self.assertGreaterEqual(line["n"], 2500)
            self.assertTrue(line["checked"])
            self.assertEqual(os.listdir(folder), [])

    def test_roles_work_off_all_that_is_sent(self):
        if not os.path.exists(os.path.join(BENCH, "roles")):
            self.skipTest("this build has no server")
        for workers in (1, 2):
            with self.subTest(workers=workers):
                done = run("roles", "--n", 1003, "--actors", 3, "--workers", workers)
                self.assertEqual(done.returncode, 0, done.stderr)
                lines = [json.loads(line) for line in done.stdout.splitlines()]
                self.assertEqual([line["what"] for line in lines], ["told", "untold"])
                self.assertTrue(all(line["checked"] is True for line in lines))
                self.assertTrue(all(line["n"] == 1003 for line in lines))

    def test_roles_wake_with_all_they_had(self):
        if not os.path.exists(os.path.join(BENCH, "activate")):
            self.skipTest("this build has no server")
        with tempfile.TemporaryDirectory() as folder:
            done = run("activate", "--n", 200, "--actors", 4, "--dir", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual([line["what"] for line in lines],
                             ["lost one by one", "lost together", "asleep one by one", "asleep together"])
            self.assertTrue(all(line["checked"] is True for line in lines))
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
