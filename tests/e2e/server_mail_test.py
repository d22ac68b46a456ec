# SPDX-License-Identifier: MIT
"""The life of a message over HTTP: sent, taken, done, declined, forwarded, and what is refused on the way."""

import threading
import time
import unittest

from serving import ServerCase


class Mail(ServerCase):
    """Each test has people, a team and roles of its own: ann holds roles, ben sends, cleo supervises."""

    tests_begun = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.expect(201, cls.server.post("/v1/roles", {"name": "root", "team": True}))

    def setUp(self):
        Mail.tests_begun += 1
        serial = Mail.tests_begun
        self.ann, self.ben, self.cleo = (f"{name}-{serial}" for name in ("ann", "ben", "cleo"))
        self.robot, self.team = f"robot-{serial}", f"team-{serial}"
        self.roles_made = 0
        self.server.make(self.ann, self.ben, self.cleo)
        robot = {"name": self.robot, "kind": "program", "wip_limit": 50}
        self.server.expect(201, self.server.post("/v1/actors", robot))
        team = {"name": self.team, "team": True, "holders": [self.cleo]}
        self.server.expect(201, self.server.post("/v1/roles", team))

    def role(self, *holders, **more):
        """A new role under the test's team."""
        self.roles_made += 1
        name = f"{self.team}/role-{self.roles_made}"
        body = {"name": name, "parent": self.team, "holders": list(holders), **more}
        self.expect(201, self.post("/v1/roles", body))
        return name

    def answer_of(self, who):
        """The next message in somebody's own mailbox: taken, and done with."""
        (message,) = self.take(who, role=f"@{who}", wait_ms=5000)
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, who))
        return message

    def finish(self, message, **more):
        self.expect(200, self.post("/v1/done", {"id": message["id"], **more}, self.ann))

    # --- the usual way ------------------------------------------------------------------------------------

    def test_a_message_goes_from_sender_to_holder_and_back(self):
        role = self.role(self.ann)
        receipt = self.send(role, "A question", self.ben, body="How *much* is it?\nWith tax.")
        self.assertEqual(receipt["role"], role)
        self.assertEqual(receipt["state"], "accepted")
        self.assertEqual(receipt["position"], 1)
        self.assertEqual(receipt["holder"], self.ann)
        self.assertEqual(len(receipt["id"]), 13)

        inbox = self.get("/v1/inbox", self.ann).json
        self.assertEqual([m["id"] for m in inbox["queued"]], [receipt["id"]])
        self.assertEqual((inbox["held"], inbox["total"]), ([], 1))
        self.assertNotIn("body", inbox["queued"][0])

        (message,) = self.take(self.ann)
        self.assertEqual(message["id"], receipt["id"])
        self.assertEqual(message["from"], self.ben)
        self.assertEqual(message["subject"], "A question")
        self.assertEqual(message["body"], "How *much* is it?\nWith tax.")
        self.assertEqual(message["state"], "held")
        self.assertEqual(message["class"], "normal")
        self.assertEqual(message["thread"], message["id"])
        self.assertGreater(message["lease_until"], time.time() * 1000)

        done = self.post("/v1/done", {"id": message["id"], "reply": "Twelve."}, self.ann)
        self.assertEqual((done.status, done.json["state"]), (200, "done"))
        answer = self.answer_of(self.ben)
        self.assertEqual((answer["kind"], answer["outcome"]), ("answer", "done"))
        self.assertEqual(answer["body"], "Twelve.")
        self.assertEqual(answer["from"], self.ann)
        self.assertEqual(answer["thread"], message["thread"])
        self.assertEqual(answer["origin"], {"role": role, "id": message["id"]})

    def test_attachments_go_along_by_reference(self):
        role = self.role(self.ann)
        references = "https://example.org/plan.pdf\nsha256:0123"
        self.send(role, "see the plan", self.ben, attachments=references, reply=False)
        (message,) = self.take(self.ann, role=role)
        self.assertEqual(message["attachments"], references)
        other = self.role(self.ben)
        self.expect(200, self.post("/v1/forward", {"id": message["id"], "to": other}, self.ann))
        self.server.settled()
        (message,) = self.take(self.ben, role=other)
        self.assertEqual(message["attachments"], references)
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, self.ben))

    def test_a_declined_message_comes_back_with_the_reason(self):
        role = self.role(self.ann)
        receipt = self.send(role, who=self.ben)
        (message,) = self.take(self.ann)
        declined = self.post("/v1/decline", {"id": message["id"], "reason": "Out of stock."}, self.ann)
        self.assertEqual((declined.status, declined.json["state"]), (200, "declined"))
        answer = self.answer_of(self.ben)
        self.assertEqual((answer["outcome"], answer["body"]), ("declined", "Out of stock."))
        self.assertEqual(answer["origin"]["id"], receipt["id"])

    def test_a_forwarded_message_is_a_new_one_in_the_same_thread(self):
        first, second = self.role(self.ann), self.role(self.cleo)
        self.send(first, "Whose is it?", self.ben, body="Text")
        (message,) = self.take(self.ann)
        body = {"id": message["id"], "to": second, "note": "Yours, I think."}
        forwarded = self.expect(200, self.post("/v1/forward", body, self.ann))
        self.assertEqual(forwarded["state"], "forwarded")
        self.assertEqual(forwarded["forwarded_to"]["role"], second)
        (passed,) = self.take(self.cleo, wait_ms=5000)
        self.assertNotEqual(passed["id"], message["id"])
        self.assertEqual(passed["thread"], message["thread"])
        self.assertEqual((passed["hops"], passed["subject"]), (1, "Whose is it?"))
        self.assertEqual((passed["body"], passed["note"]), ("Text", "Yours, I think."))
        self.assertEqual(passed["from"], self.ben)
        self.expect(200, self.post("/v1/done", {"id": passed["id"], "reply": "Mine."}, self.cleo))
        self.assertEqual(self.answer_of(self.ben)["body"], "Mine.")

    def test_done_with_next_brings_the_next_message(self):
        role = self.role(self.ann)
        ids = [self.send(role, who=self.ben)["id"] for _ in range(2)]
        (first,) = self.take(self.ann)
        done = self.expect(200, self.post("/v1/done", {"id": first["id"], "next": True}, self.ann))
        self.assertEqual((done["id"], done["state"]), (ids[0], "done"))
        self.assertEqual([m["id"] for m in done["messages"]], [ids[1]])
        done = self.expect(200, self.post("/v1/done", {"id": ids[1], "next": True}, self.ann))
        self.assertEqual(done["messages"], [])
        for _ in ids:
            self.answer_of(self.ben)

    def test_urgent_goes_before_normal_before_bulk_over_all_roles(self):
        one, two = self.role(self.ann), self.role(self.ann)
        sent = [
            self.send(one, "bulk", self.ben, **{"class": "bulk"}),
            self.send(two, "normal 1", self.ben),
            self.send(one, "normal 2", self.ben),
            self.send(two, "urgent", self.ben, **{"class": "urgent"}),
        ]
        subjects = []
        for _ in sent:
            (message,) = self.take(self.ann)
            subjects.append(message["subject"])
            self.finish(message)
        self.assertEqual(subjects, ["urgent", "normal 1", "normal 2", "bulk"])
        for _ in sent:
            self.answer_of(self.ben)

    def test_whoever_holds_one_gets_it_back_instead_of_another(self):
        one, two = self.role(self.ann), self.role(self.ann)
        self.send(one, "held", self.ben)
        self.send(two, "waits", self.ben, **{"class": "urgent"})
        (first,) = self.take(self.ann)
        (again,) = self.take(self.ann)
        self.assertEqual(again["id"], first["id"])
        for _ in range(2):
            (message,) = self.take(self.ann)
            self.finish(message)
        self.assertEqual(self.take(self.ann), [])
        self.answer_of(self.ben)
        self.answer_of(self.ben)

    def test_a_lease_is_made_longer(self):
        role = self.role(self.ann, lease_ms=60000)
        self.send(role, who=self.ben)
        (message,) = self.take(self.ann)
        time.sleep(0.02)
        renewed = self.expect(200, self.post("/v1/renew", {"id": message["id"]}, self.ann))
        self.assertGreater(renewed["lease_until"], message["lease_until"])
        self.assertTrue(59000 < renewed["lease_ms"] <= 60000, renewed)
        self.finish(message)
        self.answer_of(self.ben)

    def test_a_lease_that_ends_gives_the_message_to_the_deputy(self):
        role = self.role(self.ann, self.cleo, lease_ms=100)
        self.send(role, "left lying", self.ben)
        (message,) = self.take(self.ann)
        (taken,) = self.take(self.cleo, wait_ms=5000)
        self.assertEqual((taken["id"], taken["attempts"]), (message["id"], 1))
        detail = self.problem(self.post("/v1/done", {"id": message["id"]}, self.ann), 403, "forbidden")
        self.assertIn(self.cleo, detail)
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, self.cleo))
        self.answer_of(self.ben)

    def test_three_lapses_escalate_to_the_supervisor(self):
        role = self.role(self.ann, lease_ms=50)
        receipt = self.send(role, "too hard", self.ben, body="The whole text")
        for _ in range(3):
            self.take(self.ann, wait_ms=5000)
            time.sleep(0.1)
        (escalation,) = self.take(self.cleo, wait_ms=5000)
        self.assertEqual((escalation["role"], escalation["kind"]), (self.team, "escalation"))
        self.assertEqual(escalation["origin"], {"role": role, "id": receipt["id"]})
        self.assertIn("The whole text", escalation["body"])
        body = {"id": escalation["id"], "reason": "Not worth it."}
        self.expect(200, self.post("/v1/decline", body, self.cleo))
        answer = self.answer_of(self.ben)
        self.assertEqual((answer["outcome"], answer["origin"]["id"]), ("declined", receipt["id"]))

    def test_a_failure_is_escalated_and_can_be_tried_again(self):
        role = self.role(self.ann)
        receipt = self.send(role, "fails", self.ben)
        (message,) = self.take(self.ann)
        self.expect(200, self.post("/v1/fail", {"id": message["id"], "reason": "No key."}, self.ann))
        (escalation,) = self.take(self.cleo, wait_ms=5000)
        self.assertEqual(escalation["origin"]["id"], receipt["id"])
        body = {"id": escalation["id"], "action": "retry", "reason": "The key is in the safe."}
        self.expect(200, self.post("/v1/resolve", body, self.cleo))
        (again,) = self.take(self.ann, wait_ms=5000)
        self.assertEqual(again["id"], receipt["id"])
        self.finish(again)
        self.assertEqual(self.answer_of(self.ben)["outcome"], "done")

    def test_a_deferred_message_returns_at_its_time(self):
        role = self.role(self.ann)
        self.send(role, "later", self.ben)
        (message,) = self.take(self.ann)
        until = int(time.time() * 1000) + 300
        body = {"id": message["id"], "until": until, "reason": "Waiting for a call."}
        self.assertEqual(self.post("/v1/defer", body, self.ann).json["state"], "parked")
        self.assertEqual(self.take(self.ann), [])
        (again,) = self.take(self.ann, wait_ms=5000)
        self.assertEqual(again["id"], message["id"])
        self.assertGreaterEqual(time.time() * 1000, until)
        self.finish(again)
        self.answer_of(self.ben)

    def test_a_message_is_deferred_for_a_time_from_now(self):
        role = self.role(self.ann)
        self.send(role, "a little later", self.ben)
        (message,) = self.take(self.ann)
        body = {"id": message["id"], "after_ms": 200}
        detail = self.problem(self.post("/v1/defer", {**body, "until": 1}, self.ann), 400, "malformed")
        self.assertIn("cannot both", detail)
        for wrong in (0, 366 * 24 * 3600 * 1000 + 1):
            self.problem(self.post("/v1/defer", {**body, "after_ms": wrong}, self.ann), 400, "malformed")
        self.assertEqual(self.post("/v1/defer", body, self.ann).json["state"], "parked")
        self.assertEqual(self.take(self.ann), [])
        (again,) = self.take(self.ann, wait_ms=5000)
        self.assertEqual((again["id"], again["attempts"]), (message["id"], 0))
        self.finish(again)
        self.answer_of(self.ben)

    # --- waiting ------------------------------------------------------------------------------------------

    def test_a_long_poll_ends_when_a_message_comes(self):
        role = self.role(self.ann)
        taken = []
        waiter = threading.Thread(target=lambda: taken.extend(self.take(self.ann, wait_ms=20000)))
        waiter.start()
        time.sleep(0.3)
        begin = time.monotonic()
        self.send(role, "at last", self.ben)
        waiter.join(10)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual([m["subject"] for m in taken], ["at last"])
        self.expect(200, self.post("/v1/done", {"id": taken[0]["id"]}, self.ann))
        self.answer_of(self.ben)

    def test_a_long_poll_ends_with_204_when_its_time_is_over(self):
        begin = time.monotonic()
        answer = self.post("/v1/next", {"wait_ms": 400}, self.cleo)
        self.assertEqual((answer.status, answer.bytes), (204, b""))
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)

    def test_two_long_polls_of_one_person_never_share_a_message(self):
        role = self.role(self.ann)
        taken = []
        waiters = [
            threading.Thread(target=lambda: taken.append(self.take(self.ann, wait_ms=3000))) for _ in range(2)
        ]
        for waiter in waiters:
            waiter.start()
        time.sleep(0.2)
        self.send(role, "one", self.ben)
        for waiter in waiters:
            waiter.join(10)
        # Her limit is one: the second poll gets back what she holds, and no second message exists.
        self.assertEqual({m["subject"] for messages in taken for m in messages}, {"one"})
        (held,) = self.get("/v1/inbox", self.ann).json["held"]
        self.expect(200, self.post("/v1/done", {"id": held["id"]}, self.ann))
        self.answer_of(self.ben)

    # --- many at once -------------------------------------------------------------------------------------

    def test_a_batch_is_answered_in_order_and_one_by_one(self):
        role = self.role(self.ann)
        batch = [{"to": role, "subject": "good"}, {"to": "no/such"}, {"to": "no/such", "subject": "s"}]
        answers = self.expect(200, self.post("/v1/send", batch, self.ben))
        self.assertEqual([a["status"] for a in answers], [202, 400, 404])
        self.assertIn("subject", answers[1]["answer"]["detail"])
        self.finish(self.take(self.ann)[0])
        self.answer_of(self.ben)

    def test_a_program_takes_and_finishes_many_with_one_request(self):
        role = self.role(self.robot)
        sent = self.post("/v1/send", [{"to": role, "subject": str(i)} for i in range(80)], self.robot).json
        self.assertEqual([s["status"] for s in sent], [202] * 80)
        self.assertEqual([s["answer"]["position"] for s in sent], list(range(1, 81)))
        taken = self.post("/v1/next", [{"role": role}] * 50, self.robot).json
        subjects = [t["answer"]["messages"][0]["subject"] for t in taken]
        self.assertEqual(subjects, [str(i) for i in range(50)])
        done = [{"id": t["answer"]["messages"][0]["id"]} for t in taken]
        self.assertEqual({d["status"] for d in self.post("/v1/done", done, self.robot).json}, {200})
        self.assertEqual(self.get(f"/v1/inbox?role={role}", self.robot).json["total"], 30)

    def test_many_senders_at_once_lose_nothing(self):
        role = self.role(self.robot)

        def send(number):
            for i in range(20):
                self.send(role, f"{number}-{i}", self.ben)

        before = self.server.check()["accepted"]
        threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.server.check()["accepted"] - before, 160)
        queued = self.get(f"/v1/inbox?role={role}&limit=1000", self.robot).json["queued"]
        self.assertEqual(len({m["subject"] for m in queued}), 160)

    # --- keys ---------------------------------------------------------------------------------------------

    def test_the_same_key_gives_the_first_receipt_again(self):
        role = self.role(self.ann)
        first = self.send(role, who=self.ben, key="k-1")
        again = self.send(role, who=self.ben, key="k-1")
        self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))
        self.assertNotIn("duplicate", first)
        other = self.post("/v1/send", {"to": role, "subject": "other", "key": "k-1"}, self.ben)
        self.problem(other, 409, "conflict")
        self.assertEqual(self.send(role, who=self.cleo, key="k-1").get("duplicate"), None)
        for _ in range(2):
            self.finish(self.take(self.ann)[0])
        self.answer_of(self.ben)
        self.answer_of(self.cleo)

    # --- refusals -----------------------------------------------------------------------------------------

    def test_a_full_mailbox_refuses_and_a_person_may_insist(self):
        role = self.role(self.ann, capacity=2)
        for _ in range(2):
            self.send(role, who=self.ben)
        full = self.post("/v1/send", {"to": role, "subject": "third"}, self.ben)
        self.assertEqual(self.problem(full, 429, "full"), f"{role} holds 2 of 2 messages")
        insisted = self.send(role, "third", self.ben, insist=True)
        self.assertEqual(insisted["position"], 3)
        refused = self.post("/v1/send", {"to": role, "subject": "s", "insist": True}, self.robot)
        self.problem(refused, 429, "full")
        for _ in range(3):
            self.finish(self.take(self.ann)[0])
            self.answer_of(self.ben)

    def test_a_mailbox_full_of_bytes_says_so(self):
        role = self.role(self.ann, bytes_max=100)
        self.send(role, who=self.ben, body="x" * 60)
        full = self.post("/v1/send", {"to": role, "subject": "s", "body": "x" * 60}, self.ben)
        self.assertEqual(self.problem(full, 429, "full"), f"{role} has no room for so many bytes now")
        self.finish(self.take(self.ann)[0])
        self.answer_of(self.ben)

    def test_a_role_that_does_not_exist_is_404(self):
        answer = self.post("/v1/send", {"to": "no/such/role", "subject": "s"}, self.ben)
        self.assertEqual(self.problem(answer, 404, "not-found"), "there is no role no/such/role")

    def test_only_the_holder_finishes_a_message(self):
        role = self.role(self.ann, self.cleo)
        self.send(role, who=self.ben)
        (message,) = self.take(self.ann)
        ways = {"done": {}, "decline": {"reason": "r"}, "forward": {"to": self.team}, "renew": {}}
        for path, more in ways.items():
            answer = self.post(f"/v1/{path}", {"id": message["id"], **more}, self.cleo)
            self.problem(answer, 403, "forbidden")
        # Who has nothing to do with the role does not even learn of it.
        self.problem(self.post("/v1/done", {"id": message["id"]}, self.ben), 404, "not-found")
        self.finish(message)
        self.answer_of(self.ben)

    def test_what_is_done_cannot_be_declined(self):
        role = self.role(self.ann)
        self.send(role, who=self.ben)
        (message,) = self.take(self.ann)
        self.finish(message)
        late = self.post("/v1/decline", {"id": message["id"], "reason": "r"}, self.ann)
        self.assertIn("done", self.problem(late, 409, "conflict"))
        self.answer_of(self.ben)

    def test_what_is_not_held_cannot_be_finished(self):
        role = self.role(self.ann)
        receipt = self.send(role, who=self.ben)
        self.problem(self.post("/v1/done", {"id": receipt["id"]}, self.ann), 409, "conflict")
        (message,) = self.take(self.ann)
        self.finish(message)
        self.answer_of(self.ben)

    def test_forwarding_to_nowhere_leaves_the_message_held(self):
        role = self.role(self.ann)
        self.send(role, who=self.ben)
        (message,) = self.take(self.ann)
        nowhere = {"id": message["id"], "to": "nowhere"}
        self.problem(self.post("/v1/forward", nowhere, self.ann), 404, "not-found")
        self.problem(self.post("/v1/forward", {"id": message["id"], "to": role}, self.ann), 409, "conflict")
        (held,) = self.take(self.ann)
        self.assertEqual(held["id"], message["id"])
        self.finish(message)
        self.answer_of(self.ben)

    def test_a_message_is_forwarded_sixteen_times_and_no_more(self):
        one, two = self.role(self.ann), self.role(self.ann)
        self.send(one, who=self.ben)
        for hop in range(16):
            (message,) = self.take(self.ann, wait_ms=5000)
            self.assertEqual(message["hops"], hop)
            to = two if message["role"] == one else one
            self.expect(200, self.post("/v1/forward", {"id": message["id"], "to": to}, self.ann))
        (message,) = self.take(self.ann, wait_ms=5000)
        self.assertEqual(message["hops"], 16)
        to = two if message["role"] == one else one
        self.problem(self.post("/v1/forward", {"id": message["id"], "to": to}, self.ann), 409, "conflict")
        self.finish(message)
        self.answer_of(self.ben)

    def test_texts_at_their_limits_are_taken_and_beyond_are_not(self):
        role = self.role(self.robot)
        limits = {"subject": 500, "body": 256 * 1024, "key": 128}
        for member, limit in limits.items():
            good = {"to": role, "subject": "s", member: "x" * limit}
            self.assertEqual(self.post("/v1/send", good, self.ben).status, 202, member)
            bad = {"to": role, "subject": "s", member: "x" * (limit + 1)}
            detail = self.problem(self.post("/v1/send", bad, self.ben), 413, "too-large")
            self.assertIn(f'"{member}" has {limit + 1} bytes; {limit} are the most', detail)

    def test_malformed_members_are_named(self):
        cases = {
            "/v1/send": [{}, {"to": self.team}, {"to": 5, "subject": "s"}, {"to": self.team, "subject": ""}],
            "/v1/next": [{"wait_ms": -1}, {"wait_ms": 60001}, {"role": "Not A Name"}, {"rol": self.team}],
            "/v1/done": [{}, {"id": 5}, {"id": "x"}, {"id": "0000000000000"}, {"id": "U" * 13}],
            "/v1/decline": [{"id": "0DT20HCFKG000"}, {"id": "0DT20HCFKG000", "reason": ""}],
            "/v1/forward": [{"id": "0DT20HCFKG000"}],
            "/v1/renew": [{}],
            "/v1/defer": [{"id": "0DT20HCFKG000"}],
            "/v1/fail": [{"id": "0DT20HCFKG000"}],
            "/v1/resolve": [{"id": "0DT20HCFKG000"}, {"id": "0DT20HCFKG000", "action": "hope"}],
        }
        for path, bodies in cases.items():
            for body in bodies:
                with self.subTest(path=path, body=body):
                    self.assertIn('"', self.problem(self.post(path, body, self.ann), 400, "malformed"))

    def test_an_unknown_message_is_404_and_another_ones_mailbox_403(self):
        self.problem(self.post("/v1/done", {"id": "0DT20HCFKG000"}, self.ann), 404, "not-found")
        self.problem(self.post("/v1/next", {"role": f"@{self.ben}"}, self.ann), 403, "forbidden")
        self.problem(self.get(f"/v1/inbox?role=@{self.ben}", self.ann), 403, "forbidden")
        self.problem(self.get("/v1/inbox?limit=many", self.ann), 400, "malformed")

    # --- looking ------------------------------------------------------------------------------------------

    def test_a_message_is_read_by_its_sender_and_its_holders(self):
        role = self.role(self.ann)
        token = self.expect(201, self.post("/v1/tokens", {"actor": self.robot}))["token"]
        receipt = self.send(role, "secret", self.ben, body="plain")
        path = f"/v1/message?role={role}&id={receipt['id']}"
        self.assertEqual(self.get(path, self.ben).json["body"], "plain")
        self.assertEqual(self.get(path, self.ann).json["state"], "queued")
        self.problem(self.get(path, token=token), 403, "forbidden")
        self.problem(self.get(f"/v1/message?role={role}&id=0DT20HCFKG000", self.ann), 404, "not-found")
        self.problem(self.get(f"/v1/message?role=no/such&id={receipt['id']}", self.ann), 404, "not-found")
        self.problem(self.get(f"/v1/message?role={self.team}", self.ann), 400, "malformed")
        (message,) = self.take(self.ann)
        self.finish(message)
        self.assertEqual(self.get(path, self.ben).json["state"], "done")
        self.answer_of(self.ben)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
