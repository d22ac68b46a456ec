# SPDX-License-Identifier: MIT
"""Starting, stopping and starting again: everything is still there, and what stands in the way is said."""

import http.client
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from serving import PROGRAM, Server, ServerCase


class Restart(unittest.TestCase):
    def server(self, sample=False):
        server = Server(sample)
        self.addCleanup(server.close)
        return server.start()

    def test_everything_is_there_after_a_restart(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"], team__docs=["ann", "ben"])
        rules = [{"on": ["lapse"], "do": "escalate", "roles": "team/*"}]
        server.expect(200, server.post("/v1/roles/change", {"name": "root", "rules": rules}))
        queued = server.send("team/docs", "queued", "ben", body="text")
        held = server.send("team/docs", "held", "ben", **{"class": "urgent"})
        (taken,) = server.take("ann")
        self.assertEqual(taken["id"], held["id"])
        receipt = server.send("root", "keyed", "ben", key="k")
        token = server.expect(201, server.post("/v1/tokens", {"actor": "ann"}))["token"]
        tree, counts = server.get("/v1/tree").json, server.settled()
        own = server.token

        self.assertEqual(server.stop(), 0)
        server.start()

        self.assertEqual(server.token, own)
        self.assertEqual(server.check(), counts)
        after = server.get("/v1/tree").json
        for role in [*tree["roles"], *after["roles"]]:
            role.pop("oldest_ms", None)
        self.assertEqual(after, tree)
        self.assertEqual(server.get("/v1/role?name=root").json["rules"], rules)
        self.assertEqual(server.get("/v1/role?name=team/docs").json["on_lapse"], "escalate")
        inbox = server.expect(200, server.get("/v1/inbox", token=token))
        self.assertEqual([m["id"] for m in inbox["held"]], [held["id"]])
        self.assertEqual(inbox["held"][0]["lease_until"], taken["lease_until"])
        self.assertIn(queued["id"], [m["id"] for m in inbox["queued"]])
        again = server.send("root", "keyed", "ben", key="k")
        self.assertEqual((again["id"], again["duplicate"]), (receipt["id"], True))
        self.assertGreater(server.send("root", "new", "ben")["id"], receipt["id"])
        server.expect(200, server.post("/v1/done", {"id": held["id"], "reply": "yes"}, "ann"))
        (answer,) = server.take("ben", role="@ben", wait_ms=5000)
        self.assertEqual(answer["body"], "yes")

    def test_a_lease_that_ended_while_nobody_served_lapses_at_the_start(self):
        server = self.server()
        server.make("ann", "ben", "cleo", root=["cleo"])
        body = {"name": "docs", "holders": ["ann", "ben"], "lease_ms": 300}
        server.expect(201, server.post("/v1/roles", body))
        receipt = server.send("docs", who="cleo")
        self.assertEqual(server.take("ann")[0]["id"], receipt["id"])
        self.assertEqual(server.stop(), 0)
        time.sleep(0.4)
        server.start()
        (message,) = server.take("ben", wait_ms=5000)
        self.assertEqual((message["id"], message["attempts"]), (receipt["id"], 1))

    def test_the_sample_is_read_into_an_empty_organisation_only(self):
        server = self.server(sample=True)
        accepted = server.check()["accepted"]
        self.assertGreaterEqual(accepted, 10)
        (message,) = server.take("jonas")
        server.expect(200, server.post("/v1/done", {"id": message["id"]}, "jonas"))
        done = server.settled()
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(server.check(), done)

    def test_a_stop_lets_nobody_wait_and_answers_what_is_under_way(self):
        server = self.server()
        server.make("ann", root=["ann"])
        answers = []
        poll = lambda: answers.append(server.post("/v1/next", {"wait_ms": 60000}, "ann"))
        waiter = threading.Thread(target=poll)
        waiter.start()
        time.sleep(0.3)
        begin = time.monotonic()
        self.assertEqual(server.stop(signal.SIGINT), 0)
        self.assertLess(time.monotonic() - begin, 5)
        waiter.join(5)
        self.assertEqual([a.status for a in answers], [204])

    def test_a_data_folder_is_served_once_at_a_time(self):
        server = self.server()
        second = subprocess.run(server.command(), capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertRegex(second.stderr, r"^troupe serve: .+\n$")
        self.assertEqual(server.check()["conserved"], True)

    def test_an_address_in_use_is_said_to_be(self):
        server = self.server()
        data = os.path.join(tempfile.mkdtemp(), "data")
        command = [PROGRAM, "serve", "--data", data, "--listen", f"127.0.0.1:{server.port}"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("Address already in use; is another server running?", second.stderr)

    def test_what_was_done_once_is_done_once_over_restarts_snapshots_and_sleep(self):
        server = Server(arguments=["--idle", "30"])
        self.addCleanup(server.close)
        server.start()
        server.make("ann", "ben", root=["ann"])
        server.expect(201, server.post("/v1/roles", {"name": "docs", "holders": ["ann"], "capacity": 1000}))
        first = server.send("docs", "once", "ben", key="k")
        self.assertEqual(server.take("ann", role="docs")[0]["id"], first["id"])
        done = {"id": first["id"], "reply": "yes"}
        server.expect(200, server.post("/v1/done", done, "ann"))
        for i in range(80):  # more than a snapshot's worth
            server.send("docs", f"message {i}", "ben", key=f"key {i}")
        counts = server.settled()
        for end in (server.kill, server.stop, server.kill):
            end()
            server.start()
            again = server.send("docs", "once", "ben", key="k")
            self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))
            self.assertTrue(server.send("docs", "message 79", "ben", key="key 79")["duplicate"])
            server.expect(200, server.post("/v1/done", done, "ann"))
            other = server.post("/v1/send", {"to": "docs", "subject": "other", "key": "k"}, "ben")
            self.assertEqual(other.status, 409)
            self.assertEqual(server.settled(), counts)
            deadline = time.monotonic() + 10
            while server.awake() > 0 and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertTrue(server.send("docs", "once", "ben", key="k")["duplicate"])

    def test_a_damaged_mailbox_is_found_when_it_wakes_and_spares_the_others(self):
        server = self.server()
        server.make("ann", root=["ann"], other=["ann"])
        for i in range(15):
            server.send("root", f"message {i}", body="the same long text " * 20)
        self.assertEqual(server.stop(), 0)
        path = os.path.join(server.data, "troupe.db")
        with open(path, "r+b") as file:
            content = file.read()
            at = content.index(b"message 7\0")  # the record's, which ends its texts so; not the list's
            file.seek(at)
            file.write(b"Message")
        server.start()
        server.send("other", "this one is whole")
        refused = server.post("/v1/send", {"to": "root", "subject": "is anybody there?"})
        self.assertEqual(refused.status, 503, refused)
        self.assertRegex(refused.json["detail"], "its stored events are damaged: .*checksum")
        server.send("other", "and still is")
        self.assertEqual(server.stop(), 0)

    def test_a_disk_that_refuses_to_write_ends_the_server_and_loses_nothing(self):
        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20))

        server = Server()
        self.addCleanup(server.close)
        server.start(small_disk)
        server.make("ann", root=["ann"])
        server.expect(201, server.post("/v1/roles", {"name": "big", "holders": ["ann"], "capacity": 1000}))
        accepted = []
        with self.assertRaises((OSError, http.client.HTTPException, AssertionError)):
            for i in range(1000):
                accepted.append(server.send("big", f"message {i}", body="x" * 10000)["id"])
        self.assertEqual(server.process.wait(20), 1)
        server.readers[1].join(5)
        self.assertRegex("\n".join(server.said), r"(?m)^troupe serve: the journal failed: .+$")
        self.assertGreater(len(accepted), 5)
        server.start()
        counts = server.check()
        self.assertGreaterEqual(counts["accepted"], len(accepted))
        for identity in accepted:
            answer = server.get(f"/v1/message?role=big&id={identity}")
            self.assertEqual(answer.status, 200, identity)

    def test_the_address_and_the_way_to_sign_in_are_printed(self):
        server = self.server()
        time.sleep(0.2)
        self.assertEqual(server.said[0], f"Troupe serves {server.url}")
        self.assertIn(os.path.join(server.data, "token"), server.said[1])
        self.assertNotIn(server.token, "\n".join(server.said))


class Load(ServerCase):
    """The whole kernel: thousands of roles must neither slow the start nor any single request."""

    def test_thousands_of_roles_are_up_again_within_seconds(self):
        sections = []
        for i in range(2500):
            sections.append(f"SECTION {i}\nM: P{i % 900} <p{i % 900}@example.org>\nF: dir{i}/\n")
        begin = time.monotonic()
        counts = self.expect(200, self.post("/v1/import/maintainers?team=many", "\n".join(sections)))
        self.assertEqual((counts["domains"], counts["people"]), (2500, 900))
        self.send("many/section-7", "a message", "p1")
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(self.server.stop(), 0)
        begin = time.monotonic()
        self.server.start()
        self.assertLess(time.monotonic() - begin, 30)
        tree = self.expect(200, self.get("/v1/tree"))["roles"]
        self.assertEqual(len(tree), 2502)
        self.assertEqual(sum(role["queued"] for role in tree), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
