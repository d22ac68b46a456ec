# SPDX-License-Identifier: MIT
"""What has ended is read for ever, by those whom it concerns: its sender, who held it, the role's succession,
and those of a role that it was escalated to; also when the server is another one and the role sleeps."""

import json
import os
import subprocess
import time
import unittest

from serving import PROGRAM, Server, ServerCase


class Ended(ServerCase):
    count = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben", "cid", "zoe", root=["cid"])
        cls.server.expect(201, cls.server.post("/v1/roles", {"name": "team", "holders": ["cid"]}))
        cls.tokens = {}
        for name in ("ann", "ben", "cid", "zoe"):
            token = cls.server.expect(201, cls.server.post("/v1/tokens", {"actor": name}))["token"]
            cls.tokens[name] = token

    def role(self, *holders, **more):
        Ended.count += 1
        name = f"role-{Ended.count}"
        body = {"name": name, "parent": "team", "holders": list(holders), **more}
        self.expect(201, self.post("/v1/roles", body))
        return name

    def read(self, role, identity, who):
        return self.expect(200, self.get(f"/v1/message?role={role}&id={identity}", token=self.tokens[who]))

    def done(self, path, body, who):
        return self.expect(200, self.post(path, body, token=self.tokens[who]))

    def only_state(self, role, identity, who, state):
        self.assertEqual(self.read(role, identity, who), {"id": identity, "role": role, "state": state})

    def test_what_is_done_is_read_with_its_reply(self):
        role = self.role("ann")
        sent = self.send(role, "a question", "ben", body="what?", deadline=int(time.time() * 1000) + 9999999)
        (taken,) = self.take("ann", role=role)
        self.done("/v1/done", {"id": sent["id"], "reply": "that"}, "ann")
        for who in ("ann", "ben"):
            message = self.read(role, sent["id"], who)
            self.assertEqual((message["state"], message["body"], message["reply"]), ("done", "what?", "that"))
            self.assertEqual((message["from"], message["ended_by"]), ("ben", "ann"))
            for name in ("subject", "class", "sent", "thread", "hops", "kind", "deadline"):
                self.assertEqual(message[name], taken[name])
            self.assertGreaterEqual(message["ended"], message["sent"])
            self.assertNotIn("holder", message)
        self.only_state(role, sent["id"], "zoe", "done")
        self.expect(200, self.post("/v1/roles/change", {"name": role, "open": True}))
        self.assertEqual(self.read(role, sent["id"], "zoe")["reply"], "that")

    def test_a_reply_that_nobody_was_told_is_read_too(self):
        role = self.role("ann")
        sent = self.send(role, "no answer, please", "ben", reply=False)
        self.take("ann", role=role)
        self.done("/v1/done", {"id": sent["id"], "reply": "for the record"}, "ann")
        self.assertEqual(self.read(role, sent["id"], "ann")["reply"], "for the record")
        self.assertEqual(self.read(role, sent["id"], "ben")["reply"], "for the record")

    def test_what_was_declined_or_expired_says_so(self):
        role = self.role("ann")
        sent = self.send(role, "a wish", "ben")
        self.take("ann", role=role)
        self.done("/v1/decline", {"id": sent["id"], "reason": "no"}, "ann")
        message = self.read(role, sent["id"], "ben")
        self.assertEqual((message["state"], message["reason"]), ("declined", "no"))
        late = self.send(role, "too late", "ben", deadline=int(time.time() * 1000) + 100)
        end = time.monotonic() + 10
        while self.read(role, late["id"], "ben")["state"] != "expired":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        message = self.read(role, late["id"], "ben")
        self.assertNotIn("ended_by", message)
        self.assertGreaterEqual(message["ended"], message["deadline"])

    def test_whoever_forwarded_a_message_finds_its_copy(self):
        first, second = self.role("ann"), self.role("zoe")
        sent = self.send(first, "for somebody else", "ben", body="text")
        self.take("ann", role=first)
        self.done("/v1/forward", {"id": sent["id"], "to": second, "note": "yours"}, "ann")
        self.server.settled()
        (copy,) = self.take("zoe", role=second)
        message = self.read(first, sent["id"], "ann")
        self.assertEqual((message["state"], message["reason"]), ("forwarded", "yours"))
        self.assertEqual(message["forwarded_to"], {"role": second, "id": copy["id"]})
        self.assertEqual(message["thread"], copy["thread"])
        self.done("/v1/done", {"id": copy["id"], "reply": "thanks"}, "zoe")

    def test_whoever_held_it_once_and_whom_it_was_escalated_to_read_it(self):
        role = self.role("ann", "zoe")
        sent = self.send(role, "difficult", "ben", body="very")
        self.take("ann", role=role)
        self.done("/v1/fail", {"id": sent["id"], "reason": "no idea"}, "ann")
        self.server.settled()
        (escalation,) = self.take("cid", role="team")
        self.assertEqual(escalation["origin"], {"role": role, "id": sent["id"]})
        self.done("/v1/decline", {"id": escalation["id"], "reason": "never"}, "cid")
        self.server.settled()
        self.expect(200, self.post("/v1/holders", {"role": role, "holders": ["zoe"]}))
        for who in ("ann", "ben", "cid", "zoe"):  # held it, sent it, supervises it, and is in the succession
            message = self.read(role, sent["id"], who)
            self.assertEqual((message["state"], message["body"]), ("declined", "very"), who)
            self.assertEqual(message["reason"], "never")
        self.expect(200, self.post("/v1/holders", {"role": role, "holders": ["ben"]}))
        self.only_state(role, sent["id"], "zoe", "declined")

    def test_what_took_long_while_much_else_came_is_read(self):
        role = self.role("ann", capacity=1000)
        sent = self.send(role, "slow", "ben", body="words", **{"class": "urgent"})
        (taken,) = self.take("ann", role=role)
        for i in range(40):  # more than is read from one place
            self.send(role, f"large {i}", "cid", body="x" * 250000)
        self.done("/v1/done", {"id": taken["id"], "reply": "at last"}, "ann")
        self.expect(200, self.post("/v1/holders", {"role": role, "holders": ["zoe"]}))
        for who in ("ann", "ben"):
            message = self.read(role, sent["id"], who)
            self.assertEqual((message["body"], message["reply"]), ("words", "at last"))
            self.assertEqual(message["ended_by"], "ann")

    def test_each_of_many_is_found_among_the_others_and_after_a_restart(self):
        role = self.role("ann", capacity=1000)
        ids = []
        for i in range(150):
            ids.append(self.send(role, f"number {i}", "ben", body=f"body {i} " * 300)["id"])
            if i % 3 == 0:
                (message,) = self.take("ann", role=role)
                self.done("/v1/done", {"id": message["id"], "reply": f"reply {message['id']}"}, "ann")
        while messages := self.take("ann", role=role):
            self.done("/v1/done", {"id": messages[0]["id"], "reply": f"reply {messages[0]['id']}"}, "ann")
        for again in range(2):
            for i in (0, 1, 74, 75, 148, 149):
                message = self.read(role, ids[i], "ben")
                self.assertEqual((message["subject"], message["reply"]), (f"number {i}", f"reply {ids[i]}"))
                self.assertEqual(message["body"], f"body {i} " * 300)
            if again == 0:
                self.assertEqual(self.server.stop(), 0)
                self.server.start()
        self.problem(self.get(f"/v1/message?role={role}&id=0DT20HCFKG000", "ben"), 404, "not-found")


