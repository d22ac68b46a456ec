# SPDX-License-Identifier: MIT
"""The real files: Linux's maintainers become an organisation, and six years of Git's patches go through one
mailbox, also when the server is killed on the way. The files are those of $TROUPE_SHARED or ../shared;
without them the tests are skipped and say so. What was measured is printed.
"""

import json
import os
import subprocess
import sys
import threading
import time
import unittest

from cli_support import BIN, OK, SOURCE, RealServer

SHARED = os.path.abspath(os.environ.get("TROUPE_SHARED", os.path.join(SOURCE, "..", "shared")))
MAINTAINERS = os.path.join(SHARED, "data", "linux-6.1-MAINTAINERS")
PATCHES = os.path.join(SHARED, "data", "git-patches-2019-2024.csv")
PATCH_COUNT = 15594
DOMAIN_COUNT = 2614
ROLE = "git/integration"


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1])


def say(*words):
    print("   ", *words, flush=True)


def skip_without(path):
    if not os.path.exists(path):
        say(f"skipped: there is no {path}")
        raise unittest.SkipTest(f"there is no {path}")


class Maintainers(unittest.TestCase):
    def test_every_section_becomes_a_domain_with_its_owner(self):
        skip_without(MAINTAINERS)
        with RealServer() as server:
            started = time.monotonic()
            counts = server.json("import", "maintainers", MAINTAINERS, "--team", "linux")
            seconds = time.monotonic() - started
            memory = memory_kib(server.process.pid)
            say(f"import: {counts['domains']} domains, {counts['patterns']} patterns in {seconds:.2f} s, "
                f"{counts['domains'] / seconds:.0f} domains/s; the server: {memory} KiB")
            self.assertEqual((counts["domains"], counts["roles"], counts["people"], counts["vacant"]),
                             (DOMAIN_COUNT, DOMAIN_COUNT, 1821, 136))
            self.check_owner(server)
            again = server.json("import", "maintainers", MAINTAINERS, "--team", "linux")
            self.assertEqual(again["domains"], DOMAIN_COUNT)
            self.check_owner(server)
            self.check_tree(server)

    def check_owner(self, server):
        path = "drivers/net/ethernet/3com/3c59x.c"
        owners = server.json("owner", path)["owners"]
        self.assertEqual(len(owners), 1)
        self.assertEqual(owners[0]["title"], "3C59X NETWORK DRIVER")
        self.assertEqual((owners[0]["role"], owners[0]["pattern"]), ("linux/3c59x-network-driver", path))
        self.assertEqual(owners[0]["holder"], "p0001")
        every = server.json("owner", path, "--all")["owners"]
        self.assertEqual(every[0], owners[0])
        self.assertEqual([owner["pattern"] for owner in every], [path, "drivers/net/", "*/"])
        self.assertIn("3C59X NETWORK DRIVER", server.run("owner", path).stdout)

    def check_tree(self, server):
        started = time.monotonic()
        roles = server.json("tree", "linux")["roles"]
        say(f"tree: {len(roles)} roles in {time.monotonic() - started:.2f} s")
        self.assertEqual(len(roles), DOMAIN_COUNT + 1)
        text = server.run("tree", "linux")
        self.assertEqual(text.returncode, OK)
        alarms = sum(role["alarm"] for role in roles)
        self.assertGreater(alarms, 1)
        self.assertTrue(text.stdout.endswith(f"\n{alarms} roles have an alarm: troupe health\n"))
        self.assertEqual(text.stdout.count("\n"), DOMAIN_COUNT + 3)


class Patches(unittest.TestCase):
    def check_report(self, report):
        self.assertEqual(report["rows"], PATCH_COUNT)
        self.assertEqual(
            report["check"], {"exactly_once": True, "missing": 0, "doubled": 0, "conserved": True})
        self.assertEqual(report["handled"] + report["found_done"], PATCH_COUNT)
        self.assertEqual(report["others"], 0)

    def check_role(self, server):
        """Every patch is done, and nothing is left, by the server's own account."""
        role, = server.json("tree", ROLE)["roles"]
        counts = [role[name] for name in ("done", "queued", "held", "parked", "quarantined")]
        self.assertEqual(counts, [PATCH_COUNT, 0, 0, 0, 0])

    def test_every_patch_goes_through_one_mailbox(self):
        skip_without(PATCHES)
        with RealServer() as server:
            report = server.json("replay", PATCHES, "--role", ROLE, "--speed", "max", timeout=170)
            self.show("replay", report, server)
            self.check_report(report)
            self.assertEqual((report["sent"], report["handled"]), (PATCH_COUNT, PATCH_COUNT))
            self.check_role(server)
            again = server.json("replay", PATCHES, "--role", ROLE, timeout=170)
            self.show("the same again", again, server)
            self.check_report(again)
            self.assertEqual((again["sent"], again["duplicates"]), (0, PATCH_COUNT))
            self.check_role(server)

    def show(self, what, report, server):
        say(f"{what}: {report['seconds']:.2f} s, {report['per_second']:.0f} messages/s,"
            f" sent {report['sent']}, refused {report['refused']}, duplicates {report['duplicates']},"
            f" outages {report['outages']},"
            f" wait {report['wait']['median_ms']} / {report['wait']['p95_ms']} ms;"
            f" the server: {memory_kib(server.process.pid)} KiB")

    def wait_until_handled(self, server, count):
        """Returns when the role has finished so many, or the replay has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = server.run("tree", ROLE, "--json")
            if done.returncode == OK and json.loads(done.stdout)["roles"][0]["done"] >= count:
                return
            time.sleep(0.01)
        self.fail(f"{count} were not handled within a minute")

    def test_replay_goes_on_by_itself_when_the_server_is_killed(self):
        skip_without(PATCHES)
        with RealServer() as server:
            reports = []
            replaying = threading.Thread(target=lambda: reports.append(
                server.json("replay", PATCHES, "--role", ROLE, timeout=170)))
            replaying.start()
            for count in (PATCH_COUNT // 4, PATCH_COUNT // 2):
                self.wait_until_handled(server, count)
                server.kill()
                time.sleep(0.3)
                server.start()
            replaying.join()
            self.assertEqual(len(reports), 1, "the replay failed")
            self.show("killed twice on the way", reports[0], server)
            self.assertGreaterEqual(reports[0]["outages"], 1)
            self.check_report(reports[0])
            self.check_role(server)

    def test_replay_resumed_after_both_were_killed_ends_exactly_once(self):
        skip_without(PATCHES)
        with RealServer() as server:
            replaying = subprocess.Popen(
                [BIN, "replay", PATCHES, "--role", ROLE], env=server.environment(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.wait_until_handled(server, PATCH_COUNT // 3)
            server.kill()
            replaying.kill()
            replaying.wait()
            started = time.monotonic()
            server.start()
            say(f"the server is back after {time.monotonic() - started:.2f} s")
            report = server.json("replay", PATCHES, "--role", ROLE, timeout=170)
            self.show("resumed", report, server)
            self.check_report(report)
            self.assertGreaterEqual(report["duplicates"], PATCH_COUNT // 3)
            self.assertGreater(report["sent"], 0)
            self.check_role(server)


if __name__ == "__main__":
    outcome = unittest.main(exit=False).result
    if not outcome.wasSuccessful():
        sys.exit(1)
    # CTest's word for skipped.
    sys.exit(77 if len(outcome.skipped) == outcome.testsRun else 0)
