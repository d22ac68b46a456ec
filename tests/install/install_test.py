#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the build into an empty folder and uses it as a stranger would: each header alone, in C and in
C++; programs by pkg-config and by find_package, shared and static, after the folder was moved and from a
packager's DESTDIR. Looks at what both libraries show: the declared functions, no more and no less."""

import glob
import os
import re
import shutil
import tempfile
import unittest

from installed import BUILD, ROOT, Installed, find, run

OUTSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "outside")

# What each program in outside/ prints.
PRINTS = {
    "hello": "hello world\n",
    "names": "handled 1, called 3\n",
    "tour": 'told of a beginning: 1\nrings 1, answers 1, ends 1\n{"a":1,"b":0,"c":0,"d":0,"e":-1,"f":0,"g":0,'
    '"h":0,"i":0,"j":0.5,"k":true,"l":"0000000000000000","m":"hi","n":"AQID","o":[1,2,3]}\nback: yes\n',
}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
# g++ takes a designated initializer that leaves members out for an oversight, which gcc does not.
CPP_WARNINGS = WARNINGS + ["-Wold-style-cast"]
CPP_20 = ["-std=c++20", "-Wno-missing-field-initializers"]


class WithPkgConfig(Installed):
    def pkg_config(self, *arguments, **environment):
        environment.setdefault("PKG_CONFIG_PATH", self.pkg_config_path)
        return run("pkg-config", *arguments, "troupe", **environment).split()


class Headers(Installed):
    def each_alone(self, compiler, *flags):
        headers = sorted(os.path.relpath(path, self.include) for path in
                         glob.glob(os.path.join(self.include, "troupe.h")) +
                         glob.glob(os.path.join(self.include, "troupe", "*.h")))
        self.assertGreater(len(headers), 10)
        suffix = ".cpp" if "++" in compiler else ".c"
        sources = []
        for header in headers:
            source = os.path.join(self.folder, os.path.basename(header)[:-2] + "_alone" + suffix)
            with open(source, "w", encoding="utf-8") as file:
                file.write(f"#include <{header}>\n#include <{header}>\nextern int something;\n")
            sources.append(source)
        run(compiler, *flags, "-I" + self.include, "-fsyntax-only", *sources)

    def test_each_header_alone_is_clean_c(self):
        for compiler in ("gcc", "clang"):
            for standard in ("c17", "c2x"):
                with self.subTest(f"{compiler} {standard}"):
                    self.each_alone(compiler, "-std=" + standard, *WARNINGS, "-Wstrict-prototypes")

    def test_each_header_alone_is_clean_cpp(self):
        for compiler in ("g++", "clang++"):
            for standard in ("c++17", "c++20"):
                with self.subTest(f"{compiler} {standard}"):
                    self.each_alone(compiler, "-std=" + standard, *CPP_WARNINGS)


