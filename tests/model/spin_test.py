#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the models of the core's protocols with spin, and that spin finds each protocol broken on purpose.

usage: tests/model/spin_test.py      exit status 77, with a word, where spin is not installed (package spin)

Each model names in its head the words that break it; every one must make the search end with an error, and
the model as it stands must be searched to its end without one.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEPTH_MAX = 1000000
SKIPPED = 77


def broken_words(model):
    """The words of the list in the model's head: two spaces more than the prose, in capitals."""
    with open(os.path.join(HERE, model), encoding="utf-8") as file:
        head = file.read().split("*/", 2)[1]
    return re.findall(r"^ \*   ([A-Z_]{5,})  ", head, re.M)


def search(model, words):
    """Errors found, and whether the search came to its end."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(HERE, model)
        subprocess.run(["spin", "-a"] + ["-D" + word for word in words] + [path], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        optimise = "-O0" if words else "-O1"
        subprocess.run(["gcc", optimise, "-w", "-DSAFETY", "-DVECTORSZ=4096", "-o", "pan", "pan.c"],
                       cwd=folder, check=True)
        out = subprocess.run(["./pan", "-m%d" % DEPTH_MAX], cwd=folder, check=True, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True).stdout
    found = re.search(r"errors: (\d+)", out)
    if found is None:
        sys.exit("%s %s: spin says\n%s" % (model, " ".join(words), out))
    return int(found.group(1)), "max search depth too small" not in out, out


def main():
    if shutil.which("spin") is None:
        print("skipped: spin is not installed (package spin)")
        return SKIPPED
    failures = 0
    for model in sorted(os.listdir(HERE)):
        if not model.endswith(".pml"):
            continue
        words = broken_words(model)
        errors, is_whole, out = search(model, [])
        states = re.search(r"(\d+) states, stored", out)
        print("%s: %d errors, %s states" % (model, errors, states.group(1) if states else "?"))
        if errors or not is_whole:
            print(out)
            failures += 1
        if len(words) < 3:
            print("%s: its head names %d words that break it" % (model, len(words)))
            failures += 1
        for word in words:
            errors, is_whole, out = search(model, [word])
            print("%s with %s: %s" % (model, word, "found" if errors else "NOT FOUND"))
            failures += not errors
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
