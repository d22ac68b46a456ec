# SPDX-License-Identifier: MIT
"""How messages and what becomes of them read in the `troupe` program, against a server that answers what each
test scripts."""

import json
import time
import unittest

from cli_support import (
    AGAIN, HOUR_MS, MESSAGE, NOT_ALLOWED, NOW_MS, OK, PROTOCOL, RECEIPT, USAGE, AnswerCase, ScriptedServer,
    answering,
)


class Messages(AnswerCase):
    def text(self, arguments, answer, status=OK, **more):
        with answering(200, answer) as server:
            return self.check(server, arguments, status, **more).stdout

    def test_receipt_says_where_the_message_stands(self):
        arguments = ["send", "docs", "-s", "Hi"]
        self.assertEqual(self.text(arguments, RECEIPT),
                         "0000000000abc accepted by docs, position 3, held by ann\n"
                         "done after 2 h by experience, in 95 of 100 cases within 1 d\n")
        plain = {"id": "0000000000abc", "role": "docs", "state": "accepted", "position": 1, "holder": None}
        self.assertEqual(self.text(arguments, plain),
                         "0000000000abc accepted by docs, position 1, held by nobody\n")
        away = self.text(arguments, {**plain, "availability": "absent"})
        self.assertEqual(away, "0000000000abc accepted by docs, position 1, whose holders are all away\n")
        again = self.text(arguments, {**plain, "duplicate": True})
        self.assertIn(" was sent before: accepted by docs", again)

    def test_redirected_message_was_not_taken_in(self):
        answer = {"role": "docs", "state": "redirected", "redirect_to": "ops"}
        with answering(200, answer) as server:
            done = self.check(server, ["send", "docs", "-s", "Hi"], AGAIN)
            self.assertEqual((done.stdout, done.stderr),
                             ("", "troupe send: docs is full and asks to send to ops instead\n"))
            done = self.check(server, ["send", "docs", "-s", "Hi", "--json"], AGAIN)
            self.assertEqual(json.loads(done.stdout), answer)
        with answering(200, {"role": "docs", "state": "redirected"}) as server:
            self.check(server, ["send", "docs", "-s", "Hi"], PROTOCOL)

    def test_message_reads_like_a_letter(self):
        self.assertEqual(self.text(["next"], {"messages": [MESSAGE]}), (
            "Message     0000000000abc\n"
            "To          docs\n"
            "From        ann, 3 h ago\n"
            "Subject     Mend the gate\n"
            "Class       urgent\n"
            "Deadline    in 2 h\n"
            "Yours until in 3 d\n"
            "In reply to 0000000000000\n"
            "Failures    2\n"
            "\n"
            "It squeaks.\n"
            "\n"
            "Since **Monday**.\n"))

    def test_escalation_says_what_failed_where_and_why(self):
        message = {**MESSAGE, "kind": "escalation", "origin": {"role": "ops", "id": "0000000000abd"},
                   "note": "exit status 3\n\nno such file", "insisted": True}
        text = self.text(["next"], {"messages": [message]})
        self.assertIn("\nSubject     Mend the gate\nFailed in   ops 0000000000abd\n", text)
        self.assertIn("\nInsisted    sent although the mailbox was full\n", text)
        end = "\n\nWhy it failed:\nexit status 3\n\nno such file\n\nIt squeaks.\n\nSince **Monday**.\n"
        self.assertTrue(text.endswith(end), text)

    def test_answer_says_how_it_went_and_forwarded_message_where_it_was(self):
        origin = {"role": "ops", "id": "0000000000abd"}
        answer = {**MESSAGE, "kind": "answer", "outcome": "declined", "origin": origin}
        text = self.text(["next"], {"messages": [answer]})
        self.assertIn("\nAnswers     ops 0000000000abd: declined\n", text)
        forwarded = {**MESSAGE, "kind": "message", "origin": origin, "note": "Rather yours", "body": "",
                     "attachments": "one.pdf\ntwo.pdf"}
        text = self.text(["next"], {"messages": [forwarded]})
        self.assertIn("\nCame from   ops 0000000000abd\n", text)
        self.assertTrue(text.endswith("\n\nA note:\nRather yours\n\nAttached:\none.pdf\ntwo.pdf\n"), text)

    def posted(self, path, arguments, answer, **more):
        with answering(200, answer) as server:
            text = self.check(server, arguments, **more).stdout
            self.assertEqual([request[:2] for request in server.requests], [("POST", path)])
            return json.loads(server.requests[0][3]), text

    def test_held_message_is_put_off_until_a_time_or_another_ends(self):
        parked = {"id": "x", "role": "docs", "state": "parked"}
        body, text = self.posted("/v1/defer", ["defer", "x", "--until", "2h", "-m", "-"], parked, stdin="why")
        self.assertAlmostEqual(body.pop("until"), int(time.time() * 1000) + 2 * HOUR_MS, delta=10000)
        self.assertEqual((body, text), ({"id": "x", "reason": "why"}, "x parked\n"))
        body, _ = self.posted("/v1/defer", ["defer", "x", "-a", "y"], parked)
        self.assertEqual(body, {"id": "x", "awaits": "y"})
        with answering(200, parked) as server:
            done = self.check(server, ["defer", "x"], USAGE)
            self.assertIn("--until WHEN or --awaits ID is missing", done.stderr)
            done = self.check(server, ["defer", "x", "--until", "soon"], USAGE)
            self.assertIn("--until 'soon'", done.stderr)
            self.assertEqual(server.requests, [])

    def test_failure_has_a_reason_and_a_supervisor_resolves_it(self):
        failed = {"id": "x", "state": "quarantined"}
        body, text = self.posted("/v1/fail", ["fail", "x", "-m", "broken"], failed)
        self.assertEqual((body, text), ({"id": "x", "reason": "broken"}, "x quarantined\n"))
        with answering(200, {}) as server:
            self.assertIn("-m REASON is missing", self.check(server, ["fail", "x"], USAGE).stderr)
        body, text = self.posted("/v1/resolve", ["resolve", "y", "reassign", "-m", "again"],
                                 {"id": "y", "state": "done"})
        self.assertEqual((body, text), ({"id": "y", "action": "reassign", "reason": "again"}, "y done\n"))

    def test_renewed_hold_says_for_how_long(self):
        answer = {"id": "x", "state": "held", "lease_until": NOW_MS, "lease_ms": 26 * HOUR_MS}
        self.assertEqual(self.posted("/v1/renew", ["renew", "x"], answer),
                         ({"id": "x"}, "x held, for 1 d from now\n"))

    def test_done_with_next_prints_the_next_message(self):
        text = self.text(["done", "x", "--next"], {"id": "x", "state": "done", "messages": [MESSAGE]})
        self.assertTrue(text.startswith("x done\n\nMessage     0000000000abc\n"), text)

    def test_forward_says_where_it_went(self):
        answer = {"id": "x", "state": "forwarded", "forwarded_to": {"role": "ops", "id": "0000000000abd"}}
        self.assertEqual(self.text(["forward", "x", "ops"], answer), "x forwarded to ops as 0000000000abd\n")

    def test_inbox_stands_in_columns(self):
        normal = {**MESSAGE, "class": "normal"}
        queued = [{**normal, "id": f"000000000000{i}", "subject": "S" * i} for i in (1, 2)]
        self.assertEqual(self.text(["inbox"], {"held": [MESSAGE], "queued": queued, "total": 1234}), (
            "held\n"
            "ID             CLASS   ROLE  FROM  SENT     SUBJECT\n"
            "0000000000abc  urgent  docs  ann   3 h ago  Mend the gate\n"
            "1,234 waiting, the first 2\n"
            "ID             CLASS   ROLE  FROM  SENT     SUBJECT\n"
            "0000000000001  normal  docs  ann   3 h ago  S\n"
            "0000000000002  normal  docs  ann   3 h ago  SS\n"))
        self.assertEqual(self.text(["inbox"], {"held": [], "queued": [], "total": 0}),
                         "nothing held\nnothing waits\n")


