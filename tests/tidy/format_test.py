#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How tools/format wraps comments: what is too long, and nothing laid out by hand. Needs no clang-format."""

import importlib.machinery
import importlib.util
import os
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def load(path):
    loader = importlib.machinery.SourceFileLoader("tool", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tool", loader))
    loader.exec_module(module)
    return module


wrap_comments = load(os.path.join(ROOT, "tools", "format")).wrap_comments

LONG = "word " * 30


def block(*lines):
    return "/*\n" + "".join((" * " + line).rstrip() + "\n" for line in lines) + " */\n"


class WrapComments(unittest.TestCase):
    def test_comment_within_the_limit_is_untouched(self):
        text = block("Short.", "Lines.", "", "  1. An item", "     that goes on.") + "int x; /* y */\n"
        self.assertEqual(text, wrap_comments(text))

    def test_long_paragraph_is_wrapped_and_its_words_are_kept(self):
        text = block(LONG.strip(), "end.", "", "Another paragraph.")
        wrapped = wrap_comments(text)
        self.assertLessEqual(max(map(len, wrapped.split("\n"))), 110)
        self.assertEqual(text.replace("*", "").split(), wrapped.replace("*", "").split())
        self.assertIn("word end.\n *\n * Another paragraph.\n", wrapped)

    def test_long_one_line_comment_becomes_a_block(self):
        wrapped = wrap_comments("    /** " + LONG + "end. */\n").split("\n")
        self.assertEqual("    /**", wrapped[0])
        self.assertTrue(wrapped[1].startswith("     * word"))
        self.assertEqual("     */", wrapped[-2])

    def test_item_wraps_under_its_own_text(self):
        wrapped = wrap_comments(block("  1. " + LONG, "  2. Second.")).split("\n")
        self.assertTrue(wrapped[1].startswith(" *   1. word"))
        self.assertTrue(wrapped[2].startswith(" *      word"))
        self.assertEqual(" *   2. Second.", wrapped[3])

    def test_drawing_is_untouched(self):
        drawings = ["a --> b " + "-" * 110, "+---+ " * 20, "name     what it means " * 6, "    f(" + LONG]
        for line in drawings:
            with self.subTest(line):
                text = block(line)
                self.assertEqual(text, wrap_comments(text))

    def test_wrapping_twice_changes_nothing_more(self):
        once = wrap_comments(block(LONG + "end.", "  - " + LONG, "", LONG))
        self.assertEqual(once, wrap_comments(once))


if __name__ == "__main__":
    unittest.main()
