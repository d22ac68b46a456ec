# SPDX-License-Identifier: MIT
"""kill -9 of a real server under load, again and again on the same data folder, each time at a random moment
after it has answered somebody.

After each start the counts are conserved, every message that was accepted before the kill is there (its key
gives the same id again), and whoever was given a message still holds it. In the end every message that was
accepted is there exactly once, everything that was finished has told its sender exactly once, nothing that
was forwarded is in two places, and `troupe verify` finds nothing.

TROUPE_KILLS sets how often (default 200); TROUPE_SEED repeats the moments of the kills, as far as clocks go.
A run that failed says so, and leaves its data folder."""

import collections
import http.client
import os
import random
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from serving import PROGRAM, Server  # noqa: E402

KILLS = int(os.environ.get("TROUPE_KILLS", "200"))
SEED = int(os.environ.get("TROUPE_SEED", random.SystemRandom().randrange(1 << 32)))
SENDERS = 6
WORKERS = {"worker-0": "first", "worker-1": "first", "worker-2": "second", "worker-3": "second"}
BATCH = 3
TAKEN_AT_ONCE = 3
PAUSE_S = 0.02
LIFE_MAX_S = 0.12  # after the first answer
ANSWER_TIMEOUT_S = 60


class Load:
    """Senders and workers that go on through every loss of the server, as a real client would: with keys, and
    with looking what they hold."""

    def __init__(self, server):
        self.server = server
        self.lock = threading.Lock()
        self.accepted = {}  # key -> id, once a receipt came
        self.fresh = []  # keys that came to `accepted` since the last kill
        self.taken = {}  # id -> worker, once it was given
        self.finished = {}  # id -> "done" or "forwarded", once the server said so
        self.problems = []
        self.answers = 0
        self.is_up = threading.Event()
        self.is_over = False

    def call(self, path, body, who):
        """An answer, or None when the server went away meanwhile: then nobody knows."""
        self.is_up.wait()
        try:
            answer = self.server.post(path, body, who) if body is not None else self.server.get(path, who)
        except (OSError, http.client.HTTPException):
            return None
        self.answers += 1  # one that is lost to a race is no loss
        return answer

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
                    self.fresh.append(item["key"])
                else:
                    is_whole = False
            serial += BATCH if is_whole else 0
            time.sleep(PAUSE_S)

    def work(self, name, role):
        """Takes some and finishes one after the other. After a loss it looks what it holds: everything that
        it was given and has not begun to finish must be there."""
        untouched = set()
        is_sure = True
        while not self.is_over:
            if is_sure:
                answer = self.call("/v1/next", [{"role": role, "wait_ms": 200}] * TAKEN_AT_ONCE, name)
            else:
                answer = self.call(f"/v1/inbox?role={role}", None, name)
            if answer is None or answer.status != 200:
                is_sure = False
                continue
            if is_sure:
                found = [m for a in answer.json if a["status"] == 200 for m in a["answer"]["messages"]]
            else:
                found = answer.json["held"]
                for identity in untouched - {message["id"] for message in found}:
                    self.problems.append(f"{identity} was given to {name} and is not held")
            is_sure = True
            messages = {message["id"]: message for message in found}
            for identity in messages:
                self.note(self.taken, identity, name)
            untouched = set(messages)
            for message in messages.values():
                untouched.discard(message["id"])
                is_sure = self.finish(name, role, message)
                if not is_sure:
                    break

    def finish(self, name, role, message):
        """Every third message of the first role goes on to the second. False: nobody knows whether it did."""
        if role == "first" and int(message["subject"].split("/")[1]) % 3 == 0:
            answer = self.call("/v1/forward", {"id": message["id"], "to": "second"}, name)
            state = "forwarded"
        else:
            answer = self.call("/v1/done", {"id": message["id"], "reply": f"re {message['subject']}"}, name)
            state = "done"
        if answer is not None and answer.status == 200:
            self.note(self.finished, message["id"], state)
        return answer is not None

    def note(self, place, key, value):
        with self.lock:
            if place.setdefault(key, value) != value:
                self.problems.append(f"{key}: first {place[key]}, then {value}")


