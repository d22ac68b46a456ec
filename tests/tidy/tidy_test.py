#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants each thing that tools/tidy forbids into a small tree and sees it named, with its line, and alone."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TIDY = os.path.join(ROOT, "tools", "tidy")

C_HEAD = """\
/* SPDX-License-Identifier: MIT */
/*
 * thing.c: a file of a planted tree. It exists for this test only and is run by no thread.
 */
"""
C_HEAD_LINES = C_HEAD.count("\n")
PYTHON_HEAD = '#!/usr/bin/env python3\n"""A script of a planted tree."""\n'


def function(*statements):
    return "int f(void)\n{\n" + "".join(s + "\n" for s in statements) + "}\n"


def guarded(first, second="CORE_A_H"):
    return C_HEAD + f"#ifndef {first}\n#define {second}\n#endif\n"


def public_header(body):
    return C_HEAD + "#ifndef TROUPE_H\n#define TROUPE_H\n" + textwrap.dedent(body) + "#endif\n"


class Planted(unittest.TestCase):
    """What the tests below share: a planted tree and what tidy says of it."""

    def tidy(self, files):
        """The exit status and the lines that tidy prints about a tree of these files."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run(
                [sys.executable, TIDY, root],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            )
            return done.returncode, done.stdout.splitlines()

    def finds(self, path, text, line, why):
        status, lines = self.tidy({path: text})
        self.assertEqual(1, len(lines), lines)
        self.assertTrue(lines[0].startswith(f"{path}:{line}: "), lines)
        self.assertIn(why, lines[0])
        self.assertEqual(1, status)

    def finds_in_c(self, body, line, why, path="src/core/thing.c"):
        """`line` counts from the first line of body."""
        self.finds(path, C_HEAD + body, C_HEAD_LINES + line, why)

    def finds_public(self, body, line, why):
        self.finds("include/troupe.h", public_header(body), C_HEAD_LINES + 2 + line, why)

    def accepts(self, path, text):
        self.assertEqual((0, []), self.tidy({path: text}))

    def accepts_in_c(self, body, path="src/core/thing.c"):
        self.accepts(path, C_HEAD + body)


class Tree(Planted):
    def test_clean_tree_is_passed_in_silence(self):
        header = C_HEAD + "#ifndef CORE_THING_H\n#define CORE_THING_H\nint thing(void);\n#endif\n"
        source = C_HEAD + '#include "core/thing.h"\n\n' + function("    return 1;")
        files = {"src/core/thing.h": header, "src/core/thing.c": source, "tools/a": PYTHON_HEAD}
        self.assertEqual((0, []), self.tidy(files))

    def test_build_and_data_are_not_looked_at(self):
        self.assertEqual((0, []), self.tidy({"build/a.c": "int x;", "data/b.c": "int y;"}))

    def test_data_folder_below_the_root_is_looked_at(self):
        self.finds("tests/data/a.md", "# A", 1, "does not end")

    def test_every_finding_is_printed(self):
        status, lines = self.tidy({"docs/a.md": "a \nb \n", "docs/b.md": "c \n"})
        self.assertEqual((1, 3), (status, len(lines)))


class Includes(Planted):
    def test_include_from_below_is_named(self):
        self.finds_in_c('#include "org/role.h"\n', 1, "core includes org/role.h, but org stands below core")

    def test_include_from_above_is_accepted(self):
        self.accepts_in_c('#include "base/list.h"\n#include "env/clock.h"\n#include <troupe/ref.h>\n')

    def test_subfolder_counts_as_its_folder(self):
        self.finds_in_c('#include "core/mailbox.h"\n', 1, "below env", path="src/env/linux/clock.c")

    def test_include_without_its_folder_is_named(self):
        self.finds_in_c('#include "mailbox.h"\n', 1, "name it by its folder")

    def test_folder_outside_the_house_is_named(self):
        self.finds_in_c("#include <stdio.h>\n", 1, "src/attic is not in the house", path="src/attic/a.c")

    def test_public_header_stands_on_public_headers_alone(self):
        self.finds_public('#include "core/mailbox.h"\n', 1, "stands on <troupe/...> alone")

    def test_example_sees_only_the_public_header(self):
        self.finds_in_c('#include "core/mailbox.h"\n', 1, "a user has only <troupe.h>", path="examples/a.c")

    def test_library_in_a_room_that_does_not_know_it_is_named(self):
        self.finds_in_c("#include <sqlite3.h>\n", 1, "org includes sqlite3.h", path="src/org/a.c")
        self.finds_in_c("#include <jansson.h>\n", 1, "for org, server, cli")
        self.accepts_in_c("#include <sqlite3.h>\n", path="src/journal/a.c")

    def test_organisation_that_acts_is_named(self):
        self.finds_in_c("#include <sys/socket.h>\n", 1, "others act", path="src/org/a.c")
        self.accepts_in_c("#include <sys/socket.h>\n", path="src/server/a.c")

    def test_include_in_a_comment_is_no_include(self):
        self.accepts_in_c('int x; /*\n#include "org/role.h"\n*/\n')


class Lengths(Planted):
    def test_line_of_the_limit_is_accepted_and_one_more_is_named(self):
        self.accepts_in_c("/* " + "x" * (110 - 6) + " */\n")
        self.finds_in_c("/* " + "x" * (111 - 6) + " */\n", 1, "111 columns")

    def test_columns_count_characters_not_bytes(self):
        self.accepts_in_c("/* " + "é" * (110 - 6) + " */\n")

    def test_file_of_the_limit_is_accepted_and_one_more_is_named(self):
        self.accepts_in_c("int x;\n" * (600 - C_HEAD_LINES))
        self.finds_in_c("int x;\n" * (601 - C_HEAD_LINES), 601 - C_HEAD_LINES, "601 lines")

    def test_function_of_the_limit_is_accepted_and_one_more_is_named(self):
        self.accepts_in_c(function(*["    g();"] * 68))
        self.finds_in_c(function(*["    g();"] * 69), 2, "the function has 71 lines")

    def test_long_table_is_not_a_function(self):
        self.accepts_in_c("static const int table[] =\n{\n" + "    1,\n" * 100 + "};\n")


class Heads(Planted):
    def test_missing_licence_line_is_named(self):
        self.finds("src/core/a.c", "int x;\n", 1, "SPDX")

    def test_missing_head_comment_is_named(self):
        self.finds("src/core/a.c", "/* SPDX-License-Identifier: MIT */\nint x;\n", 2, "no head comment")

    def test_head_comment_that_says_nothing_is_named(self):
        text = "/* SPDX-License-Identifier: MIT */\n/* a.c */\nint x;\n"
        self.finds("src/core/a.c", text, 2, "no head comment")

    def test_script_without_head_comment_is_named(self):
        self.finds("tools/a.py", "#!/usr/bin/env python3\nimport os\n", 2, "no head comment")
        self.finds("tools/a", "#!/bin/bash\nset -e\n", 2, "no head comment")
        self.finds("web/a.ts", "let a = 1;\n", 1, "no head comment")
        self.finds("web/a.css", "p {}\n", 1, "no head comment")
        self.finds("tools/b", "#!/bin/bash\n", 1, "no head comment")

    def test_header_without_guard_is_named(self):
        self.finds("src/core/a.h", C_HEAD + "int f(void);\n", 1, "no include guard")

    def test_pragma_once_is_not_a_guard(self):
        self.finds("src/core/a.h", C_HEAD + "#pragma once\nint f(void);\n", 1, "no include guard")

    def test_guard_of_another_name_is_named(self):
        self.finds("src/core/a.h", guarded("CORE_B_H", "CORE_B_H"), C_HEAD_LINES + 1, "does not end in A_H")

    def test_guard_that_defines_another_name_is_named(self):
        self.finds("src/core/a.h", guarded("CORE_A_H", "CORE_B_H"), C_HEAD_LINES + 2, "defines another")

    def test_code_after_the_guard_is_named(self):
        text = guarded("CORE_A_H") + "#define LATE 1\n"
        self.finds("src/core/a.h", text, C_HEAD_LINES + 4, "not closed at the end")

    def test_guard_used_twice_is_named(self):
        status, lines = self.tidy({"src/base/a.h": guarded("CORE_A_H"), "src/core/a.h": guarded("CORE_A_H")})
        self.assertEqual((1, 1), (status, len(lines)), lines)
        self.assertIn("CORE_A_H is also the include guard of src/base/a.h", lines[0])


class Functions(Planted):
    def test_each_banned_function_is_named(self):
        names = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "alloca", "longjmp"]
        for name in names:
            with self.subTest(name):
                self.finds_in_c(function(f"    {name} (a);"), 3, f"{name} is banned")

    def test_banned_name_in_comment_string_or_longer_name_is_accepted(self):
        self.accepts_in_c('/* strcpy(a, b) */\nconst char *s = "gets(x)";\nint my_atoi(int a);\n')

    def test_clock_outside_the_seam_is_named(self):
        self.finds_in_c(function("    clock_gettime(a, b);"), 3, "goes around src/env")

    def test_file_touched_outside_the_seam_is_named(self):
        for name in ["open", "fopen", "pwrite", "fsync", "rename", "unlink", "mkdir", "stat"]:
            with self.subTest(name):
                self.finds_in_c(function(f"    {name}(a, b);"), 3, "goes around env/disk.h")

    def test_file_touched_by_the_seam_or_through_it_is_accepted(self):
        self.accepts_in_c(function("    open(a, b);"), path="src/env/linux/disk.c")
        self.accepts_in_c(function("    env_disk()->rename(a, b);"))

    def test_clock_inside_the_seam_is_accepted(self):
        self.accepts_in_c(function("    clock_gettime(a, b);"), path="src/env/linux/clock.c")

    def test_member_named_like_the_clock_is_accepted(self):
        self.accepts_in_c(function("    e->time(a);", "    e.random(b);"))

    def test_condition_inside_a_function_is_named(self):
        status, lines = self.tidy({"src/core/a.c": C_HEAD + function("#if X", "    g();", "#endif")})
        self.assertEqual((1, 1), (status, len(lines)), lines)
        self.assertIn(f"src/core/a.c:{C_HEAD_LINES + 3}: #if inside a function", lines[0])

    def test_condition_around_functions_is_accepted(self):
        body = function("    return 1;")
        self.accepts_in_c("#if X\n" + body + "#else\n" + body + "#endif\n")

    def test_function_brace_on_the_same_line_is_named(self):
        self.finds_in_c("int f(void) {\n    return 1;\n}\n", 1, "brace stands on a line of its own")


class Names(Planted):
    def test_type_names_in_t_are_named(self):
        self.finds_in_c("typedef int count_t;\n", 1, "count_t")
        self.finds_in_c("struct box_t {\n    int x;\n};\n", 1, "box_t")
        self.finds_in_c("typedef struct box {\n    int x;\n} box_t;\n", 3, "box_t")
        self.finds_in_c("typedef int (*hook_t)(int x);\n", 1, "hook_t")

    def test_use_of_the_systems_types_is_accepted(self):
        body = "typedef uint32_t word;\nstruct box {\n    size_t size;\n};\nuint8_t f(size_t x);\n"
        self.accepts_in_c(body)

    def test_leading_underscore_is_named(self):
        self.finds_in_c("#define _SIZE 3\n", 1, "_SIZE")
        self.finds_in_c("int _f(void);\n", 1, "_f")

    def test_static_assert_is_no_leading_underscore(self):
        self.accepts_in_c('_Static_assert(sizeof(int) == 4, "four");\n')

    def test_short_test_names_are_named(self):
        test = "static void mailbox_works(void **state)\n{\n    (void)state;\n}\n"
        self.finds_in_c(test, 1, "mailbox_works", path="tests/unit/a_test.c")
        script = PYTHON_HEAD + "class A:\n    def test_it_works(self):\n        pass\n"
        self.finds("tests/e2e/a_test.py", script, 4, "it_works")


class PublicHeader(Planted):
    def test_public_function_without_comment_is_named(self):
        self.finds_public("API int troupe_send(int x,\n    int y);\n", 1, "troupe_send has no comment")
        self.finds_public("\nstatic inline int troupe_x(int x)\n{\n    return x;\n}\n", 2, "troupe_x")

    def test_comment_with_a_gap_is_no_comment(self):
        self.finds_public("/** Sends. */\n\nint troupe_send(int x);\n", 3, "troupe_send has no comment")

    def test_public_macro_without_comment_is_named(self):
        self.finds_public("#define TROUPE_MAX 3\n", 1, "TROUPE_MAX has no comment")

    def test_comment_covers_one_function_only(self):
        self.finds_public("/** Sends. */\nint troupe_a(int x);\nint troupe_b(int x);\n", 3, "troupe_b")

    def test_documented_public_names_are_accepted(self):
        body = """\
            /** Sends. */
            API int troupe_send(int x,
                int y);

            /** The limits, in messages. */
            #define TROUPE_MAX 3
            #define TROUPE_MIN 1

            /** One way or the other. */
            #ifdef __cplusplus
            #define TROUPE_WAY 1
            #else
            #define TROUPE_WAY 2
            #endif

            #define TROUPE__INNER(x) \\
                troupe_inner(x)

            #define EACH(name) name,
            #undef EACH

            /** A box. */
            typedef struct troupe_box {
                int size;
            } troupe_box;

            MAKE(troupe_down, FIELDS)

            /** Says what x is. */
            static inline int troupe_what(int x)
            {
                return troupe_send(x, 1);
            }
            """
        self.accepts("include/troupe.h", public_header(body))


    def test_header_that_the_overview_does_not_name_is_named(self):
        overview = C_HEAD + "#ifndef TROUPE_H\n#define TROUPE_H\n@#endif\n"
        header = C_HEAD + "#ifndef TROUPE_THING_H\n#define TROUPE_THING_H\n@#endif\n"
        thing = "/** A thing. */\nint troupe_thing(void);\n"
        files = {"include/troupe.h": overview.replace("@", "")}
        files["include/troupe/thing.h"] = header.replace("@", thing)
        status, lines = self.tidy(files)
        self.assertEqual(1, status)
        self.assertEqual(
            ["include/troupe/thing.h:1: the reading order of troupe.h does not name it",
             "include/troupe/thing.h:1: troupe.h does not include it"], lines,
        )
        files["include/troupe/thing.h"] = header.replace("@", "int troupe_thing[2];\n")
        self.assertIn("a declaration that tools/manual cannot read", self.tidy(files)[1][0])
        files["include/troupe/thing.h"] = header.replace("@", "struct troupe_thing {\n    int a;\n};\n")
        self.assertIn("thing.h:7: troupe_thing has no comment", self.tidy(files)[1][0])


class Text(Planted):
    def test_tab_and_trailing_space_are_named(self):
        self.finds_in_c("int x;\t/* y */\n", 1, "a tab")
        self.finds_in_c("int x; \n", 1, "space at the end")
        self.finds("docs/a.md", "# Title \n", 1, "space at the end")
        self.finds("web/a.css", "/* The sheet. */\np {} \n", 2, "space at the end")

    def test_last_line_without_end_is_named(self):
        self.finds("docs/a.md", "# Title", 1, "does not end")

    def test_unfinished_words_are_named(self):
        words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "not impl" + "emented", "For n" + "ow"]
        for word in words:
            with self.subTest(word):
                self.finds_in_c(f"/* {word}: later */\n", 1, word)

    def test_words_that_only_contain_them_are_accepted(self):
        self.accepts_in_c("/* waits for now_ms, HACKERS, a mastodon, 0xXXXX */\n")

    def test_paths_of_one_machine_are_named(self):
        for path in ["/wo" + "rk/main", "/ho" + "me/ada/x", "/ro" + "ot/x", "/tmp/w" + "t/x"]:
            with self.subTest(path):
                self.finds("docs/a.md", f"See {path}.\n", 1, "is a path of one machine")

    def test_paths_of_every_machine_are_accepted(self):
        self.accepts(
            "docs/a.md", "See /usr/bin/python3, src/wor" "k/x, $HOME/wor" "k/y, /tmp/x, team/root/z.\n"
        )


if __name__ == "__main__":
    unittest.main()
