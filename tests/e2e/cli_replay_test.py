# SPDX-License-Identifier: MIT
"""`troupe replay` against a mailbox in memory that is full, slow to come back, or loses answers at an exact
moment: every row is handled exactly once whatever is lost, and what is wrong is said."""

import json
import os
import tempfile
import threading
import time
import unittest

from cli_support import (
    AGAIN, DATA, FAILED, INPUT, OK, PATCH_HEADER, PROTOCOL, UNREACHABLE, USAGE, MailboxServer, ScriptedServer,
    patch_rows,
)


class ReplayCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="troupe-cli-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "patches.csv")

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def replay(self, server, *arguments, status=OK):
        """Runs a replay to its end; gives the report."""
        done = server.run("replay", self.path, "--role", server.role, "--json", *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def check_exactly_once(self, server, report, count):
        keys = sorted(server.finished)
        self.assertEqual(keys, sorted(f"patches.csv:{row}" for row in range(1, count + 1)))
        self.assertEqual(report["rows"], count)
        self.assertEqual(
            report["check"], {"exactly_once": True, "missing": 0, "doubled": 0, "conserved": True})


class Replay(ReplayCase):
    def test_every_row_is_sent_and_finished_once(self):
        self.write(patch_rows(1234))
        with MailboxServer() as server:
            report = self.replay(server)
            self.check_exactly_once(server, report, 1234)
            self.assertEqual((report["sent"], report["handled"], report["duplicates"]), (1234, 1234, 0))
            self.assertEqual(report["others"], 0)
            self.assertGreaterEqual(report["wait"]["p95_ms"], report["wait"]["median_ms"])
            # Arrays, not one request a row.
            self.assertLess(sum(server.calls.values()), 1234)

    def test_message_says_who_sent_the_patch(self):
        self.write(PATCH_HEADER + '10,20,p0004,p0001,2,"a,b.c"\n11,12,p5,p6,1,\n')
        with MailboxServer() as server:
            self.replay(server)
            first, second = server.messages.values()
            self.assertEqual(first["subject"], "a,b.c (2 files)")
            self.assertEqual(json.loads(first["body"]), {
                "file": "patches.csv", "row": 1, "sender": "p0004", "integrator": "p0001", "sent_unix": 10,
                "done_unix": 20, "files": 2, "first_path": "a,b.c"})
            self.assertEqual(second["subject"], "no path (1 file)")

    def test_missing_role_is_made_with_its_team_and_program(self):
        self.write(patch_rows(3))
        with MailboxServer(exists=False) as server:
            report = self.replay(server, "--program", "robot")
            self.assertEqual(report["program"], "robot")
            self.assertEqual(server.actors["robot"]["kind"], "program")
            self.assertEqual(server.roles["git"].get("team"), True)
            self.assertEqual(server.roles["git/integration"]["parent"], "git")
            self.assertEqual(server.roles["git/integration"]["holders"], ["robot"])
            self.assertNotIn("capacity", server.roles["git/integration"])

    def test_program_is_named_after_the_role(self):
        self.write(patch_rows(1))
        with MailboxServer(exists=False) as server:
            self.assertEqual(self.replay(server)["program"], "git-integration")

    def test_refused_rows_are_sent_again(self):
        self.write(patch_rows(500))
        with MailboxServer(capacity=30) as server:
            report = self.replay(server)
            self.check_exactly_once(server, report, 500)
            self.assertGreater(report["refused"], 0)

    def test_rows_that_wait_hold_back_the_rows_behind_them(self):
        self.write(patch_rows(1000))
        with MailboxServer(capacity=150) as server:
            report = self.replay(server)
            self.check_exactly_once(server, report, 1000)
            self.assertGreater(report["refused"], 0)
            self.assertLess(report["refused"], 5000)
            rows = [int(key.split(":")[1]) for key in server.finished]
            self.assertLess(sum(other < one for one, other in zip(rows, rows[1:])), 25)

    def test_messages_overlooked_by_the_server_are_asked_for_again(self):
        self.write(patch_rows(600))
        with MailboxServer(capacity=120) as server:
            take, asked = server.take, []

            def overlook(actor):
                asked.append(actor)
                return [] if len(asked) % 100 < 60 else take(actor)

            server.take = overlook
            started = time.monotonic()
            report = self.replay(server)
            self.check_exactly_once(server, report, 600)
            self.assertLess(time.monotonic() - started, 30)

    def test_small_wip_limit_is_kept(self):
        self.write(patch_rows(40))
        for limit in (1, 7):
            with MailboxServer(wip_limit=limit) as server:
                report = self.replay(server)
                self.check_exactly_once(server, report, 40)
                self.assertEqual(server.asked_too_much, 0)

    def test_held_messages_given_again_are_finished_once(self):
        # The limit was lowered since the program asked for it: `next` gives what is held already.
        self.write(patch_rows(300))
        with MailboxServer() as server:
            server.wip_limit = 5
            refused = []
            finish = server.do_done

            def done(content, actor):
                status, answer = finish(content, actor)
                if status == 409:
                    refused.append(content["id"])
                return status, answer

            server.do_done = done
            report = self.replay(server)
            self.check_exactly_once(server, report, 300)
            self.assertGreater(server.asked_too_much, 0)
            self.assertEqual(refused, [])

    def test_second_run_finds_everything_done(self):
        self.write(patch_rows(250))
        with MailboxServer() as server:
            self.replay(server)
            report = self.replay(server)
            self.check_exactly_once(server, report, 250)
            self.assertEqual((report["sent"], report["handled"]), (0, 0))
            self.assertEqual((report["duplicates"], report["found_done"]), (250, 250))
            self.assertIsNone(report["wait"]["median_ms"])

    def test_messages_left_in_hand_are_finished_by_the_next_run(self):
        self.write(patch_rows(30))
        with MailboxServer() as server:
            for row in range(1, 21):
                server.do_send({"to": server.role, "subject": "s", "key": f"patches.csv:{row}",
                                "body": json.dumps({"file": "patches.csv", "row": row})}, "root")
            for _ in range(10):
                server.do_next({}, "robot")
            report = self.replay(server)
            self.check_exactly_once(server, report, 30)
            self.assertEqual((report["sent"], report["duplicates"], report["handled"]), (10, 20, 30))

    def test_messages_of_others_are_handled_and_counted_apart(self):
        self.write(patch_rows(5))
        with MailboxServer() as server:
            server.do_send({"to": server.role, "subject": "s", "key": "other", "body": "not a row"}, "root")
            report = self.replay(server)
            self.assertEqual((report["handled"], report["others"]), (5, 1))

    def test_recorded_pace_is_kept(self):
        # Ten rows, a minute apart, 600 times as fast: nine tenths of a second.
        self.write(patch_rows(10))
        with MailboxServer() as server:
            started = time.monotonic()
            report = self.replay(server, "--speed", "600")
            self.assertGreaterEqual(time.monotonic() - started, 0.9)
            self.check_exactly_once(server, report, 10)

    def test_rows_sent_before_cost_no_time_at_a_pace(self):
        # A day apart: only the two rows that are new are paced, and the first of them is due at once.
        self.write(patch_rows(42, step=86400))
        with MailboxServer() as server:
            for row in range(1, 41):
                server.do_send({"to": server.role, "subject": "s", "key": f"patches.csv:{row}",
                                "body": json.dumps({"file": "patches.csv", "row": row})}, "root")
            started = time.monotonic()
            report = self.replay(server, "--speed", "172800")
            seconds = time.monotonic() - started
            self.check_exactly_once(server, report, 42)
            self.assertGreaterEqual(seconds, 0.5)
            self.assertLess(seconds, 15)

    def test_report_is_readable_as_text(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            done = server.run("replay", self.path, "--role", server.role)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertRegex(done.stdout, r"(?m)^rows +3$")
            self.assertRegex(done.stdout, r"(?m)^refused and retried +0$")
            self.assertRegex(done.stdout, r"(?m)^median wait +\d+ ms$")
            self.assertIn("every row was handled exactly once\n", done.stdout)
            self.assertIn("the server's check: nothing is lost\n", done.stdout)


class ReplayLoses(ReplayCase):
    """One lost answer at a time, on each path, before and after the server did what was asked."""

    def check_loss(self, lose, count=450):
        self.write(patch_rows(count))
        with MailboxServer(lose=lose) as server:
            report = self.replay(server)
            self.check_exactly_once(server, report, count)
            self.assertEqual(report["handled"] + report["found_done"], count)
            return report

    def test_lost_receipts_do_not_double_a_message(self):
        report = self.check_loss(
            lambda path, number: "after" if path == "/v1/send" and number == 2 else None)
        self.assertGreaterEqual(report["duplicates"], 1)

    def test_lost_sends_are_sent_again(self):
        self.check_loss(lambda path, number: "before" if path == "/v1/send" and number in (1, 4) else None)

    def test_messages_taken_unseen_are_found_again(self):
        self.check_loss(lambda path, number: "after" if path == "/v1/next" and number == 1 else None)

    def test_finished_unseen_is_not_finished_again(self):
        report = self.check_loss(
            lambda path, number: "after" if path == "/v1/done" and number in (1, 3) else None)
        self.assertGreaterEqual(report["found_done"], 1)

    def test_lost_look_ups_are_repeated(self):
        lost = []

        def lose(path, number):
            if path == "/v1/done" and number == 1 or path == "/v1/message" and number in (1, 5):
                lost.append(path)
                return "after"
            return None

        self.check_loss(lose)
        self.assertEqual(lost.count("/v1/message"), 2)

    def test_many_losses_still_end_exactly_once(self):
        faults = {1: "before", 2: "after"}
        lossy = ("/v1/send", "/v1/next", "/v1/done")
        report = self.check_loss(
            lambda path, number: faults.get(number % 5) if path in lossy else None)
        self.assertGreaterEqual(report["outages"], 2)  # the first request and its repetition

    def test_server_that_stops_in_order_is_waited_for(self):
        self.write(patch_rows(50))
        with MailboxServer() as server:
            asked = server.answer
            stopped = []

            def answer(method, path, headers, body):
                if path == "/v1/send" and len(stopped) < 3:
                    stopped.append(path)
                    return 503, {"status": 503, "detail": "stopping"}
                return asked(method, path, headers, body)

            server.answer = answer
            report = self.replay(server)
            self.check_exactly_once(server, report, 50)
            self.assertGreaterEqual(report["outages"], 1)


class ReplayEnds(ReplayCase):
    """Ends that are not a success: each says what and where, with its exit status."""

    def test_file_is_read_to_its_end_before_anything_is_sent(self):
        self.write(patch_rows(200) + "1,2,a,b,x,p\n")
        with MailboxServer() as server:
            trouble = self.replay(server, status=DATA)
            self.assertIn(f"{self.path}:202: files is 'x': not a whole number", trouble)
            self.assertEqual(server.calls, {})

    def test_file_that_is_not_there_is_named(self):
        with MailboxServer() as server:
            trouble = self.replay(server, status=INPUT)
            self.assertIn(f"{self.path}: No such file or directory", trouble)

    def test_role_of_a_person_is_left_alone(self):
        self.write(patch_rows(3))
        with MailboxServer(kind="person") as server:
            trouble = self.replay(server, status=FAILED)
            self.assertIn("git/integration is held by robot, who is not a program", trouble)
            self.assertEqual(server.messages, {})

    def test_role_that_nobody_holds_is_refused(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            server.roles[server.role]["holder"] = None
            self.assertIn("nobody holds git/integration", self.replay(server, status=FAILED))

    def leave_at(self, server, path_of_leaving):
        """From the first request for this path on, nobody answers any more."""
        asked = server.answer
        gone = threading.Event()

        def answer(method, path, headers, body):
            if path == path_of_leaving and not gone.is_set():
                gone.set()
                threading.Thread(target=server.server.shutdown).start()
                server.server.socket.close()
            return None if gone.is_set() else asked(method, path, headers, body)

        server.answer = answer

    def test_server_that_stays_away_ends_the_run_after_its_patience(self):
        self.write(patch_rows(300))
        with MailboxServer() as server:
            self.leave_at(server, "/v1/done")
            started = time.monotonic()
            trouble = self.replay(server, "--patience", "1", status=UNREACHABLE)
            self.assertGreaterEqual(time.monotonic() - started, 1)
            self.assertIn("does not come back within 1 s; 0 of 300 rows are handled", trouble)

    def test_server_that_fails_one_call_for_ever_ends_the_run(self):
        self.write(patch_rows(300))
        with MailboxServer(lose=lambda path, number: "before" if path == "/v1/done" else None) as server:
            trouble = self.replay(server, "--patience", "1", status=AGAIN)
            self.assertIn("nothing has moved for 1 s; 0 of 300 rows are handled", trouble)

    def test_mailbox_that_stays_full_ends_the_run_after_its_patience(self):
        self.write(patch_rows(3))
        with MailboxServer(capacity=0) as server:
            trouble = self.replay(server, "--patience", "1", status=AGAIN)
            self.assertIn("nothing has moved for 1 s; 0 of 3 rows are handled", trouble)

    def test_lost_message_ends_with_status_one(self):
        self.write(patch_rows(10))
        with MailboxServer() as server:
            finish = server.do_done

            def done(content, actor):
                message = server.messages[content["id"]]
                if message["key"] == "patches.csv:7":
                    message["state"] = "expired"
                    server.held.pop(content["id"], None)
                    return 409, {"status": 409}
                return finish(content, actor)

            server.do_done = done
            report = self.replay(server, status=FAILED)
            self.assertEqual((report["handled"], report["check"]["missing"]), (9, 1))
            self.assertFalse(report["check"]["exactly_once"])

    def test_doubled_message_ends_with_status_one(self):
        self.write(patch_rows(10))
        with MailboxServer() as server:
            accept = server.do_send

            def send(content, actor):
                answer = accept(content, actor)
                if content["key"] == "patches.csv:7":
                    accept({**content, "key": "again"}, actor)
                return answer

            server.do_send = send
            report = self.replay(server, status=FAILED)
            self.assertGreaterEqual(report["check"]["doubled"], 1)

    def test_server_that_does_not_conserve_ends_with_status_one(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            server.do_check = lambda *_: (200, {"conserved": False})
            self.assertFalse(self.replay(server, status=FAILED)["check"]["conserved"])

    def test_key_with_other_content_is_named_by_its_row(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            server.do_send = lambda *_: (409, {"status": 409, "detail": "the key belongs to another message"})
            trouble = self.replay(server, status=FAILED)
            self.assertIn("row 1: the key belongs to another message", trouble)

    def test_answer_with_too_few_items_is_not_believed(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            asked = server.answer
            server.answer = lambda method, path, headers, body: (
                (200, []) if path == "/v1/send" else asked(method, path, headers, body))
            self.assertIn("3 sends, and 0 receipts", self.replay(server, status=PROTOCOL))

    def test_receipt_without_an_id_is_not_believed(self):
        self.write(patch_rows(3))
        with MailboxServer() as server:
            server.do_send = lambda *_: (202, {"state": "accepted"})
            self.assertIn("row 1: the receipt has no usable \"id\"", self.replay(server, status=PROTOCOL))

    def test_wrong_options_are_refused_with_what_they_may_be(self):
        self.write(patch_rows(1))
        with ScriptedServer(lambda *_: (500, {})) as server:
            for arguments, trouble in (
                ((), "--role ROLE is missing"),
                (("--role", "r", "--speed", "fast"), "--speed 'fast'"),
                (("--role", "r", "--speed", "0"), "--speed '0'"),
                (("--role", "r", "--speed", "-1"), "--speed '-1'"),
                (("--role", "r", "--speed", "nan"), "--speed 'nan'"),
                (("--role", "r", "--patience", "0"), "--patience '0'"),
                (("--role", "r" * 129), "the role's name is longer than 128 bytes"),
                (("--role", "r", "--program", "p" * 129), "the program's name is longer than 128 bytes"),
            ):
                done = server.run("replay", self.path, *arguments)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertIn(trouble, done.stderr)
            self.assertEqual(server.requests, [])

    def test_long_file_name_is_refused_since_it_is_part_of_the_key(self):
        for length, status in ((100, OK), (101, USAGE)):
            self.path = os.path.join(os.path.dirname(self.path), "x" * length)
            self.write(patch_rows(1))
            with MailboxServer() as server:
                self.replay(server, status=status)


if __name__ == "__main__":
    unittest.main()