class Kill(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        print(f"TROUPE_SEED={SEED} TROUPE_KILLS={KILLS}", flush=True)
        self.server = Server()
        self.kills = 0
        self.is_passed = False
        self.addCleanup(self.leave)
        self.server.start()
        self.organise()

    def leave(self):
        if self.is_passed:
            self.server.close()
            return
        if self.server.process.poll() is None:
            self.server.kill()
        again = f"TROUPE_SEED={SEED} TROUPE_KILLS={max(self.kills, 1)} ./test crash_server_kill_test"
        print(f"failed after {self.kills} kills; data: {self.server.data}; again: {again}", flush=True)

    def organise(self):
        server = self.server
        server.expect(201, server.post("/v1/roles", {"name": "root", "team": True}))
        for i in range(SENDERS):
            sender = {"name": f"sender-{i}", "kind": "program", "wip_limit": 100}
            server.expect(201, server.post("/v1/actors", sender))
        for name in WORKERS:
            server.expect(201, server.post("/v1/actors", {"name": name, "kind": "program", "wip_limit": 10}))
        for role in sorted(set(WORKERS.values())):
            holders = [name for name, works in WORKERS.items() if works == role]
            body = {"name": role, "holders": holders, "capacity": 100000}
            server.expect(201, server.post("/v1/roles", body))

    def kill_under_load(self, load):
        threads = [threading.Thread(target=load.send, args=(i,), daemon=True) for i in range(SENDERS)]
        threads += [threading.Thread(target=load.work, args=work, daemon=True) for work in WORKERS.items()]
        load.is_up.set()
        for thread in threads:
            thread.start()
        while self.kills < KILLS:
            self.await_answers(load)
            time.sleep(self.random.uniform(0, LIFE_MAX_S))
            load.is_up.clear()
            self.server.kill()
            self.kills += 1
            self.server.start()
            self.server.check()
            self.accepted_is_there(load, load.fresh)
            load.fresh = []
            load.is_up.set()
            self.assertEqual(load.problems, [])
        self.await_answers(load)
        load.is_over = True
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())

    def await_answers(self, load):
        """Until the load has begun: the server has answered as many as there are clients."""
        end = time.monotonic() + ANSWER_TIMEOUT_S
        enough = load.answers + SENDERS
        while load.answers < enough:
            self.assertLess(time.monotonic(), end, "nobody is answered")
            time.sleep(0.002)

    def accepted_is_there(self, load, keys):
        """Every receipt that was given is given again, with the same id: the message is there, once."""
        for i in range(SENDERS):
            mine = [key for key in keys if key.startswith(f"{i}/")]
            for begin in range(0, len(mine), 100):
                some = mine[begin : begin + 100]
                batch = [{"to": "first", "subject": key, "key": key} for key in some]
                answers = self.server.expect(200, self.server.post("/v1/send", batch, f"sender-{i}"))
                for key, answer in zip(some, answers):
                    self.assertTrue(answer["answer"].get("duplicate"), f"{key} was accepted and is not there")
                    self.assertEqual(answer["answer"]["id"], load.accepted[key])

    def drain(self, load):
        """What still waits is taken and done; then every role but the senders' own is empty."""
        for name, role in [*WORKERS.items()] * 2:
            self.server.settled(30)
            # First what was taken with an answer that never came.
            messages = self.server.expect(200, self.server.get(f"/v1/inbox?role={role}", name))["held"]
            messages = messages or self.server.take(name, role=role)
            while messages:
                for message in messages:
                    load.finish(name, role, message)
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

        self.accepted_is_there(load, list(load.accepted))

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
        self.assertEqual(load.problems, [])
        self.assertEqual(self.server.stop(), 0)
        verify = [PROGRAM, "verify", "--data", self.server.data]
        verified = subprocess.run(verify, capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        numbers = f"{len(load.accepted)} accepted, {len(load.taken)} taken, {len(notices)} notices"
        print(f"{numbers}, {KILLS} kills", flush=True)
        self.is_passed = True


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
