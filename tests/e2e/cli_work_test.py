# SPDX-License-Identifier: MIT
"""`troupe work` against the real server: what each end of a command does to its message, what a signal, a
kill and an outage leave behind, and that a message is done once. Commands are small shell scripts."""

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

from cli_support import BIN, FAILED, OK, USAGE, NOT_ALLOWED, RealServer, ScriptedServer

OUTPUT_MAX = 262144  # src/cli/child.h
LEASE_MS = 300


def wait_for(what, seconds=30):
    """Waits until `what()` gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.02)
    return found


def is_running(pid):
    """Whether there is such a process, and it has not ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Working(unittest.TestCase):
    """One server for all tests; each has a role, a program that holds it and a sender of its own."""

    count = 0

    @classmethod
    def setUpClass(cls):
        cls.server = RealServer().start()
        cls.addClassCleanup(cls.server.__exit__)
        cls.json("import", "organisation", "-", stdin=json.dumps({
            "actors": [{"name": "ann", "kind": "person"}],
            "roles": [{"name": "acme", "team": True, "holders": ["ann"]}]}))

    @classmethod
    def json(cls, *arguments, **more):
        return cls.server.json(*arguments, **more)

    def setUp(self):
        Working.count += 1
        folder = tempfile.TemporaryDirectory(prefix="troupe-work-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.robot, self.sender = f"robot-{self.count}", f"sender-{self.count}"
        self.role = f"acme/work-{self.count}"
        self.json("import", "organisation", "-", stdin=json.dumps({
            "actors": [{"name": self.robot, "kind": "program"}, {"name": self.sender, "kind": "person"}],
            "roles": [{"name": self.role, "parent": "acme", "holders": [self.robot]}]}))

    def change(self, **more):
        """Other rules for the role."""
        with open(os.path.join(self.server.data, "token"), encoding="ascii") as file:
            token = file.read().strip()
        request = urllib.request.Request(
            self.server.url + "/v1/roles/change", json.dumps({"name": self.role, **more}).encode(),
            {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            self.assertEqual(answer.status, 200)

    # --- what the tests say -------------------------------------------------------------------------------

    def send(self, subject="A subject", body="a body"):
        return self.json("send", self.role, "-s", subject, body, "--as", self.sender)["id"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def start(self, script, *options, program=None, env=None):
        """Starts `troupe work` with a shell script; it is killed at the end of the test if need be."""
        command = program or ["sh", "-c", script]
        worker = subprocess.Popen(
            [BIN, "work", self.role, "--as", self.robot, *options, "--", *command], cwd=self.folder,
            env=env or self.server.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding="utf-8", errors="surrogateescape")
        self.addCleanup(self.end, worker)
        return worker

    @staticmethod
    def end(worker):
        if worker.poll() is None:
            worker.kill()
        worker.communicate()

    def work(self, script, *options, status=OK, program=None, timeout=30):
        """Works on one message; gives both outputs."""
        worker = self.start(script, "--once", *options, program=program)
        said = worker.communicate(timeout=timeout)
        self.assertEqual(worker.returncode, status, said)
        return said

    def stop(self, worker, status=OK):
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=30)
        self.assertEqual(worker.returncode, status, said)
        return said

    def counts(self):
        role, = self.json("tree", self.role)["roles"]
        return {name: role[name] for name in ("queued", "held", "parked", "quarantined", "done")}

    def answer(self):
        """The one final notice that the sender got."""
        message, = self.json("next", f"@{self.sender}", "--wait", "20", "--as", self.sender)["messages"]
        self.json("done", message["id"], "--as", self.sender)
        return message

    def escalation(self):
        """What reached the supervisor about this role; it is declined."""
        message, = self.json("next", "acme", "--wait", "20", "--as", "ann")["messages"]
        self.json("decline", message["id"], "-m", "enough", "--as", "ann")
        self.assertEqual((message["kind"], message["origin"]["role"]), ("escalation", self.role))
        return message


class Ends(Working):
    """What the end of a command does to its message."""

    def test_exit_0_is_done_and_standard_output_is_the_reply(self):
        id = self.send("Count this", "one two three")
        out, err = self.work("cat > in; printf 'räply\\nof two lines\\n'; echo noise >&2")
        self.assertEqual((out, err), (f"{id} done\n", "noise\n"))
        answer = self.answer()
        self.assertEqual((answer["outcome"], answer["body"]), ("done", "räply\nof two lines\n"))
        given = json.loads(self.read("in"))
        self.assertEqual((given["id"], given["role"], given["subject"], given["body"], given["from"]),
                         (id, self.role, "Count this", "one two three", self.sender))
        self.assertEqual((given["state"], given["kind"], given["attempts"]), ("held", "message", 0))
        self.assertTrue(self.read("in").endswith("}\n"))

    def test_the_environment_names_the_message(self):
        id = self.send()
        script = 'echo "$TROUPE_MESSAGE_ID $TROUPE_ROLE $TROUPE_ATTEMPT $TROUPE_THREAD $1"'
        self.work("", program=["sh", "-c", script, "x", "a b"])
        self.assertEqual(self.answer()["body"], f"{id} {self.role} 1 {id} a b\n")

    def test_a_reply_may_be_empty_and_input_unread(self):
        self.send(body="x" * 100_000)
        self.work("exit 0")
        self.assertEqual(self.answer()["body"], "")

    def test_exit_65_is_declined_with_the_output_as_the_reason(self):
        self.send()
        out, _ = self.work("echo 'Not ours.'; echo noise >&2; exit 65")
        self.assertRegex(out, "^[0-9a-z]{13} declined\n$")
        answer = self.answer()
        self.assertEqual((answer["outcome"], answer["body"]), ("declined", "Not ours."))

    def test_exit_65_without_output_has_its_errors_as_the_reason(self):
        self.send()
        self.work("echo 'no such order' >&2; exit 65")
        self.assertEqual(self.answer()["body"], "no such order")
        self.send()
        self.work("exit 65")
        self.assertEqual(self.answer()["body"], "declined without a reason")

    def test_a_reason_beyond_its_limit_is_cut_visibly(self):
        self.send()
        self.work("yes 'too much' | head -c 6000; exit 65")
        reason = self.answer()["body"]
        self.assertEqual(len(reason.encode()), 4096)
        self.assertTrue(reason.startswith("too much\n") and reason.endswith("…"), reason)

    def test_exit_75_is_deferred_until_the_time_that_is_said(self):
        id = self.send()
        out, _ = self.work("if [ -e once ]; then echo \"attempt $TROUPE_ATTEMPT\"; else touch once; echo 1s;"
                           " echo 'Busy now.'; exit 75; fi")
        self.assertEqual(out, f"{id} parked: again in 1 s\n")
        self.work("echo \"attempt $TROUPE_ATTEMPT\"")
        self.assertEqual(self.answer()["body"], "attempt 1\n")

    def test_exit_75_without_a_time_is_deferred_for_a_minute_and_then_for_longer(self):
        ids = [self.send(), self.send()]
        worker = self.start("exit 75")
        for id in ids:
            self.assertEqual(worker.stdout.readline(), f"{id} parked: again in 1 min\n")
        self.assertEqual(self.counts()["parked"], 2)
        self.stop(worker)

    def test_another_exit_status_is_a_crash_that_is_tried_again(self):
        id = self.send()
        worker = self.start(
            "echo \"trying $TROUPE_ATTEMPT\" >&2; [ $TROUPE_ATTEMPT = 2 ] || exit 3; echo fine")
        self.assertEqual(worker.stdout.readline(), f"{id} parked: exit status 3\n")
        self.assertEqual(worker.stdout.readline(), f"{id} done\n")
        self.assertEqual(self.stop(worker)[1], "trying 1\ntrying 2\n")
        self.assertEqual(self.answer()["body"], "fine\n")

    def test_three_crashes_are_quarantined_and_escalated_with_the_last_lines(self):
        id = self.send("Too hard", "the original")
        worker = self.start("i=0; while [ $i -lt 30 ]; do echo line $i >&2; i=$((i+1)); done; kill -SEGV $$")
        for state in ("parked", "parked", "quarantined"):
            self.assertEqual(worker.stdout.readline(), f"{id} {state}: killed by SIGSEGV\n")
        self.stop(worker)
        escalation = self.escalation()
        self.assertEqual((escalation["origin"]["id"], escalation["body"]), (id, "the original"))
        lines = escalation["note"].split("\n")
        self.assertEqual(lines[0], "killed by SIGSEGV")
        self.assertEqual(lines[2:], [f"line {i}" for i in range(10, 30)])
        self.assertEqual(self.answer()["outcome"], "declined")

    def test_errors_with_control_characters_are_shown_not_obeyed(self):
        self.change(on_crash="escalate")
        self.send()
        self.work("printf 'a\\033[2Jb\\000c\\377' >&2; exit 1", status=FAILED)
        self.assertEqual(self.escalation()["note"], "exit status 1\n\na\\x1b[2Jb c\\xff")
        self.answer()

    def test_a_signal_is_named(self):
        id = self.send()
        out, _ = self.work("kill -KILL $$", status=FAILED)
        self.assertEqual(out, f"{id} parked: killed by SIGKILL\n")

    def test_output_up_to_the_limit_is_a_reply_and_beyond_it_fails(self):
        self.send()
        self.work(f"head -c {OUTPUT_MAX} /dev/zero | tr '\\0' x")
        self.assertEqual(len(self.answer()["body"]), OUTPUT_MAX)
        id = self.send()
        out, _ = self.work(f"head -c {OUTPUT_MAX + 1} /dev/zero | tr '\\0' x", status=FAILED)
        self.assertEqual(out, f"{id} quarantined: it wrote more than {OUTPUT_MAX} bytes to standard output\n")
        self.escalation()
        self.answer()

    def test_a_command_that_never_stops_talking_is_ended(self):
        self.send()
        out, _ = self.work("yes", status=FAILED)
        self.assertIn("quarantined: it wrote more than", out)
        self.escalation()
        self.answer()

    def test_an_answer_that_is_not_text_fails_with_the_reason(self):
        for script in ("printf 'a\\377b'", "printf 'a\\000b'"):
            id = self.send()
            out, _ = self.work(script, status=FAILED)
            self.assertEqual(
                out, f"{id} quarantined: its answer is not UTF-8 text, and so cannot be a reply\n")
            self.assertIn("not UTF-8", self.escalation()["note"])
            self.answer()

    def test_an_answer_that_the_server_does_not_take_fails_with_the_servers_reason(self):
        id = self.send()
        out, _ = self.work("printf 'red \\033[31m'", status=FAILED)
        self.assertRegex(out, f"^{id} quarantined: its answer is not taken: .+\n$")
        self.escalation()
        self.answer()

    def test_with_json_each_message_is_a_line_of_json(self):
        ids = [self.send(), self.send()]
        worker = self.start("exit 0", "--json")
        answers = [json.loads(worker.stdout.readline()) for _ in ids]
        self.assertEqual([(a["id"], a["state"], a["role"]) for a in answers],
                         [(id, "done", self.role) for id in ids])
        self.stop(worker)


class Limits(Working):
    """Time, and commands that cannot be run."""

    def test_a_command_that_takes_too_long_is_ended_with_all_it_started(self):
        id = self.send()
        out, _ = self.work("echo started >&2; sh -c 'echo $$ > pid; exec sleep 100' & sleep 100",
                           "--timeout", "1", status=FAILED)
        self.assertEqual(out, f"{id} parked: it took longer than 1 s\n")
        wait_for(lambda: not is_running(int(self.read("pid"))))

    def test_a_command_that_does_not_end_when_told_to_is_killed(self):
        self.send()
        started = time.monotonic()
        out, _ = self.work("trap '' TERM; while :; do sleep 0.1; done", "--timeout", "1", "--grace", "1",
                           status=FAILED)
        self.assertIn("took longer than 1 s", out)
        self.assertTrue(2 <= time.monotonic() - started < 8)

    def test_what_the_command_leaves_behind_is_ended_and_nobody_waits_for_it(self):
        self.send()
        started = time.monotonic()
        self.work("sleep 100 & echo $! > pid; echo reply")
        self.assertLess(time.monotonic() - started, 10)
        self.assertEqual(self.answer()["body"], "reply\n")
        wait_for(lambda: not is_running(int(self.read("pid"))))

    def test_a_command_that_is_not_there_is_said_before_anything_is_taken(self):
        self.send()
        denied = "Permission denied"
        for command, why in (("no-such-command", "there is no such command"), ("/etc/passwd", denied),
                             ("/etc", denied)):
            out, err = self.work("", program=[command], status=USAGE)
            self.assertEqual((out, err), ("", f"troupe work: {command}: {why}\n"))
        self.assertEqual(self.counts()["queued"], 1)

    def test_status_126_and_127_end_the_work_and_give_the_message_back(self):
        for status in (126, 127):
            ids = [self.send(), self.send()]
            worker = self.start(f"exit {status}")
            out, err = worker.communicate(timeout=30)
            self.assertEqual(worker.returncode, FAILED)
            self.assertRegex(out, f"^{ids[0]} parked: exit status {status}: .*\n$")
            self.assertIn("the message was given back", err)
            wait_for(lambda: self.counts()["queued"] == 2)
            worker = self.start("echo $TROUPE_ATTEMPT")
            self.assertEqual([worker.stdout.readline() for _ in ids], [f"{id} done\n" for id in ids])
            self.stop(worker)
            self.assertEqual([self.answer()["body"] for _ in ids], ["1\n", "1\n"])

    def test_a_program_that_cannot_be_executed_gives_the_message_back(self):
        with open(self.path("empty"), "w", encoding="ascii") as file:
            file.write("no program\n")
        os.chmod(self.path("empty"), 0o755)
        self.send()
        _, err = self.work("", program=["./empty"], status=FAILED)
        self.assertIn("the command cannot be started: Exec format error", err)
        wait_for(lambda: self.counts()["queued"] == 1)

    def test_whoever_has_no_such_role_is_told(self):
        worker = self.start("exit 0")
        worker.kill()
        self.role = "acme"
        _, err = self.work("exit 0", status=NOT_ALLOWED)
        self.assertIn(f"acme is not a role of {self.robot}", err)

    def test_the_command_line_is_checked(self):
        for arguments, why in ((["work", "x"], "there is no command; it stands behind --"),
                               (["work", "x", "--"], "there is no command"),
                               (["work", "--", "true"], "too few operands"),
                               (["work", "x", "y", "--", "true"], "one operand too many"),
                               (["work", "x", "--timeout", "0", "--", "true"], "write whole seconds, 1 to"),
                               (["work", "x", "--grace", "1.5", "--", "true"], "write whole seconds, 1 to")):
            done = self.server.run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (USAGE, ""), arguments)
            self.assertIn(why, done.stderr)


class Interruptions(Working):
    """Signals, kills, outages and leases."""

    def test_a_first_signal_lets_the_command_finish(self):
        first, second = self.send(), self.send()
        worker = self.start("touch started; while [ ! -e go ]; do sleep 0.02; done; echo finished")
        wait_for(lambda: os.path.exists(self.path("started")))
        worker.send_signal(signal.SIGTERM)
        self.assertIn("stopping when the command has ended", worker.stderr.readline())
        with open(self.path("go"), "w", encoding="ascii"):
            pass
        out, _ = worker.communicate(timeout=30)
        self.assertEqual((worker.returncode, out), (OK, f"{first} done\n"))
        self.assertEqual(self.answer()["body"], "finished\n")
        self.assertEqual((self.counts()["queued"], self.counts()["held"]), (1, 0), second)

    def test_a_second_signal_ends_the_command_and_gives_the_message_back(self):
        id = self.send()
        worker = self.start("touch started; sleep 100")
        wait_for(lambda: os.path.exists(self.path("started")))
        worker.send_signal(signal.SIGINT)
        worker.stderr.readline()
        worker.send_signal(signal.SIGINT)
        out, _ = worker.communicate(timeout=30)
        self.assertEqual(worker.returncode, OK)
        self.assertEqual(out, f"{id} parked: the program that works on it was told to stop\n")
        self.work("echo attempt $TROUPE_ATTEMPT")
        self.assertEqual(self.answer()["body"], "attempt 1\n")

    def test_a_signal_while_nothing_waits_ends_it_and_leaves_nothing_taken(self):
        worker = self.start("exit 0")
        time.sleep(0.5)
        started = time.monotonic()
        self.stop(worker)
        self.assertLess(time.monotonic() - started, 3, "the server was not told that nobody waits")
        self.send()
        self.assertEqual(self.counts()["queued"], 1)

    def test_killed_in_the_middle_the_next_one_takes_the_same_message_up(self):
        id = self.send()
        worker = self.start("echo $$ > pid; touch started; exec sleep 100")
        wait_for(lambda: os.path.exists(self.path("started")))
        worker.kill()
        worker.communicate()
        pid = int(self.read("pid"))
        wait_for(lambda: not is_running(pid))
        self.assertEqual(self.counts()["held"], 1)
        other = self.send()
        worker = self.start("echo run >> runs; echo \"$TROUPE_MESSAGE_ID $TROUPE_ATTEMPT\"")
        self.assertEqual([worker.stdout.readline() for _ in range(2)], [f"{id} done\n", f"{other} done\n"])
        self.stop(worker)
        self.assertEqual(self.answer()["body"], f"{id} 1\n")
        self.assertEqual(self.answer()["body"], f"{other} 1\n")
        self.assertEqual(self.counts()["done"], 2)

    def test_a_lease_is_renewed_while_the_command_runs(self):
        self.change(lease_ms=LEASE_MS)
        self.send()
        self.work(f"sleep {LEASE_MS * 5 / 1000}; echo \"attempt $TROUPE_ATTEMPT\"")
        self.assertEqual(self.answer()["body"], "attempt 1\n")
        self.assertEqual(self.counts()["done"], 1)

    def test_a_message_that_is_lost_meanwhile_ends_its_command_and_work_goes_on(self):
        self.change(lease_ms=LEASE_MS)
        id = self.send()
        worker = self.start("[ -e started ] && exit 0; touch started; sleep 100")
        wait_for(lambda: os.path.exists(self.path("started")))
        self.json("done", id, "-m", "by hand", "--as", self.robot)
        self.assertIn(f"{id}: it is held no longer, and the command was ended", worker.stderr.readline())
        other = self.send()
        self.assertEqual(worker.stdout.readline(), f"{other} done\n")
        self.stop(worker)

    def test_an_answer_that_comes_too_late_is_refused_and_work_goes_on(self):
        id = self.send()
        worker = self.start("touch started; while [ ! -e go ]; do sleep 0.02; done")
        wait_for(lambda: os.path.exists(self.path("started")))
        self.json("done", id, "-m", "by hand", "--as", self.robot)
        with open(self.path("go"), "w", encoding="ascii"):
            pass
        self.assertEqual(
            worker.stderr.readline(),
            f"troupe work: {id}: what came of it is refused: the message has ended: it is done\n")
        other = self.send()
        self.assertEqual(worker.stdout.readline(), f"{other} done\n")
        self.stop(worker)
        self.assertEqual(self.answer()["body"], "by hand")


class Outages(Working):
    """Each with a server of its own, which is killed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()

    def test_the_server_is_killed_while_the_command_runs(self):
        self.change(lease_ms=20000)
        id = self.send()
        worker = self.start(
            "echo run >> runs; touch started; while [ ! -e go ]; do sleep 0.02; done; echo late")
        wait_for(lambda: os.path.exists(self.path("started")))
        self.server.kill()
        with open(self.path("go"), "w", encoding="ascii"):
            pass
        self.assertIn("nobody answers at", worker.stderr.readline())
        self.server.start()
        self.assertEqual(worker.stdout.readline(), f"{id} done\n")
        self.assertEqual(worker.stderr.readline(), "troupe work: the server answers again\n")
        self.stop(worker)
        self.assertEqual(self.read("runs"), "run\n")
        self.assertEqual(self.answer()["body"], "late\n")

    def test_a_server_that_is_away_at_the_start_is_waited_for(self):
        id = self.send()
        self.server.kill()
        worker = self.start("exit 0")
        self.assertIn("trying again until it answers", worker.stderr.readline())
        self.server.start()
        self.assertEqual(worker.stdout.readline(), f"{id} done\n")
        self.stop(worker)

    def test_a_signal_while_the_server_is_away_ends_it(self):
        self.server.kill()
        worker = self.start("exit 0")
        self.assertIn("trying again until it answers", worker.stderr.readline())
        self.stop(worker)
        self.server.start()


class LostAnswers(unittest.TestCase):
    """Answers that are lost on the way, against a server that loses them. Its program may hold many messages:
    what it holds is in its inbox and comes with no `next` again."""

    MESSAGE = {"id": "0000000000abc", "role": "gates", "state": "held", "kind": "message", "from": "ann",
               "subject": "s", "body": "b", "class": "normal", "sent": 1, "held_since": 1000,
               "lease_until": 601000, "thread": "0000000000abc", "hops": 0, "attempts": 0}

    def setUp(self):
        self.lock = threading.Lock()
        self.held, self.done, self.calls, self.lose = [], [], [], set()

    def answer(self, method, path, headers, body):
        name = path.split("?")[0].rsplit("/", 1)[1]
        with self.lock:
            self.calls.append(name)
            number = self.calls.count(name)
            taken = [self.MESSAGE] if name == "next" and not self.done and not self.held else []
            self.held = self.held or taken
            if name == "done":
                self.done.append(json.loads(body))
                self.held = []
            if (name, number) in self.lose:
                return None
            if name == "inbox":
                return 200, {"held": self.held, "queued": [], "total": 0}
            if name == "done":
                return 200, {"id": self.MESSAGE["id"], "role": "gates", "state": "done"}
            if name == "renew":
                return 200, {"id": self.MESSAGE["id"], "lease_until": 601000, "lease_ms": 600000}
            return (200, {"messages": taken}) if taken else (204, None)

    def test_a_message_whose_taking_was_not_answered_is_found_and_worked_on(self):
        self.lose = {("next", 1)}
        with ScriptedServer(self.answer) as server:
            done = server.run("work", "gates", "--once", "--", "echo", "hello")
        self.assertEqual((done.returncode, done.stdout), (OK, "0000000000abc done\n"), done.stderr)
        self.assertEqual(self.done, [{"id": "0000000000abc", "reply": "hello\n", "held_since": 1000}])

    def test_a_message_that_is_held_at_the_start_is_worked_on_before_any_other(self):
        self.held = [self.MESSAGE]
        with ScriptedServer(self.answer) as server:
            done = server.run("work", "gates", "--once", "--", "sh", "-c", "sleep 0.2; echo hello")
        self.assertEqual((done.returncode, done.stdout), (OK, "0000000000abc done\n"), done.stderr)
        self.assertEqual(self.calls, ["inbox", "renew", "done"])

    def test_an_end_that_was_not_answered_is_told_again(self):
        self.lose = {("done", 1), ("done", 2)}
        with ScriptedServer(self.answer) as server:
            done = server.run("work", "gates", "--once", "--", "echo", "hello")
        self.assertEqual((done.returncode, done.stdout), (OK, "0000000000abc done\n"), done.stderr)
        self.assertEqual(self.done, [{"id": "0000000000abc", "reply": "hello\n", "held_since": 1000}] * 3)


if __name__ == "__main__":
    unittest.main()
