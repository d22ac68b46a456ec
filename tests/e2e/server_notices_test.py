# SPDX-License-Identifier: MIT
"""Notices with the real server and the program: each goes out once, over kills and restarts, and readers
follow at their own places."""

import json
import signal
import subprocess
import threading
import time
import unittest

from cli_support import BIN, USAGE, RealServer, environment, run
from serving import Server

HOUR_MS = 3600 * 1000


class Notices(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.server.make("ann", "ben", root=["ann"], docs=["ann", "ben"])

    def choose(self, who, **choice):
        self.server.expect(200, self.server.post("/v1/notices", choice, who))

    def urgent(self, to="docs"):
        return self.server.send(to, "now", "ben", **{"class": "urgent"})

    def read(self, who="ann", after=0, wait_ms=0):
        return self.server.expect(200, self.server.get(f"/v1/notices?after={after}&wait_ms={wait_ms}", who))

    def test_a_notice_goes_out_once_over_a_kill_at_any_moment(self):
        self.choose("ann", choice="urgent")
        for round_number in range(1, 6):
            self.urgent()
            time.sleep(0.001 * round_number)
            self.server.kill()
            self.server.start()
            answer = self.read(after=round_number - 1, wait_ms=10000)
            self.assertEqual([one["number"] for one in answer["notices"]], [round_number])
            self.assertEqual(answer["last"], round_number)
        self.assertEqual([one["number"] for one in self.read()["notices"]], [1, 2, 3, 4, 5])
        self.assertEqual(self.read("ben")["notices"], [])
        self.assertEqual(self.server.check()["queued"], 5)

    def test_all_who_wait_hear_of_it_and_of_nothing_else(self):
        self.choose("ann", choice="urgent")
        answers = []
        def wait():
            answers.append(self.read(wait_ms=30000))
        readers = [threading.Thread(target=wait) for _ in range(3)]
        for reader in readers:
            reader.start()
        self.server.send("docs", "some day", "ben")
        time.sleep(0.2)
        self.assertEqual(answers, [])
        self.urgent()
        for reader in readers:
            reader.join(30)
        self.assertEqual([answer["last"] for answer in answers], [1, 1, 1])
        (notice,) = answers[0]["notices"]
        (role,) = notice["roles"]
        self.assertEqual((role["role"], role["queued"], role["urgent"]), ("docs", 2, 1))
        self.assertEqual(notice["kind"], "urgent")
        events = self.server.expect(200, self.server.get("/v1/audit?limit=1000"))["events"]
        told = [event["body"]["actor"] for event in events if event["event"] == "org_noticed"]
        self.assertEqual(told, ["ann"])

    def test_a_digest_of_yesterdays_messages_waits_for_its_hour(self):
        now_s = int(time.time())
        soon = now_s // 60 * 60 + 60  # the next minute, in UTC
        if soon - now_s < 5:
            soon += 60
        self.server.send("docs", "some day", "ben")
        later = time.strftime("%H:%M", time.gmtime(soon + 2 * 3600))
        self.choose("ann", choice="digest", at=later)
        self.assertEqual(self.read(wait_ms=500)["notices"], [])
        told = self.server.expect(200, self.server.get("/v1/whoami", "ann"))["notices"]
        self.assertEqual((told["choice"], told["at"]), ("digest", later))

    def test_who_waits_is_not_kept_waiting_by_a_server_that_stops(self):
        answers = []
        reader = threading.Thread(target=lambda: answers.append(self.read(after=0, wait_ms=60000)))
        reader.start()
        time.sleep(0.3)
        begun = time.monotonic()
        self.assertEqual(self.server.stop(signal.SIGTERM), 0)
        reader.join(10)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(answers, [{"notices": [], "last": 0}])

    def test_places_that_are_none_are_refused(self):
        for query in ("after=-1", "after=x", "after=", "wait_ms=60001", "wait_ms=1.5"):
            answer = self.server.get(f"/v1/notices?{query}", "ann")
            self.assertEqual(answer.status, 400, query)


class Terminal(unittest.TestCase):
    def setUp(self):
        self.server = RealServer()
        self.addCleanup(self.server.folder.cleanup)
        self.server.start()
        self.addCleanup(self.end)
        with open(f"{self.server.data}/token", encoding="ascii") as file:
            token = file.read().strip()
        self.env = environment(TROUPE_URL=self.server.url, TROUPE_TOKEN=token)
        organisation = {"actors": [{"name": "ann", "kind": "person"}],
                        "roles": [{"name": "root", "holders": ["ann"]}, {"name": "docs", "holders": ["ann"]}]}
        done = run("import", "organisation", "-", env=self.env, stdin=json.dumps(organisation))
        self.assertEqual(done.returncode, 0, done.stderr)

    def end(self):
        if self.server.process.poll() is None:
            self.server.kill()
        self.server.log.close()

    def troupe(self, *arguments):
        done = run(*arguments, env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_follow_prints_each_notice_once_over_a_killed_server(self):
        self.troupe("notices", "urgent", "--as", "ann")
        self.troupe("send", "docs", "-s", "one", "--class", "urgent")
        following = subprocess.Popen(
            [BIN, "notices", "--follow", "--json", "--as", "ann"], env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(following.stderr.close)
        self.addCleanup(following.stdout.close)
        self.addCleanup(following.wait)
        self.addCleanup(following.kill)
        guard = threading.Timer(60, following.kill)
        guard.start()
        self.addCleanup(guard.cancel)

        def next_numbers():
            while True:
                answer = json.loads(following.stdout.readline())
                if "notices" in answer:  # not a problem: that the server is away
                    return [one["number"] for one in answer["notices"]]

        self.assertEqual(next_numbers(), [1])
        self.server.kill()
        self.server.start()
        self.troupe("send", "docs", "-s", "two", "--class", "urgent")
        self.assertEqual(next_numbers(), [2])
        self.troupe("send", "docs", "-s", "three", "--class", "urgent")
        self.assertEqual(next_numbers(), [3])

    def test_words_that_are_no_choice_are_refused(self):
        for words in (("digest",), ("hourly",), ("digest", "25:00"), ("none", "09:00"), ("urgent", "a", "b")):
            self.assertNotEqual(run("notices", *words, env=self.env).returncode, 0, words)
        for words in (("none", "--follow"), ("--follow", "--wait", "1"), ("--wait", "61"), ("--after", "x")):
            self.assertEqual(run("notices", *words, env=self.env).returncode, USAGE, words)
        chosen = self.troupe("notices", "digest", "09:00", "--as", "ann")
        self.assertEqual(chosen, "ann is told at 09:00 of what waits\n")
        self.assertEqual(self.troupe("notices", "none", "--as", "ann"), "ann is told of nothing\n")


if __name__ == "__main__":
    unittest.main()
