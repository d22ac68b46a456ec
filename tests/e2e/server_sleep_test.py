# SPDX-License-Identifier: MIT
"""Roles sleep when they have nothing to do and wake when there is something, by themselves too: nobody
outside can tell, but for how many are awake."""

import threading
import time
import unittest

from serving import Server

IDLE_MS = 40
PATIENCE_S = 10


class Sleep(unittest.TestCase):
    def server(self, idle_ms=IDLE_MS):
        server = Server(arguments=["--idle", str(idle_ms)])
        self.addCleanup(server.close)
        return server.start()

    def wait(self, what, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def fall_asleep(self, server):
        self.wait("somebody stays awake", lambda: server.awake() == 0)

    def role(self, server, name):
        (role,) = [r for r in server.get("/v1/tree").json["roles"] if r["name"] == name]
        return role

    def test_idle_roles_sleep_and_are_seen_without_waking(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"], docs=["ann", "ben"])
        server.send("docs", "one", "ben", body="text")
        server.send("docs", "two", "ben")
        counts = server.settled()
        self.fall_asleep(server)
        self.assertEqual(server.check(), counts)
        self.assertEqual(self.role(server, "docs")["queued"], 2)
        self.assertGreater(self.role(server, "docs")["oldest_ms"], 0)
        self.assertEqual(server.awake(), 0)

    def test_a_message_wakes_its_role_and_finds_everything(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"], docs=["ann"])
        first = server.send("docs", "one", "ben", key="k")
        self.fall_asleep(server)
        again = server.send("docs", "one", "ben", key="k")
        self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))
        self.fall_asleep(server)
        second = server.send("docs", "two", "ben")
        self.assertEqual(second["position"], 2)
        self.fall_asleep(server)
        (taken,) = server.take("ann")
        self.assertEqual(taken["id"], first["id"])
        self.fall_asleep(server)
        server.expect(200, server.post("/v1/done", {"id": first["id"], "reply": "yes"}, "ann"))
        (answer,) = server.take("ben", wait_ms=5000)
        self.assertEqual(answer["body"], "yes")

    def test_a_start_wakes_nobody_who_has_nothing_to_do(self):
        server = self.server(60000)
        server.make("ann", "ben", root=["ann"], docs=["ann"], more=["ben"])
        server.send("docs", "one", "ben")
        counts = server.settled()
        tree = [(r["name"], r["queued"], r["holder"]) for r in server.get("/v1/tree").json["roles"]]
        self.assertGreater(server.awake(), 0)
        for end in (server.stop, server.kill):
            end()
            server.start()
            self.assertEqual(server.awake(), 0)
            self.assertEqual(server.check(), counts)
            after = [(r["name"], r["queued"], r["holder"]) for r in server.get("/v1/tree").json["roles"]]
            self.assertEqual(after, tree)

    def test_a_lease_lapses_though_its_role_sleeps(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"])
        body = {"name": "docs", "holders": ["ann", "ben"], "lease_ms": 1500}
        server.expect(201, server.post("/v1/roles", body))
        receipt = server.send("docs", who="ben")
        (taken,) = server.take("ann")
        self.assertEqual(taken["id"], receipt["id"])
        self.fall_asleep(server)
        self.assertEqual(self.role(server, "docs")["held"], 1)
        self.wait("the lease does not lapse", lambda: self.role(server, "docs")["held"] == 0)
        (passed,) = server.take("ben", wait_ms=5000)
        self.assertEqual(passed["id"], receipt["id"])

    def test_a_lease_lapses_though_nobody_asks_after_a_kill(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"])
        body = {"name": "docs", "holders": ["ann", "ben"], "lease_ms": 1000}
        server.expect(201, server.post("/v1/roles", body))
        server.send("docs", who="ben")
        self.assertEqual(len(server.take("ann")), 1)
        server.kill()
        server.start()
        self.wait("the lease does not lapse", lambda: self.role(server, "docs")["held"] == 0)
        self.assertEqual(self.role(server, "docs")["queued"], 1)

    def test_whoever_waits_for_work_is_woken_though_the_role_slept(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"], docs=["ann"])
        self.fall_asleep(server)
        with_work = []
        waiter = threading.Thread(target=lambda: with_work.extend(server.take("ann", wait_ms=8000)))
        waiter.start()
        time.sleep(0.5)
        receipt = server.send("docs", who="ben")
        waiter.join(PATIENCE_S)
        self.assertEqual([m["id"] for m in with_work], [receipt["id"]])


if __name__ == "__main__":
    unittest.main()
