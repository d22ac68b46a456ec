#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the build into an empty folder and uses it as a stranger would: in C and in C++, by pkg-config and
by find_package, shared and static, after the folder was moved. Looks at what the shared library shows."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "outside")
BUILD = os.environ["TROUPE_BUILD_DIR"]


def run(*command, **environment):
    done = subprocess.run(
        command, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="troupe-install-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        first = os.path.join(cls.folder, "first")
        run("cmake", "--install", BUILD, "--prefix", first)
        # An installed tree that is moved, or staged by a packager, must still be found.
        cls.prefix = os.path.join(cls.folder, "moved")
        os.rename(first, cls.prefix)
        found = run("find", cls.prefix, "-name", "troupe.pc").strip()
        cls.pkg_config_path = os.path.dirname(found)
        cls.library_path = os.path.dirname(cls.pkg_config_path)

    def pkg_config(self, *arguments):
        return run("pkg-config", *arguments, "troupe", PKG_CONFIG_PATH=self.pkg_config_path).split()

    def test_program_builds_by_pkg_config(self):
        c = ["-std=c17", os.path.join(SOURCE, "hello.c")]
        # g++ takes a designated initializer that leaves members out for an oversight, which gcc does not.
        cpp = ["-std=c++20", "-Wno-missing-field-initializers", os.path.join(SOURCE, "hello.cpp")]
        warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
        flags = self.pkg_config("--cflags", "--libs")
        for compiler, source in [("gcc", c), ("g++", cpp), ("clang", c)]:
            with self.subTest(compiler):
                program = os.path.join(self.folder, "hello-" + compiler)
                run(compiler, *warnings, *source, "-o", program, *flags)
                self.assertEqual("hello world\n", run(program, LD_LIBRARY_PATH=self.library_path))

    def test_static_program_builds_by_pkg_config(self):
        program = os.path.join(self.folder, "hello-static")
        flags = self.pkg_config("--static", "--cflags", "--libs")
        flags = [flag.replace("-ltroupe", "-l:libtroupe.a") for flag in flags]
        run("gcc", "-std=c17", os.path.join(SOURCE, "hello.c"), "-o", program, *flags)
        self.assertNotIn("libtroupe", run("ldd", program))
        self.assertEqual("hello world\n", run(program))

    def test_programs_build_by_find_package(self):
        build = os.path.join(self.folder, "build")
        run("cmake", "-G", "Ninja", "-S", SOURCE, "-B", build, "-DCMAKE_PREFIX_PATH=" + self.prefix)
        run("cmake", "--build", build)
        for name in ["hello_c", "hello_cpp", "hello_c_static", "hello_cpp_static"]:
            with self.subTest(name):
                self.assertEqual("hello world\n", run(os.path.join(build, name)))

    def find_version(self, version):
        project = os.path.join(self.folder, "version-" + version)
        os.makedirs(project)
        with open(os.path.join(project, "CMakeLists.txt"), "w", encoding="utf-8") as file:
            file.write("cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES C)\n")
            file.write(f"find_package(troupe {version} REQUIRED)\n")
        run("cmake", "-G", "Ninja", "-S", project, "-B", project, "-DCMAKE_PREFIX_PATH=" + self.prefix)

    def test_find_package_refuses_another_version(self):
        self.find_version("0.1")
        with self.assertRaisesRegex(AssertionError, "compatible"):
            self.find_version("0.2")

    def shown_symbols(self):
        library = os.path.join(self.library_path, "libtroupe.so.0")
        return [line.split()[2] for line in run("nm", "-D", "--defined-only", library).splitlines()]

    def test_shared_library_shows_public_names_only(self):
        shown = [symbol for symbol in self.shown_symbols() if symbol != "TROUPE_0"]
        self.assertIn("troupe_start@@TROUPE_0", shown)
        self.assertEqual([], [s for s in shown if not re.fullmatch(r"troupe_\w+@@TROUPE_0", s)])

    def test_every_declared_function_is_shown(self):
        shown = {symbol.split("@")[0] for symbol in self.shown_symbols()}
        declared = set()
        include = os.path.join(self.prefix, "include", "troupe")
        for name in os.listdir(include):
            with open(os.path.join(include, name), encoding="utf-8") as file:
                text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
            declared |= set(re.findall(r"^TROUPE_API[^;()]*?\b(troupe_\w+)\s*\(", text, re.MULTILINE))
        self.assertIn("troupe_start", declared)
        self.assertEqual([], sorted(declared - shown))

    def test_soname_carries_the_interface_version(self):
        library = os.path.join(self.library_path, "libtroupe.so")
        self.assertIn("[libtroupe.so.0]", run("readelf", "-d", library))


if __name__ == "__main__":
    unittest.main()