NOTICE = {"number": 12345, "at": NOW_MS, "kind": "urgent",
          "roles": [{"role": "docs", "queued": 1, "oldest": NOW_MS - HOUR_MS - 1000, "urgent": 1}]}


class Notices(AnswerCase):
    def test_number_of_a_notice_is_one_that_after_takes(self):
        answer = {"notices": [NOTICE], "last": 12345}
        with answering(200, answer) as server:
            text = self.check(server, ["notices"]).stdout
            self.assertRegex(text, r"\A12345 urgent, .*\n  docs: 1 waits, 1 urgent, sent 1 h ago")
            self.check(server, ["notices", "--after", text.split()[0]])
            self.assertIn("after=12345", server.requests[-1][1])

    def test_notices_without_a_member_are_not_shown_in_part(self):
        (role,) = NOTICE["roles"]
        cases = [({**NOTICE, name: None}, name) for name in ("number", "at", "kind", "roles")]
        cases += [({**NOTICE, "roles": [{**role, name: None}]}, name)
                  for name in ("role", "queued", "oldest", "urgent")]
        for notice, name in cases:
            with answering(200, {"notices": [NOTICE, notice], "last": 12346}) as server:
                done = self.check(server, ["notices"], PROTOCOL)
                self.assertEqual(done.stdout, "", name)
                self.assertIn(f'no usable "{name}"', done.stderr)
        with answering(200, {"last": 1}) as server:
            self.assertEqual(self.check(server, ["notices"], PROTOCOL).stdout, "")

    def test_server_that_is_away_is_told_once_however_long(self):
        away = {"status": 503, "detail": "the server is stopping"}
        second = {**NOTICE, "number": 12346}
        answers = [(200, {"notices": [NOTICE], "last": 12345}), (503, away), (503, away),
                   (200, {"notices": [second], "last": 12346}), (401, {"detail": "the token has ended"})]
        with ScriptedServer(lambda *_: answers.pop(0)) as server:
            done = self.check(server, ["notices", "--follow", "--json"], NOT_ALLOWED)
        self.assertEqual(done.stderr, (
            "troupe notices: the server is stopping\n"
            "troupe notices: trying again until it answers\n"
            "troupe notices: the server answers again\n"
            "troupe notices: the token has ended\n"))
        said = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([one.get("last", one.get("detail")) for one in said],
                         [12345, "the server is stopping", 12346, "the token has ended"])


if __name__ == "__main__":
    unittest.main()
