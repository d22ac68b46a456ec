#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/compare makes of its runs: which figure stands for several runs, the ratio to the best peer, the
table and the drawing. The runs are written here, so that the right answer is known.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("TROUPE_SOURCE_DIR", os.path.join(HERE, "../.."))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import chart  # noqa: E402
import results  # noqa: E402

WHERE = {
    "date": "2026-01-05 08:00 UTC",
    "processor": "A <fast> & small one",
    "processors": 2,
    "system": "Linux 6.1",
    "commit": "0123456",
    "load": 0.5,
    "versions": {"erlang-base": "25.2", "libcaf-dev": "0.17.6", "gcc": "12.2"},
}
SVG = "{http://www.w3.org/2000/svg}"


def run(runtime, rate, kernel="pingpong", workers=1, variant="", others=0.0, size=0.0):
    return {
        "kernel": kernel,
        "workers": workers,
        "unit": "round trips/s",
        "runtime": runtime,
        "variant": variant,
        "rate": rate,
        "bytes_per_actor": size,
        "others": others,
    }


def row_of(*runs):
    rows = results.summarise(runs)
    assert len(rows) == 1
    return rows[0]


class Summary(unittest.TestCase):
    def test_best_and_median_stand_for_the_runs(self):
        row = row_of(run("troupe", 10e6), run("troupe", 30e6), run("troupe", 20e6), run("erlang", 5e6))
        self.assertEqual(row["values"]["troupe"]["best"], 30e6)
        self.assertEqual(row["values"]["troupe"]["median"], 20e6)
        self.assertEqual(row["ratio"], {"best": 6.0, "median": 4.0})

    def test_ratio_is_to_the_better_peer(self):
        row = row_of(run("troupe", 8e6), run("erlang", 2e6), run("caf", 4e6))
        self.assertEqual(row["ratio"]["best"], 2.0)

    def test_a_peer_that_is_faster_gives_less_than_one(self):
        row = row_of(run("troupe", 1e6), run("erlang", 2e6), run("caf", 4e6))
        self.assertEqual(row["ratio"]["best"], 0.25)

    def test_of_a_peers_variants_the_better_counts(self):
        for first, second in ((3e6, 4e6), (4e6, 3e6)):
            row = row_of(
                run("troupe", 8e6),
                run("caf", first, variant="stealing"),
                run("caf", second, variant="sharing"),
            )
            self.assertEqual(row["values"]["caf"]["best"], 4e6)
            self.assertEqual(row["values"]["caf"]["median"], 4e6)
            self.assertEqual(row["ratio"]["best"], 2.0)

    def test_of_bytes_less_is_better(self):
        row = row_of(
            run("troupe", 9e6, "idle", size=200), run("troupe", 9e6, "idle", size=250),
            run("erlang", 9e6, "idle", size=900), run("caf", 9e6, "idle", size=1200),
        )
        self.assertEqual(row["unit"], "bytes/actor")
        self.assertEqual(row["values"]["troupe"]["best"], 200)
        self.assertEqual(row["ratio"]["best"], 4.5)

    def test_without_a_peer_there_is_no_ratio(self):
        self.assertEqual(row_of(run("troupe", 1e6))["ratio"], {})

    def test_workers_and_kernels_have_rows_of_their_own(self):
        runs = [run("troupe", 1e6), run("troupe", 2e6, workers=2), run("troupe", 3e6, "ring503")]
        heads = [(row["kernel"], row["workers"]) for row in results.summarise(runs)]
        self.assertEqual(heads, [("pingpong", 1), ("pingpong", 2), ("ring503", 1)])

    def test_the_noisiest_run_is_shown(self):
        row = row_of(run("troupe", 1e6, others=0.1), run("erlang", 1e6, others=0.4))
        self.assertEqual(row["others"], 0.4)


class Table(unittest.TestCase):
    def test_table_has_a_line_for_each_row(self):
        runs = [run("troupe", 12.34e6, others=0.25), run("erlang", 1.5e6), run("caf", 0.05e6)]
        rows = results.summarise(runs)
        lines = results.table(WHERE, rows).split("\n")
        self.assertIn("2026-01-05", lines[0])
        self.assertEqual(lines[2], "| kernel | workers | unit | troupe | erlang | caf | ratio | others |")
        self.assertEqual(
            lines[4],
            "| pingpong | 1 | M round trips/s | 12.3 (12.3) | 1.5 (1.5) | 0.05 (0.05) | 8.2 (8.2) | 25% |",
        )
        self.assertEqual(len(lines), 5)

    def test_figures_keep_three_digits(self):
        figures = [results.figure(value, "x/s") for value in (123.4e6, 99.96e6, 12.34e6, 1.234e6, 0.0123e6)]
        self.assertEqual(figures, ["123", "100", "12.3", "1.23", "0.012"])
        self.assertEqual(results.figure(1244.4, "bytes/actor"), "1244")


class Drawing(unittest.TestCase):
    def draw(self, *runs):
        return xml.etree.ElementTree.fromstring(chart.svg(WHERE, results.summarise(runs)))

    def bars(self, root):
        found = [rect for rect in root.iter(SVG + "rect") if rect.get("class") == "bar"]
        return [(float(rect.get("x")), float(rect.get("width"))) for rect in found]

    def test_each_ratio_is_a_bar_from_the_line_at_one(self):
        root = self.draw(
            run("troupe", 4e6), run("erlang", 1e6),
            run("troupe", 1e6, "bank"), run("erlang", 4e6, "bank"),
        )
        (faster, faster_width), (slower, slower_width) = self.bars(root)
        # Four times as fast and four times as slow are equally long, on either side of the line.
        self.assertAlmostEqual(faster_width, slower_width, delta=0.2)
        self.assertAlmostEqual(slower + slower_width, faster, delta=0.2)

    def test_words_are_escaped_and_name_the_machine(self):
        words = [text.text for text in self.draw(run("troupe", 4e6), run("erlang", 1e6)).iter(SVG + "text")]
        self.assertTrue(any("A <fast> & small one" in word for word in words), words)
        self.assertIn("4.0", words)
        self.assertIn("pingpong", words)

    def test_a_row_without_a_peer_is_left_out(self):
        root = self.draw(run("troupe", 4e6), run("erlang", 1e6), run("troupe", 1e6, "big"))
        self.assertEqual(len(self.bars(root)), 1)


class Programs(unittest.TestCase):
    def test_table_and_drawing_come_from_the_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.jsonl")
            with open(path, "w") as file:
                for line in (WHERE, run("troupe", 4e6), run("erlang", 1e6)):
                    print(json.dumps(line), file=file)
            words = [sys.executable, "-B", os.path.join(SOURCE, "bench/results.py"), path]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            self.assertIn("| 4.0 (4.0) |", done.stdout)
            drawing = os.path.join(folder, "a.svg")
            words = [sys.executable, "-B", os.path.join(SOURCE, "bench/chart.py"), path, drawing]
            subprocess.run(words, check=True)
            self.assertEqual(len(self.bars_of(drawing)), 1)

    def bars_of(self, path):
        root = xml.etree.ElementTree.parse(path).getroot()
        return [rect for rect in root.iter(SVG + "rect") if rect.get("class") == "bar"]


if __name__ == "__main__":
    unittest.main()