class ClockSetBack(unittest.TestCase):
    """Times in a stream that do not grow: a clock was set back."""

    def verb(self, *words, **more):
        return subprocess.run([PROGRAM, *words], check=True, text=True, capture_output=True, **more).stdout

    def test_a_message_is_found_also_where_its_time_is_not_in_order(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        server.make("ann", "ben", root=["ann"])
        ids = []
        for i in range(8):
            ids.append(server.send("root", f"number {i}", "ben", body=f"body {i}")["id"])
            server.take("ann")
            server.expect(200, server.post("/v1/done", {"id": ids[i], "reply": f"reply {i}"}, "ann"))
        self.assertEqual(server.stop(), 0)
        lines = self.verb("export", "--data", server.data).splitlines()
        for place, line in enumerate(lines):
            if '"org_accepted"' in line and '"number 2"' in line:
                event = json.loads(line)
                event["body"]["at"] += 3600000  # an hour later than all that came after it
                lines[place] = json.dumps(event, separators=(",", ":"))
        os.rename(os.path.join(server.data, "troupe.db"), os.path.join(server.data, "before.db"))
        for name in ("troupe.db-wal", "troupe.db-shm"):
            if os.path.exists(os.path.join(server.data, name)):
                os.remove(os.path.join(server.data, name))
        self.verb("restore", "-", "--data", server.data, input="\n".join(lines) + "\n")
        server.start()
        for i, identity in enumerate(ids):
            message = server.expect(200, server.get(f"/v1/message?role=root&id={identity}", "ben"))
            self.assertEqual((message["body"], message["reply"]), (f"body {i}", f"reply {i}"))
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