class Programs(WithPkgConfig):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = os.path.join(cls.folder, "outside")
        shutil.copytree(OUTSIDE, cls.source)
        shutil.copy(os.path.join(ROOT, "examples", "hello.c"), cls.source)

    def compile(self, compiler, source, flags, *more):
        """The program that a compiler makes of outside/<source>, run with the shared library in reach."""
        program = os.path.join(self.folder, f"{source}-{compiler}{len(more)}")
        warnings = CPP_WARNINGS if source.endswith("cpp") else WARNINGS
        run(compiler, *warnings, *more, os.path.join(self.source, source), "-o", program, *flags)
        printed = run(program, LD_LIBRARY_PATH=self.library_path)
        self.assertEqual(PRINTS[os.path.splitext(source)[0]], printed)
        return program

    def test_c_program_builds_by_pkg_config(self):
        flags = self.pkg_config("--cflags", "--libs")
        for compiler in ("gcc", "clang"):
            for source in ("hello.c", "names.c"):
                with self.subTest(f"{compiler} {source}"):
                    program = self.compile(compiler, source, flags, "-std=c17")
                    self.assertIn("libtroupe.so.0 => " + self.library_path, self.libraries_of(program))

    def test_cpp_program_builds_by_pkg_config(self):
        flags = self.pkg_config("--cflags", "--libs")
        for compiler in ("g++", "clang++"):
            with self.subTest(compiler):
                self.compile(compiler, "hello.cpp", flags, *CPP_20)
                self.compile(compiler, "tour.cpp", flags, "-std=c++17")

    def libraries_of(self, program):
        return run("ldd", program, LD_LIBRARY_PATH=self.library_path)

    def test_program_with_the_archive_needs_no_shared_library(self):
        flags = self.pkg_config("--static", "--cflags", "--libs")
        self.assertIn("-pthread", flags)
        self.assertNotIn("-pthread", self.pkg_config("--libs"))
        flags = [flag.replace("-ltroupe", "-l:libtroupe.a") for flag in flags]
        for compiler, source, standard in (("gcc", "hello.c", "c17"), ("clang", "names.c", "c17"),
                                           ("g++", "tour.cpp", "c++17")):
            with self.subTest(source):
                program = self.compile(compiler, source, flags, "-std=" + standard)
                self.assertNotIn("libtroupe", self.libraries_of(program))

    def test_whole_program_links_statically(self):
        flags = self.pkg_config("--static", "--cflags", "--libs")
        program = self.compile("gcc", "hello.c", flags, "-std=c17", "-static")
        self.assertNotIn("NEEDED", run("readelf", "-d", program))

    def test_programs_build_by_find_package(self):
        build = os.path.join(self.folder, "build")
        run("cmake", "-G", "Ninja", "-S", self.source, "-B", build, "-DCMAKE_PREFIX_PATH=" + self.prefix)
        run("cmake", "--build", build)
        for name in ("hello_c", "names_c", "hello_cpp", "tour_cpp"):
            for kind in ("", "_static"):
                with self.subTest(name + kind):
                    program = os.path.join(build, name + kind)
                    self.assertEqual(PRINTS[name.split("_")[0]], run(program))
                    self.assertEqual(kind == "", "libtroupe.so.0" in run("ldd", program))

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

    def test_staged_tree_says_where_it_will_be(self):
        stage = os.path.join(self.folder, "stage")
        run("cmake", "--install", BUILD, "--prefix", "/opt/troupe", DESTDIR=stage)
        self.assertEqual(["opt"], os.listdir(stage))
        path = os.path.dirname(find(stage, "troupe.pc"))
        # Nothing in it names the folder it was staged in, nor the tree it was built from.
        packages = glob.glob(os.path.join(path, "..", "cmake", "*", "*"))
        self.assertGreater(len(packages), 2)
        for name in [os.path.join(path, "troupe.pc")] + packages:
            with open(name, encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn(stage, text, name)
            self.assertNotIn(ROOT + "/", text, name)
        flags = self.pkg_config("--cflags", "--libs", PKG_CONFIG_PATH=path)
        self.assertTrue(any(os.path.realpath(flag[2:]) == os.path.join(stage, "opt", "troupe", "include")
                            for flag in flags if flag.startswith("-I")), flags)

    def test_version_is_the_same_everywhere(self):
        version = self.pkg_config("--modversion")[0]
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertTrue(os.path.exists(os.path.join(self.library_path, "libtroupe.so." + version)))
        with open(find(self.prefix, "troupe-config-version.cmake"), encoding="utf-8") as file:
            self.assertIn(f'PACKAGE_VERSION "{version}"', file.read())
        page = run("man", "-M", os.path.join(self.prefix, "share", "man"), "3", "troupe")
        self.assertIn(f"Troupe {version}", page)


class Symbols(Installed):
    def declared(self):
        names = set()
        for path in glob.glob(os.path.join(self.include, "troupe", "*.h")):
            with open(path, encoding="utf-8") as file:
                text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
            names |= set(re.findall(r"^TROUPE_API[^;()]*?\b(troupe_\w+)\s*\(", text, re.MULTILINE))
        self.assertIn("troupe_start", names)
        self.assertIn("troupe_context_supervisor_add", names)
        return sorted(names)

    def defined(self, name, *options):
        library = os.path.join(self.library_path, name)
        lines = run("nm", "--defined-only", *options, library).splitlines()
        return sorted(line.split()[2] for line in lines if len(line.split()) == 3)

    def test_shared_library_shows_what_is_declared(self):
        shown = [symbol for symbol in self.defined("libtroupe.so.0", "-D") if symbol != "TROUPE_0"]
        self.assertEqual([], [symbol for symbol in shown if not symbol.endswith("@@TROUPE_0")])
        self.assertEqual(self.declared(), [symbol.split("@")[0] for symbol in shown])

    def test_archive_shows_what_is_declared(self):
        self.assertEqual(self.declared(), self.defined("libtroupe.a", "-g"))

    def test_soname_carries_the_interface_version(self):
        library = os.path.join(self.library_path, "libtroupe.so")
        self.assertIn("[libtroupe.so.0]", run("readelf", "-d", library))


class Presets(unittest.TestCase):
    def configure(self, *arguments):
        """Configures on a machine that has none of the libraries that the server needs."""
        with tempfile.TemporaryDirectory() as folder:
            nowhere = {"PKG_CONFIG_LIBDIR": folder, "PKG_CONFIG_PATH": ""}
            return run("cmake", "-S", ROOT, "-B", folder, *arguments, **nowhere)

    def test_library_alone_needs_no_library_of_the_server(self):
        self.assertIn("Configuring done", self.configure("--preset", "library"))
        with self.assertRaisesRegex(AssertionError, "sqlite3"):
            self.configure("--preset", "release")

    def test_tests_without_the_server_are_refused(self):
        with self.assertRaisesRegex(AssertionError, "TROUPE_SERVER=OFF needs TROUPE_TESTS=OFF"):
            self.configure("--preset", "library", "-DTROUPE_TESTS=ON")


if __name__ == "__main__":
    unittest.main()
