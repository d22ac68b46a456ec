# SPDX-License-Identifier: MIT
"""An installed tree for the tests beside it: the build installed into a folder that goes with the test."""

import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.environ["TROUPE_SOURCE_DIR"]
BUILD = os.environ["TROUPE_BUILD_DIR"]


def run(*command, **environment):
    """What a command prints; it must end with 0."""
    done = subprocess.run(
        command, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def find(folder, name):
    """The path of the one file of that name."""
    return next(os.path.join(where, name) for where, _, files in os.walk(folder) if name in files)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="troupe-install-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        first = os.path.join(cls.folder, "first")
        run("cmake", "--install", BUILD, "--prefix", first)
        # An installed tree that is moved, or staged by a packager, must still be found.
        cls.prefix = os.path.join(cls.folder, "moved")
        os.rename(first, cls.prefix)
        cls.pkg_config_path = os.path.dirname(find(cls.prefix, "troupe.pc"))
        cls.library_path = os.path.dirname(cls.pkg_config_path)
        cls.include = os.path.join(cls.prefix, "include")
