# SPDX-License-Identifier: MIT
"""kill -9 of a real server under load, again and again on the same data folder. Afterwards every message that
was acknowledged is there exactly once, everything that was finished has told its sender exactly once, and
nothing that was forwarded is in two places.

TROUPE_KILLS sets how often (default 8); TROUPE_SEED repeats the moments of the kills."""

import collections
import http.client
import os
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from serving import Server  # noqa: E402

KILLS = int(os.environ.get("TROUPE_KILLS", "8"))
SEED = int(os.environ.get("TROUPE_SEED", random.SystemRandom().randrange(1 << 32)))
SENDERS = 3
WORKERS = {"worker-0": "first", "worker-1": "second"}
BATCH = 5
PAUSE_S = 0.03


class Load:
    """Senders and workers that go on through every loss of the server, as a real client would: with keys, and
    with looking what they hold."""

    def __init__(self, server):
        self.server = server
        self.lock = threading.Lock()
        self.accepted = {}  # key -> id, once a receipt came
        self.finished = {}  # id -> "done" or "forwarded", once the server said so
        self.problems = []
        self.is_over = False

    def call(self, path, body, who):
        """An answer, or None when the server went away meanwhile: then nobody knows."""
        try:
            return self.server.post(path, body, who)
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
            return None

    def send(self, number):
        serial = 0
        while not self.is_over:
            keys = [f"{number}/{serial + i}" for i in range(BATCH)]
            batch = [{"to": "first", "subject": key, "key": key} for key in keys]
            answer = self.call("/v1/send", batch, f"sender-{number}")
            if answer is None or answer.status != 200:
                continue
            is_whole = True
            for item, result in zip(batch, answer.json):
                if result["status"] == 202:
                    self.note(self.accepted, item["key"], result["answer"]["id"])
                else:
                    is_whole = False
            serial += BATCH if is_whole else 0
            time.sleep(PAUSE_S)

    def work(self, name, role):
        serial = 0
        while not self.is_over:
            answer = self.call("/v1/next", {"role": role, "wait_ms": 200}, name)
            if answer is None or answer.status != 200:
                continue
            for message in answer.json["messages"]:
                serial += 1
                self.finish(name, role, message, serial)

    def finish(self, name, role, message, serial):
        if role == "first" and serial % 3 == 0:
            answer = self.call("/v1/forward", {"id": message["id"], "to": "second"}, name)
            state = "forwarded"
        else:
            answer = self.call("/v1/done", {"id": message["id"], "reply": f"re {message['subject']}"}, name)
            state = "done"
        if answer is not None and answer.status == 200:
            self.note(self.finished, message["id"], state)

    def note(self, place, key, value):
        with self.lock:
            if place.setdefault(key, value) != value:
                self.problems.append(f"{key}: first {place[key]}, then {value}")


class Kill(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"TROUPE_SEED={SEED} TROUPE_KILLS={KILLS}", flush=True)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.organise()

    def organise(self):
        server = self.server
        server.expect(201, server.post("/v1/roles", {"name": "root", "team": True}))
        for i in range(SENDERS):
            sender = {"name": f"sender-{i}", "kind": "program", "wip_limit": 100}
            server.expect(201, server.post("/v1/actors", sender))
        for name, role in WORKERS.items():
            server.expect(201, server.post("/v1/actors", {"name": name, "kind": "program", "wip_limit": 5}))
            body = {"name": role, "holders": [name], "capacity": 100000}
            server.expect(201, server.post("/v1/roles", body))

    def kill_under_load(self, load):
        threads = [threading.Thread(target=load.send, args=(i,)) for i in range(SENDERS)]
        threads += [threading.Thread(target=load.work, args=worker) for worker in WORKERS.items()]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(self.random.uniform(0.1, 0.6))
            self.server.kill()
            self.server.start()
        time.sleep(0.3)
        load.is_over = True
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())

    def drain(self, load):
        """What still waits is taken and done; then every role but the senders' own is empty."""
        for name, role in [*WORKERS.items()] * 2:
            self.server.settled(30)
            # First what was taken with an answer that never came.
            messages = self.server.expect(200, self.server.get(f"/v1/inbox?role={role}", name))["held"]
            messages = messages or self.server.take(name, role=role)
            while messages:
                for message in messages:
                    load.finish(name, role, message, 1)
                batch = self.server.expect(200, self.server.post("/v1/next", [{"role": role}] * 5, name))
                taken = [m for a in batch if a["status"] == 200 for m in a["answer"]["messages"]]
                messages = list({m["id"]: m for m in taken}.values())

    def answers(self):
        """The notices that the senders got, by the message that they are about."""
        notices = collections.Counter()
        for i in range(SENDERS):
            name = f"sender-{i}"
            while True:
                wishes = [{"role": f"@{name}"}] * 100
                batch = self.server.expect(200, self.server.post("/v1/next", wishes, name))
                taken = [a["answer"]["messages"][0] for a in batch if a["status"] == 200]
                if not taken:
                    break
                for message in taken:
                    notices[message["body"]] += 1
                done = [{"id": message["id"]} for message in taken]
                for answer in self.server.expect(200, self.server.post("/v1/done", done, name)):
                    self.assertEqual(answer["status"], 200)
        return notices

    def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(self):
        load = Load(self.server)
        self.kill_under_load(load)
        self.assertEqual(load.problems, [])
        self.assertGreater(len(load.accepted), 50)
        self.assertGreater(len(load.finished), 10)

        # Every receipt that was given is given again, with the same id: the message is there, once.
        for i in range(SENDERS):
            mine = [key for key in load.accepted if key.startswith(f"{i}/")]
            for begin in range(0, len(mine), 100):
                keys = mine[begin : begin + 100]
                batch = [{"to": "first", "subject": key, "key": key} for key in keys]
                answers = self.server.expect(200, self.server.post("/v1/send", batch, f"sender-{i}"))
                for key, answer in zip(keys, answers):
                    self.assertTrue(answer["answer"]["duplicate"], key)
                    self.assertEqual(answer["answer"]["id"], load.accepted[key])

        # What was said to be finished is.
        for identity, state in load.finished.items():
            for role in ("first", "second"):
                answer = self.server.get(f"/v1/message?role={role}&id={identity}")
                if answer.status == 200:
                    self.assertEqual(answer.json["state"], state, identity)
                    break
            else:
                self.fail(f"{identity} was {state} and is nowhere")

        # Every message ends with exactly one notice, also those that went through a second role.
        self.drain(load)
        counts = self.server.settled(60)
        self.assertEqual((counts["owed"], counts["held"]), (0, 0))
        notices = self.answers()
        self.assertEqual([text for text, times in notices.items() if times != 1], [])
        missing = {f"re {key}" for key in load.accepted} - set(notices)
        self.assertEqual(missing, set())
        self.assertEqual(self.server.stop(), 0)
        print(f"{len(load.accepted)} accepted, {len(notices)} notices, {KILLS} kills", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
