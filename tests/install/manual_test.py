#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual of section 3 against the headers: what the compiler finds in <troupe.h> is in the manual, once;
two formatters take every page without a warning; tools/manual refuses a header that does not say enough."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ["TROUPE_SOURCE_DIR"]
MANUAL = os.path.join(ROOT, "tools", "manual")
BUILT = os.path.join(os.environ["TROUPE_BUILD_DIR"], "manual", "man3")

HEADER = """\
/* SPDX-License-Identifier: MIT */
/*
 * extra.h: a header that somebody adds.
 */
#ifndef TROUPE_EXTRA_H
#define TROUPE_EXTRA_H

#include <troupe/status.h>

@

#endif
"""
COMMENTED = "/** Does what is extra. */\nTROUPE_API void troupe_extra_do(int times);"


def run(*command, **more):
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more
    )


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def pages():
    """The pages themselves, without the names that lead to them."""
    return sorted(p for p in glob.glob(os.path.join(BUILT, "*.3")) if not os.path.islink(p))


def declared():
    """(functions, types, constants) of <troupe.h>, by clang; inner names have two underscores in a row."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "all.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <troupe.h>\n")
        command = ["clang", "-std=c17", "-I" + os.path.join(ROOT, "include")]
        tree = run(*command, "-fsyntax-only", "-Xclang", "-ast-dump=json", source).stdout
        macros = run(*command, "-dM", "-E", source).stdout
    functions, types = set(), set()
    constants = set(re.findall(r"^#define (TROUPE_\w+) ", macros, re.M))
    macro_functions = set(re.findall(r"^#define ((?:troupe|TROUPE)_\w+)\(", macros, re.M))
    for node in json.loads(tree)["inner"]:
        name = node.get("name", "")
        if node["kind"] == "FunctionDecl" and name.startswith("troupe_"):
            functions.add(name)
        elif node["kind"] == "TypedefDecl" and name.startswith("troupe_"):
            types.add(name)
        elif node["kind"] == "EnumDecl":
            constants |= {value["name"] for value in node["inner"] if value["kind"] == "EnumConstantDecl"}
    def public(names):
        return {name for name in names if "__" not in name and not name.endswith("_H")}

    return public(functions | macro_functions), public(types), public(constants)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.functions, cls.types, cls.constants = declared()
        cls.texts = {path: read(path) for path in pages()}

    def test_every_header_has_a_page(self):
        headers = glob.glob(os.path.join(ROOT, "include", "troupe", "*.h"))
        stems = {"troupe_" + os.path.splitext(os.path.basename(header))[0] for header in headers}
        self.assertIn("troupe_supervisor", stems)
        self.assertEqual(sorted(stems | {"troupe"}), [os.path.basename(path)[:-2] for path in pages()])

    def places(self, name, pattern):
        """The pages on which a name stands as something explained."""
        pattern = re.compile(pattern.format(name), re.M)
        return [os.path.basename(path) for path, text in self.texts.items() if pattern.search(text)]

    def test_every_function_is_on_one_page(self):
        self.assertIn("troupe_supervisor_add", self.functions)
        self.assertIn("troupe_start", self.functions)
        # The four names of a message type are explained together.
        messages = {name[:-3] for name in self.functions if name.endswith("_of") and name[:-3] in self.types}
        self.assertIn("troupe_down", messages)
        lists = {name for name in self.functions if name.endswith("_FIELDS") and name != "TROUPE_FIELDS"}
        for name in sorted(self.functions - {m + "_of" for m in messages} - lists):
            with self.subTest(name):
                self.assertEqual(1, len(self.places(name, r"^\.SS {}$")))

    def test_every_type_is_on_one_page(self):
        for name in sorted(self.types):
            base = re.sub(r"_fields$", "", name)
            with self.subTest(name):
                self.assertEqual(1, len(self.places(base, r"^\.SS {}$")))

    def test_every_constant_is_on_one_page(self):
        self.assertIn("TROUPE_FULL", self.constants)
        self.assertIn("TROUPE_READY_READ", self.constants)
        # A status is explained on its page, and recalled on those of the calls that answer it.
        for name in sorted(self.constants):
            with self.subTest(name):
                found = self.places(name, r'^(?:\.SS {0}$|\.BR {0} "|\.B {0}$)')
                status = self.places(name, r'^\.BR {0} " = \d+"$') == ["troupe_status.3"]
                self.assertTrue(len(found) == 1 or status, found)

    def test_every_name_leads_to_its_page(self):
        for name in sorted(self.functions | self.types):
            path = os.path.join(BUILT, name + ".3")
            if name.endswith(("_fields", "_FIELDS")) and name != "TROUPE_FIELDS":
                continue
            with self.subTest(name):
                names = read(path).split(".SH NAME")[1].split(".SH LIBRARY")[0]
                self.assertRegex(names, rf"\b{name}\b")

    def test_mandoc_takes_the_pages_without_a_warning(self):
        self.assertEqual("", run("mandoc", "-T", "lint", "-W", "style", *pages()).stdout)
        commands = glob.glob(os.path.join(ROOT, "docs", "man", "*.1"))
        self.assertGreater(len(commands), 10)
        self.assertEqual("", run("mandoc", "-T", "lint", "-W", "warning", *commands).stdout)

    def test_groff_takes_the_pages_without_a_warning(self):
        self.assertGreater(len(pages()), 10)
        for page in pages() + glob.glob(os.path.join(ROOT, "docs", "man", "*.1")):
            with self.subTest(page):
                self.assertEqual("", run("groff", "-mandoc", "-ww", "-z", "-Tutf8", page).stdout)

    def test_man_finds_a_function_by_its_name(self):
        folder = os.path.dirname(BUILT)
        for name in ("troupe_supervisor_add", "troupe_start", "troupe_send", "troupe_down", "TROUPE_MESSAGE"):
            with self.subTest(name):
                shown = run("man", "-M", folder, "3", name, env={**os.environ, "MANWIDTH": "80"}).stdout
                self.assertIn(name, shown)
                self.assertIn("libtroupe", shown)


class Refusals(unittest.TestCase):
    """tools/manual on a tree with one header more."""

    def make(self, body, listed=True, included=True):
        """(exit status, what it said, the folder of the pages)."""
        folder = tempfile.mkdtemp(prefix="troupe-manual-")
        self.addCleanup(shutil.rmtree, folder)
        for name in ("include", "examples"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(folder, name))
        path = os.path.join(folder, "include", "troupe", "extra.h")
        with open(path, "w", encoding="utf-8") as file:
            file.write(HEADER.replace("@", body))
        top = os.path.join(folder, "include", "troupe.h")
        text = read(top)
        if listed:
            text = text.replace(" concept a file:\n", " concept a file:\n *   troupe/extra.h   extra\n")
        if included:
            text = text.replace("#include <troupe/ask", "#include <troupe/extra.h>\n#include <troupe/ask")
        with open(top, "w", encoding="utf-8") as file:
            file.write(text)
        out = os.path.join(folder, "out")
        done = run(sys.executable, "-B", MANUAL, folder, out, "0.1.0", "2026-01-05")
        return done.returncode, done.stdout, out

    def refuses(self, why, body, **more):
        status, said, out = self.make(body, **more)
        self.assertIn(why, said)
        self.assertRegex(said, r"^include/troupe/\w+\.h:\d+: ")
        self.assertEqual(1, status)
        self.assertFalse(os.path.exists(out))

    def test_new_header_is_a_new_page(self):
        status, said, out = self.make(COMMENTED)
        self.assertEqual((0, ""), (status, said))
        page = read(os.path.join(out, "troupe_extra_do.3"))
        self.assertEqual(page, read(os.path.join(out, "troupe_extra.3")))
        self.assertIn("Does what is extra.", page)
        self.assertIn(".BR troupe_extra (3)\nextra\n", read(os.path.join(out, "troupe.3")))

    def test_fields_of_a_message_are_shown_with_what_they_mean(self):
        body = "\n".join([
            "/** What came. */", "#define TROUPE_EXTRA_FIELDS(F) \\", "    F(u32, number) /* from 1 */ \\",
            "    F(u8, bytes, 4)", "TROUPE_MESSAGE(troupe_extra_came, TROUPE_EXTRA_FIELDS)",
        ])
        status, said, out = self.make(body)
        self.assertEqual((0, ""), (status, said))
        page = read(os.path.join(out, "troupe_extra_came.3"))
        self.assertIn("    u32 number\n    u8[4] bytes\n", page)
        self.assertIn(".I number\nfrom 1\n", page)

    def test_function_without_a_comment_is_refused(self):
        self.refuses("troupe_extra_do has no comment", "TROUPE_API void troupe_extra_do(int times);")

    def test_function_after_a_commented_one_needs_its_own(self):
        body = COMMENTED + "\nTROUPE_API void troupe_extra_two(void);"
        self.refuses("troupe_extra_two has no comment", body)

    def test_inline_function_without_a_comment_is_refused(self):
        body = "static inline int troupe_extra_three(void)\n{\n    return 3;\n}"
        self.refuses("troupe_extra_three has no comment", body)

    def test_type_without_a_comment_is_refused(self):
        body = "typedef struct troupe_extra {\n    int a;\n} troupe_extra;"
        self.refuses("troupe_extra has no comment", body)

    def test_macro_without_a_comment_is_refused(self):
        self.refuses("TROUPE_EXTRA_MAX has no comment", "#define TROUPE_EXTRA_MAX 3")

    def test_message_without_a_comment_is_refused(self):
        self.refuses("troupe_extra_sent has no comment", "TROUPE_MESSAGE_EMPTY(troupe_extra_sent)")

    def test_name_that_two_headers_declare_is_refused(self):
        self.refuses("troupe_start is also in", "/** Starts. */\nTROUPE_API void troupe_start(void);")

    def test_name_of_another_header_is_refused(self):
        self.refuses("troupe_timer is also in", "/** Times. */\nTROUPE_API void troupe_timer(void);")

    def test_what_it_cannot_read_is_refused(self):
        self.refuses("cannot read", "/** A variable. */\nextern int troupe_extra_count[];")

    def test_list_that_it_cannot_read_is_refused(self):
        body = """/** A list. */
#define TROUPE_EXTRA_LIST(X) X(ONE)
/** What is in it. */
typedef enum troupe_extra {
#define TROUPE_EXTRA_ENUM(name) TROUPE_EXTRA_##name,
    TROUPE_EXTRA_LIST(TROUPE_EXTRA_ENUM)
#undef TROUPE_EXTRA_ENUM
} troupe_extra;"""
        self.refuses("an enum that tools/manual cannot read", body)

    def test_header_that_nobody_would_find_is_refused(self):
        self.refuses("the reading order of troupe.h does not name it", COMMENTED, listed=False)
        self.refuses("troupe.h does not include it", COMMENTED, included=False)


if __name__ == "__main__":
    unittest.main()
