# SPDX-License-Identifier: MIT
"""The contract of programs over HTTP: claim, renew, finish; said twice it is done once, and said too late it
does nothing to whoever holds the message now."""

import threading
import time
import unittest

from serving import ServerCase

OUTPUT_MAX, SIGNAL_MAX, EXIT_STATUS_MAX = 4096, 32, 255  # src/org/limits.h


class Contract(ServerCase):
    """Each test has a role of its own, held by a program of its own and supervised by ann."""

    tests_begun = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben")
        root = {"name": "root", "team": True, "holders": ["ann"]}
        cls.server.expect(201, cls.server.post("/v1/roles", root))

    def setUp(self):
        Contract.tests_begun += 1
        self.robot, self.role = f"robot-{self.tests_begun}", f"gates-{self.tests_begun}"
        self.team = f"team-{self.tests_begun}"
        self.server.make(programs=(self.robot,))
        team = {"name": self.team, "team": True, "holders": ["ann"]}
        self.expect(201, self.post("/v1/roles", team))

    def make(self, *holders, **rules):
        body = {"name": self.role, "parent": self.team, "holders": [self.robot, *holders], **rules}
        self.expect(201, self.post("/v1/roles", body))

    def claim(self):
        receipt = self.send(self.role, "Open", "ben", body="please", reply=False)
        (message,) = self.take(self.robot, role=self.role, wait_ms=5000)
        self.assertEqual(message["id"], receipt["id"])
        return message

    def say(self, call, message, **more):
        body = {"id": message["id"], "held_since": message["held_since"], **more}
        return self.post(f"/v1/{call}", body, self.robot)

    def counts(self):
        role, = (role for role in self.get("/v1/tree").json["roles"] if role["name"] == self.role)
        return role

    def test_every_finish_may_be_said_again(self):
        self.make()
        ends = (("done", {"reply": "open"}, "done"), ("decline", {"reason": "closed"}, "declined"),
                ("defer", {"after_ms": 3600_000}, "parked"), ("fail", {"reason": "stuck"}, "quarantined"),
                ("fail", {"reason": "exit status 1", "crash": True, "exit_status": 1}, "parked"),
                ("forward", {"to": "@ben"}, "forwarded"))
        for call, more, state in ends:
            message = self.claim()
            first = self.expect(200, self.say(call, message, **more))
            self.assertEqual((first["id"], first["state"]), (message["id"], state))
            self.assertEqual(self.expect(200, self.say(call, message, **more)), first)
        self.assertEqual((self.counts()["parked"], self.counts()["quarantined"]), (2, 1))

    def test_another_finish_after_the_first_is_refused(self):
        self.make()
        message = self.claim()
        self.expect(200, self.say("done", message, reply="open"))
        no = {"reason": "no"}
        for call, more in (("done", {"reply": "shut"}), ("decline", no), ("fail", no)):
            self.problem(self.say(call, message, **more), 409, "conflict")
        message = self.claim()
        self.expect(200, self.say("defer", message, after_ms=3600_000))
        self.problem(self.say("defer", message, after_ms=3600_001), 409, "conflict")
        self.problem(self.say("done", message), 409, "conflict")

    def test_a_finish_of_a_hold_that_is_over_does_nothing_to_the_next_one(self):
        self.make(lease_ms=150, on_lapse="retry")
        old = self.claim()
        (new,) = self.take(self.robot, role=self.role, wait_ms=5000)
        while new["held_since"] == old["held_since"]: # until the lease has ended, what is held comes back
            time.sleep(0.05)
            (new,) = self.take(self.robot, role=self.role, wait_ms=5000)
        self.assertEqual((new["id"], new["attempts"]), (old["id"], 1))
        for call, more in (("done", {}), ("decline", {"reason": "no"}), ("defer", {"after_ms": 1}),
                           ("fail", {"reason": "no"}), ("renew", {})):
            detail = self.problem(self.say(call, old, **more), 409, "conflict")
            self.assertIn("taken again", detail)
        self.expect(200, self.say("done", new, reply="open"))

    def test_a_repeated_crash_counts_once(self):
        self.make()
        message = self.claim()
        report = {"reason": "exit status 3", "crash": True, "exit_status": 3, "output": "last line"}
        self.expect(200, self.say("fail", message, **report))
        (again,) = self.take(self.robot, role=self.role, wait_ms=5000)
        self.assertEqual((again["id"], again["attempts"]), (message["id"], 1))
        self.assertEqual(self.expect(200, self.say("fail", message, **report))["state"], "held")
        (same,) = self.take(self.robot, role=self.role)
        self.assertEqual((same["held_since"], same["attempts"]), (again["held_since"], 1))
        self.expect(200, self.say("done", again))

    def test_three_crashes_reach_the_supervisor_with_the_last_lines(self):
        self.make()
        message = self.claim()
        for attempt in range(3):
            self.assertEqual(message["attempts"], attempt)
            report = {"reason": "killed by SIGSEGV", "crash": True, "signal": "SIGSEGV",
                      "output": f"line {attempt}"}
            state = self.expect(200, self.say("fail", message, **report))["state"]
            if attempt < 2:
                self.assertEqual(state, "parked")
                (message,) = self.take(self.robot, role=self.role, wait_ms=10000)
        self.assertEqual(state, "quarantined")
        (escalation,) = self.take("ann", role=self.team, wait_ms=5000)
        self.assertEqual((escalation["kind"], escalation["origin"]["id"]), ("escalation", message["id"]))
        self.assertEqual((escalation["body"], escalation["note"]), ("please", "killed by SIGSEGV\n\nline 2"))
        self.expect(200, self.post("/v1/done", {"id": escalation["id"]}, "ann"))

    def test_how_a_program_died_has_limits(self):
        self.make()
        message = self.claim()
        wrong = ({"exit_status": 0}, {"exit_status": EXIT_STATUS_MAX + 1}, {"signal": ""}, {"signal": "a\nb"},
                 {"output": "\x1b[2J"}, {"exit_status": "1"})
        for more in wrong:
            self.problem(self.say("fail", message, reason="r", crash=True, **more), 400, "malformed")
        for more in ({"exit_status": 1}, {"signal": "SIGKILL"}, {"output": "line"}):
            detail = self.problem(self.say("fail", message, reason="r", **more), 400, "malformed")
            self.assertIn('"crash"', detail)
        for more in ({"signal": "S" * (SIGNAL_MAX + 1)}, {"output": "x" * (OUTPUT_MAX + 1)}):
            self.problem(self.say("fail", message, reason="r", crash=True, **more), 413, "too-large")
        report = {"exit_status": EXIT_STATUS_MAX, "signal": "S" * SIGNAL_MAX, "output": "x" * OUTPUT_MAX}
        self.expect(200, self.say("fail", message, reason="r", crash=True, **report))

    def test_waiting_is_ended_for_the_same_role_alone(self):
        self.make()
        self.expect(201, self.post("/v1/roles", {"name": f"other-{self.role}", "holders": [self.robot]}))
        answers = {}

        def wait(role):
            answers[role] = self.post("/v1/next", {"role": role, "wait_ms": 20000}, self.robot)

        waiting = [threading.Thread(target=wait, args=(role,)) for role in (self.role, f"other-{self.role}")]
        for thread in waiting:
            thread.start()
        time.sleep(0.3)
        self.assertEqual(self.post("/v1/next", {"role": self.role, "end": True}, self.robot).status, 204)
        waiting[0].join(5)
        self.assertEqual(answers[self.role].status, 204)
        self.assertTrue(waiting[1].is_alive())
        self.send(f"other-{self.role}", who="ben", reply=False)
        waiting[1].join(5)
        (message,) = answers[f"other-{self.role}"].json["messages"]
        self.send(self.role, who="ben", reply=False)
        self.assertEqual(self.post("/v1/next", {"role": self.role, "end": True}, self.robot).status, 204)
        self.expect(200, self.say("done", message))
        self.assertEqual(self.counts()["queued"], 1)

    def test_a_lease_is_renewed_by_the_time_that_the_answers_say(self):
        self.make(lease_ms=600)
        message = self.claim()
        left_ms = message["lease_until"] - message["held_since"]
        self.assertEqual(left_ms, 600)
        for _ in range(4):
            time.sleep(left_ms / 3000)
            left_ms = self.expect(200, self.say("renew", message))["lease_ms"]
            self.assertTrue(500 < left_ms <= 600, left_ms)
        self.expect(200, self.say("done", message))

    def test_a_person_who_stands_in_for_a_program_has_a_persons_days(self):
        self.make("ben")
        message = self.claim()
        self.assertEqual(message["lease_until"] - message["held_since"], 600_000)
        self.expect(200, self.post("/v1/presence", {"present": False, "actor": self.robot}))
        (message,) = self.take("ben", role=self.role, wait_ms=5000)
        self.assertEqual(message["lease_until"] - message["held_since"], 3 * 24 * 3600_000)
        renewed = self.expect(200, self.post("/v1/renew", {"id": message["id"]}, "ben"))
        self.assertGreater(renewed["lease_ms"], 2 * 24 * 3600_000)
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, "ben"))


if __name__ == "__main__":
    unittest.main()
