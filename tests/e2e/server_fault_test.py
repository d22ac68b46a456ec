# SPDX-License-Identifier: MIT
"""What serves a role, or a desk, fails at random moments, under load: no client notices, each gets its one
right answer, and only a counter tells. The clients never repeat anything."""

import collections
import os
import signal
import threading
import time
import unittest

from serving import Server

ROLES = 8
SENDERS = 4
WORKERS = 4
LETTERS = 60
ONE_IN = 25
PATIENCE_S = 60


class Fault(unittest.TestCase):
    VARIABLE, COUNTER = "TROUPE_ROLE_FAULTS", "role_restarts"

    def setUp(self):
        os.environ[self.VARIABLE] = str(ONE_IN)
        self.addCleanup(os.environ.pop, self.VARIABLE)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.workers = [f"worker-{i}" for i in range(WORKERS)]
        self.senders = [f"sender-{i}" for i in range(SENDERS)]
        programs = [{"name": name, "kind": "program", "wip_limit": 3} for name in self.workers]
        people = [{"name": name, "kind": "person"} for name in self.senders]
        roles = [{"name": "root"}]
        for i in range(ROLES):
            roles.append({"name": f"role-{i}", "holders": [self.workers[i % WORKERS]], "capacity": 10000})
        body = {"actors": programs + people, "roles": roles}
        self.server.expect(200, self.server.post("/v1/import/organisation", body))
        self.lock = threading.Lock()
        self.wrong = []
        self.accepted = []
        self.taken = collections.Counter()
        self.answers = 0

    def call(self, path, body, who, *expected):
        answer = self.server.post(path, body, who)
        with self.lock:
            self.answers += 1
            if answer.status not in expected:
                self.wrong.append(f"{who} {path} {body}: {answer}")
        return answer

    def send(self, index):
        for i in range(LETTERS):
            letter = {"to": f"role-{(index + i) % ROLES}", "subject": f"{index}/{i}"}
            if i % 2:
                letter["key"] = f"{index}/{i}"
            answer = self.call("/v1/send", letter, self.senders[index], 202)
            if answer.status == 202:
                with self.lock:
                    self.accepted.append(answer.json["id"])
                    if "duplicate" in answer.json or answer.json["position"] < 0:
                        self.wrong.append(f"the receipt is another's: {answer}")

    def work(self, worker, until):
        while time.monotonic() < until and sum(self.taken.values()) < SENDERS * LETTERS:
            answer = self.call("/v1/next", {"wait_ms": 200}, worker, 200, 204)
            for message in answer.json["messages"] if answer.status == 200 else ():
                with self.lock:
                    self.taken[message["id"]] += 1
                done = {"id": message["id"], "reply": "done"}
                told = self.call("/v1/done", done, worker, 200)
                if told.status == 200 and told.json["state"] != "done":
                    self.wrong.append(f"done is {told}")

    def test_nobody_notices_but_for_a_counter(self):
        until = time.monotonic() + PATIENCE_S
        threads = [threading.Thread(target=self.send, args=(i,)) for i in range(SENDERS)]
        threads += [threading.Thread(target=self.work, args=(name, until)) for name in self.workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.wrong, [])
        self.assertEqual(len(set(self.accepted)), SENDERS * LETTERS)
        self.assertEqual(self.taken, collections.Counter(self.accepted))  # each once, and nothing else
        counts = self.server.settled(PATIENCE_S)
        self.assertEqual((counts["owed"], counts["done"]), (0, len(self.accepted)))
        for sender in self.senders:  # one answer for each letter
            inbox = self.server.expect(200, self.server.get(f"/v1/inbox?role=@{sender}", sender))
            self.assertEqual(inbox["total"], LETTERS)
        health = self.server.expect(200, self.server.get("/v1/health"))
        self.assertGreater(health[self.COUNTER], ROLES)
        for counter in {"role_restarts", "desk_restarts", "roles_out_of_order"} - {self.COUNTER}:
            self.assertEqual(health[counter], 0)
        self.assertEqual(self.server.stop(), 0)

    def test_the_tree_is_shown_on_request(self):
        self.server.send("role-0", "work", self.senders[0])
        self.server.process.send_signal(signal.SIGUSR1)
        end = time.monotonic() + PATIENCE_S
        while not any("role-0" in line for line in self.server.said):
            self.assertLess(time.monotonic(), end, self.server.said)
            time.sleep(0.01)
        self.assertTrue(any("#desks" in line for line in self.server.said), self.server.said)
        names = ("#server", "#top", " role-0 ")
        lines = [line for line in self.server.said if any(name in line for name in names)]
        depths = [len(line) - len(line.lstrip()) for line in lines]
        self.assertEqual(depths, sorted(set(depths)), lines)


class DeskFault(Fault):
    VARIABLE, COUNTER = "TROUPE_DESK_FAULTS", "desk_restarts"


if __name__ == "__main__":
    unittest.main()
