# SPDX-License-Identifier: MIT
"""What the README shows of the server is what happens: its commands run as they stand, from the root of the
tree. The other blocks are run elsewhere: ./run and installing by tools/minbase, the programs by
tests/install/documents_test.py."""

import os
import re
import subprocess
import unittest

import serving

README = os.path.join(serving.SOURCE, "README.md")


def blocks(kind):
    """The texts of all fenced blocks of this kind, in order."""
    with open(README, encoding="utf-8") as file:
        return re.findall(rf"^```{kind}\n(.*?)^```$", file.read(), re.M | re.S)


class Readme(unittest.TestCase):
    def test_every_block_of_commands_is_known_to_a_test(self):
        starts = [block.splitlines()[0].split("$(")[0] for block in blocks("sh")]
        self.assertEqual(
            starts,
            ["./run", 'export PATH="$PWD/build/release:$PATH"', "tools/packages library",
             "cc -std=c17 hello.c ", "cc -std=c17 supervised.c "],
        )

    def test_its_commands_run_as_they_stand(self):
        server = serving.Server(sample=True)
        server.start()
        self.addCleanup(server.close)
        program_folder = os.path.dirname(os.path.abspath(serving.PROGRAM))
        environment = dict(os.environ, TROUPE_URL=server.url, TROUPE_DATA=server.data)
        environment.pop("TROUPE_TOKEN", None)
        commands = blocks("sh")[1].replace("$PWD/build/release", program_folder)
        ran = subprocess.run(
            ["bash", "-euxc", commands],
            cwd=serving.SOURCE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        for word in ("accepted by customers/docs", "jonas", "The install page skips a step"):
            self.assertIn(word, ran.stdout)


if __name__ == "__main__":
    unittest.main()
