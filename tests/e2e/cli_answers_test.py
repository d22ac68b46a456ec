# SPDX-License-Identifier: MIT
"""The `troupe` program against a server that answers what each test scripts: which request a verb makes, how
an answer reads, how each kind of failure ends, and that no answer is believed that makes no sense."""

import json
import os
import socket
import subprocess
import threading
import time
import unittest

from cli_support import (
    AGAIN, BIN, DATA, EMPTY, FAILED, HOUR_MS, INPUT, MESSAGE, NOT_ALLOWED, OK, PROTOCOL, RECEIPT, UNREACHABLE,
    USAGE, AnswerCase, ScriptedServer, answering, environment, free_port, run, run_on_terminal,
)

TREE = {"roles": [
    {"name": "acme", "parent": None, "supervisor": None, "team": True, "holders": ["ann"], "holder": "ann",
     "vacant": False, "capacity": 20, "queued": 0, "held": 0},
    {"name": "docs", "parent": "acme", "supervisor": "acme", "team": False,
     "holders": ["bob", "ann", "eve"], "holder": "bob", "vacant": False, "capacity": 20,
     "queued": 3, "held": 1, "oldest_ms": 5 * HOUR_MS},
    {"name": "docs/maps", "parent": "docs", "supervisor": "acme", "team": False, "holders": [],
     "holder": None, "vacant": True, "capacity": 20, "queued": 1, "held": 0, "oldest_ms": 60000},
    {"name": "ops", "parent": "acme", "supervisor": "acme", "team": False, "holders": ["eve"], "holder": None,
     "vacant": False, "capacity": 7, "queued": 0, "held": 0},
]}


class Alarms(AnswerCase):
    """Whoever looks at a mailbox or the tree sees that a role has an alarm."""

    def test_one_line_below_the_inbox_tells_of_alarms(self):
        empty = {"held": [], "queued": [], "total": 0}
        for alarms, said in ((0, ""), (1, "1 role has an alarm: troupe health\n"),
                             (1200, "1,200 roles have an alarm: troupe health\n")):
            with answering(200, {**empty, "alarms": alarms}) as server:
                done = self.check(server, ["inbox"])
                self.assertEqual(done.stdout, "nothing held\nnothing waits\n" + said)

    def test_one_line_below_the_tree_tells_of_alarms_shown(self):
        roles = [{**role, "alarm": role["name"] != "acme"} for role in TREE["roles"]]
        alarms = len(roles) - 1
        with answering(200, {"roles": roles}) as server:
            text = self.check(server, ["tree"]).stdout
            self.assertTrue(text.endswith(f"\n{alarms} roles have an alarm: troupe health\n"), text)
            text = self.check(server, ["tree", "ops"]).stdout
            self.assertTrue(text.endswith("\n1 role has an alarm: troupe health\n"), text)
            self.assertEqual(len(server.requests), 2)


class Requests(AnswerCase):
    """What each verb asks for."""

    def request(self, arguments, answer, stdin="", status=OK, behind=()):
        with answering(200, answer) as server:
            self.check(server, arguments, stdin=stdin, status=status)
            self.assertEqual([path for _, path, _, _ in server.requests[1:]], list(behind))
            method, path, headers, body = server.requests[0]
            self.headers = headers
            return method, path, body.decode()

    def posted(self, path, arguments, answer, stdin=""):
        method, asked, body = self.request(arguments, answer, stdin)
        self.assertEqual((method, asked), ("POST", path))
        self.assertEqual(self.headers["Content-Type"], "application/json")
        return json.loads(body)

    def test_send_carries_every_option(self):
        body = self.posted("/v1/send", [
            "send", "docs", "-s", "Grüße", "-c", "bulk", "--deadline", "2h", "--key", "k:1", "--insist",
            "--in-reply-to", "0000000000000", "-a", "one.pdf\ntwo.pdf", "--no-reply", "the body"], RECEIPT)
        self.assertAlmostEqual(body.pop("deadline"), int(time.time() * 1000) + 2 * HOUR_MS, delta=10000)
        self.assertEqual(body, {
            "to": "docs", "subject": "Grüße", "class": "bulk", "key": "k:1", "insist": True,
            "in_reply_to": "0000000000000", "body": "the body", "attachments": "one.pdf\ntwo.pdf",
            "reply": False})

    def test_send_leaves_out_what_was_not_given(self):
        self.assertEqual(self.posted("/v1/send", ["send", "docs", "-s", "Hi"], RECEIPT),
                         {"to": "docs", "subject": "Hi"})

    def test_body_is_read_from_standard_input(self):
        body = self.posted("/v1/send", ["send", "docs", "-s", "Hi", "-"], RECEIPT, stdin="two\nlines\n")
        self.assertEqual(body["body"], "two\nlines\n")

    def test_next_names_the_role_only_when_given(self):
        messages = {"messages": [MESSAGE]}
        self.assertEqual(self.posted("/v1/next", ["next"], messages), {})
        self.assertEqual(self.posted("/v1/next", ["next", "docs"], messages), {"role": "docs"})
        self.assertEqual(self.posted("/v1/next", ["next", "--wait", "60"], messages), {"wait_ms": 60000})

    def test_done_takes_its_reply_in_three_ways(self):
        state = {"id": "0000000000abc", "state": "done"}
        plain = {"id": "0000000000abc"}
        self.assertEqual(self.posted("/v1/done", ["done", "0000000000abc"], state), plain)
        for arguments in (["-m", "yes"], ["-"], ["-m", "-"]):
            self.assertEqual(
                self.posted("/v1/done", ["done", "0000000000abc", *arguments], state, stdin="yes"),
                {**plain, "reply": "yes"})
        self.assertEqual(self.posted("/v1/done", ["done", "0000000000abc", "--next"], state),
                         {**plain, "next": True})

    def test_decline_and_forward_say_why_and_where(self):
        self.assertEqual(
            self.posted("/v1/decline", ["decline", "x", "-m", "no"], {"id": "x", "state": "declined"}),
            {"id": "x", "reason": "no"})
        self.assertEqual(
            self.posted("/v1/forward", ["forward", "x", "ops", "-m", "yours"],
                        {"id": "x", "state": "forwarded", "forwarded_to": {"role": "ops"}}),
            {"id": "x", "to": "ops", "note": "yours"})

    def test_questions_are_percent_encoded(self):
        inbox = {"held": [], "queued": [], "total": 0}
        whoami = ["/v1/whoami"]  # for the alarms
        self.assertEqual(self.request(["inbox"], inbox, behind=whoami)[:2], ("GET", "/v1/inbox"))
        self.assertEqual(self.request(["inbox", "a/b"], inbox, behind=whoami)[:2],
                         ("GET", "/v1/inbox?role=a%2Fb"))
        self.assertEqual(self.request(["inbox", "--json"], inbox)[:2], ("GET", "/v1/inbox"))
        owners = {"path": "p", "owners": []}
        self.assertEqual(self.request(["owner", "a b&c=ü", "--all"], owners, status=FAILED)[1],
                         "/v1/owner?path=a%20b%26c%3D%C3%BC&all=1")

    def test_import_sends_the_file_as_it_is(self):
        path = self.write("MAINTAINERS", "A\nM:\tü\n")
        asked = self.request(["import", "maintainers", path, "--team", "linux"], {"domains": 1})
        self.assertEqual(asked, ("POST", "/v1/import/maintainers?team=linux", "A\nM:\tü\n"))
        self.assertEqual(self.headers["Content-Type"], "text/plain; charset=utf-8")
        asked = self.request(["import", "maintainers", "-"], {"domains": 1}, stdin="text")
        self.assertEqual(asked[2], "text")
        path = self.write("organisation.json", '{"actors": [], "roles": []}')
        self.assertEqual(
            self.posted("/v1/import/organisation", ["import", "organisation", path], {"actors": 0}),
            {"actors": [], "roles": []})

    def test_token_and_name_travel_in_headers(self):
        self.request(["tree", "--as", "bob"], TREE)
        self.assertEqual(self.headers["Authorization"], "Bearer scripted-token")
        self.assertEqual(self.headers["Troupe-As"], "bob")
        self.request(["tree"], TREE)
        self.assertIsNone(self.headers["Troupe-As"])


class Texts(AnswerCase):
    """How an answer reads."""

    def text(self, arguments, answer, status=OK, **more):
        with answering(200, answer) as server:
            return self.check(server, arguments, status, **more).stdout

    def test_role_tells_its_holders_its_room_and_who_insisted(self):
        role = {
            "name": "docs", "supervisor": "acme", "holder": None, "availability": "absent", "capacity": 2,
            "holders": [{"name": "bob", "present": False}, {"name": "ann", "present": False}],
            "overflow": "redirect", "redirect_to": "ops", "alarm": True}
        head = ("Role        docs\nSupervisor  acme\nHeld by     nobody: all are away\n"
                "Succession  bob, away\n            ann, away\n")
        alarm = "Alarm       `troupe health` says why\n"
        room = "Room        2; when full: redirect to ops\n"
        # Without figures, which are not for everybody.
        self.assertEqual(self.text(["role", "docs"], role), head + room + alarm)
        whole = {
            **role, "occupied": 1234, "queued": 1233, "held": 1, "parked": 0, "quarantined": 2, "done": 5,
            "declined": 1, "forwarded": 0, "expired": 0, "shed": 0, "refused": 7, "insisted": 3,
            "failures": 4}
        self.assertEqual(self.text(["role", "docs"], whole), head + (
            "Room        1,234 of 2; when full: redirect to ops\n"
            "Now         1,233 queued, 1 held, 0 parked, 2 failed\n"
            "Ended       5 done, 1 declined, 0 forwarded, 0 expired, 0 pushed out\n"
            "Senders     7 refused, 3 insisted and got in\n"
            "Failures    4 in the roles that it supervises\n") + alarm)
        ruled = {**role, "on_fail": "decline", "on_absent": "wait", "own": ["absent"],
                 "rules": [{"on": ["fail"], "do": "retry"}]}
        self.assertEqual(self.text(["role", "docs"], ruled), head + room + (
            "Failing     fail decline, absent wait (its own)\n"
            "Rules       1 for the roles below: troupe rules docs\n") + alarm)
        for name in ("name", "holders", "capacity", "overflow"):
            with answering(200, {key: value for key, value in role.items() if key != name}) as server:
                self.assertEqual(self.check(server, ["role", "docs"], PROTOCOL).stdout, "")

    def test_tree_is_drawn_with_lines(self):
        self.assertEqual(self.text(["tree"], TREE), (
            "ROLE               QUEUED  HELD  OLDEST  HOLDER\n"
            "acme                 0/20     0          ann\n"
            "├── docs             3/20     1     5 h  bob (+2)\n"
            "│   └── docs/maps    1/20     0   1 min  vacant\n"
            "└── ops               0/7     0          -\n"))

    def test_tree_without_roles_says_how_they_come_in(self):
        self.assertEqual(self.text(["tree"], {"roles": []}), "no roles yet: troupe import brings them in\n")

    def test_tree_is_drawn_in_ascii_where_the_locale_is(self):
        text = self.text(["tree"], TREE, env={"LC_ALL": "C"})
        self.assertIn("|-- docs  ", text)
        self.assertIn("|   `-- docs/maps", text)

    def test_tree_of_a_role_is_what_hangs_below_it(self):
        self.assertEqual(self.text(["tree", "docs"], TREE), (
            "ROLE           QUEUED  HELD  OLDEST  HOLDER\n"
            "docs             3/20     1     5 h  bob (+2)\n"
            "└── docs/maps    1/20     0   1 min  vacant\n"))
        names = [role["name"] for role in json.loads(self.text(["tree", "docs", "--json"], TREE))["roles"]]
        self.assertEqual(names, ["docs", "docs/maps"])
        with answering(200, TREE) as server:
            done = self.check(server, ["tree", "nowhere"], FAILED)
            self.assertEqual(done.stderr, "troupe tree: there is no role nowhere\n")

    def test_owner_names_role_holder_and_deputies(self):
        owner = {"domain": "gates", "role": "docs", "holder": "bob", "deputies": ["ann", "eve"],
                 "title": "The gates", "pattern": "gates/*.c", "kind": "files"}
        orphan = {**owner, "domain": "all", "title": None, "holder": None, "deputies": [], "pattern": "*"}
        answer = {"path": "p", "owners": [owner, orphan]}
        self.assertEqual(self.text(["owner", "gates/a.c", "--all"], answer), (
            "DOMAIN     ROLE  HOLDER  DEPUTIES  PATTERN\n"
            "The gates  docs  bob     ann, eve  gates/*.c\n"
            "all        docs  vacant  -         *\n"))

    def test_import_counts_in_words(self):
        path = self.write("file", "{}")
        self.assertEqual(self.text(["import", "organisation", path], {"actors": 1234, "roles_made": 0}),
                         "1,234 people and programs, 0 roles made\n")

    def test_json_is_the_answer_in_one_line(self):
        for arguments, answer in (
                (["send", "docs", "-s", "Hi"], RECEIPT), (["next"], {"messages": [MESSAGE]}),
                (["tree"], TREE), (["inbox"], {"held": [], "queued": [], "total": 0}),
                (["done", "x"], {"id": "x", "more": [1]})):
            text = self.text([*arguments, "--json"], answer)
            self.assertEqual(text.count("\n"), 1)
            self.assertEqual(json.loads(text), answer)

    def test_other_peoples_text_cannot_reach_the_terminal(self):
        evil = "\x1b]0;owned\x07\u202e\u009b2J"
        message = {**MESSAGE, "subject": evil, "body": evil, "from": evil}
        for arguments, answer in (
                (["next"], {"messages": [message]}),
                (["inbox"], {"held": [message], "queued": [], "total": 0}),
                (["send", "docs", "-s", "Hi"], {**RECEIPT, "role": evil, "holder": evil}),
                (["tree"], {"roles": [{**TREE["roles"][0], "name": evil, "holder": evil}]})):
            text = self.text(arguments, answer)
            for mark in "\x1b\x07\u202e\u009b":
                self.assertNotIn(mark, text, arguments)
            self.assertIn("\\x1b", text)
        with answering(409, {"status": 409, "detail": evil}) as server:
            self.assertNotIn("\x1b", self.check(server, ["next"], FAILED).stderr)


class Terminal(AnswerCase):
    """Colours and widths, with a terminal as standard output."""

    def on_terminal(self, arguments, answer, columns=80, **more):
        with answering(200, answer) as server:
            env = environment(TROUPE_URL=server.url, TROUPE_TOKEN="t", TERM="xterm")
            env.update(more)
            status, text = run_on_terminal(*arguments, env=env, columns=columns)
            self.assertEqual(status, OK, text)
            return text

    def test_alarm_is_red_on_a_terminal(self):
        text = self.on_terminal(["tree"], TREE)
        self.assertIn("\x1b[31m│   └── docs/maps    1/20     0   1 min  vacant\x1b[0m\n", text)

    def test_full_is_what_counts_against_the_capacity(self):
        (role,) = [role for role in TREE["roles"] if role["name"] == "docs"]
        for queued, occupied, is_red in ((0, 20, True), (20, 19, False), (20, 0, False)):
            full = {**role, "parent": None, "queued": queued, "occupied": occupied}
            text = self.on_terminal(["tree"], {"roles": [full]})
            self.assertEqual("\x1b[31mdocs" in text, is_red, text)

    def test_no_color_and_dumb_terminals_get_plain_text(self):
        self.assertNotIn("\x1b", self.on_terminal(["tree"], TREE, NO_COLOR="1"))
        self.assertNotIn("\x1b", self.on_terminal(["tree"], TREE, TERM="dumb"))
        self.assertIn("\x1b", self.on_terminal(["tree"], TREE, NO_COLOR=""))

    def test_last_column_is_cut_to_the_terminal(self):
        answer = {"held": [], "queued": [{**MESSAGE, "subject": "x" * 200}], "total": 1}
        for columns in (60, 80, 132):
            text = self.on_terminal(["inbox"], answer, columns=columns, NO_COLOR="1")
            self.assertEqual(max(len(line) for line in text.split("\n")), columns)
            self.assertIn("x…\n", text)


class Problems(AnswerCase):
    """What was refused, and how the program ends."""

    def test_each_status_has_its_exit_status(self):
        for status, ending in ((400, FAILED), (401, NOT_ALLOWED), (403, NOT_ALLOWED), (404, FAILED),
                               (409, FAILED), (413, FAILED), (429, AGAIN), (500, FAILED), (503, AGAIN)):
            problem = {"title": "The title", "status": status, "detail": "the detail"}
            with answering(status, problem) as server:
                done = self.check(server, ["next"], ending)
                self.assertEqual((done.stdout, done.stderr), ("", "troupe next: the detail\n"))

    def test_refusal_says_when_to_try_again(self):
        problem = {"title": "Full", "status": 429, "detail": "docs holds 20 of 20", "retry_after_ms": 90000}
        with answering(429, problem) as server:
            done = self.check(server, ["send", "docs", "-s", "Hi"], AGAIN)
            self.assertEqual(done.stderr, "troupe send: docs holds 20 of 20; try again in 1 min\n")

    def test_person_is_told_of_insisting_when_a_mailbox_is_full(self):
        problem = {"title": "Full", "status": 429, "detail": "docs holds 20 of 20",
                   "type": "urn:troupe:problem:full"}
        for arguments, more in ((["send", "docs", "-s", "Hi"], "; people may --insist"),
                                (["send", "docs", "-s", "Hi", "--insist"], ""), (["next"], "")):
            with answering(429, problem) as server:
                done = self.check(server, arguments, AGAIN)
                self.assertEqual(done.stderr, f"troupe {arguments[0]}: docs holds 20 of 20{more}\n")

    def test_title_or_number_stand_in_for_a_missing_detail(self):
        for problem, text in (({"title": "The title"}, "The title"),
                              ({}, "the server answers with status 409")):
            with answering(409, problem) as server:
                self.assertEqual(self.check(server, ["next"], FAILED).stderr, f"troupe next: {text}\n")

    def test_problem_is_the_document_with_json(self):
        problem = {"title": "Full", "status": 429, "detail": "full"}
        with answering(429, problem) as server:
            done = self.check(server, ["send", "docs", "-s", "Hi", "--json"], AGAIN)
            self.assertEqual(json.loads(done.stdout), problem)
            self.assertEqual(done.stderr, "troupe send: full\n")

    def test_nothing_waiting_has_an_exit_status_of_its_own(self):
        with answering(204, None) as server:
            self.assertEqual(self.check(server, ["next"], EMPTY).stdout, "nothing waits\n")
            self.assertEqual(self.check(server, ["next", "--json"], EMPTY).stdout, '{"messages":[]}\n')

    def test_wait_goes_on_until_its_time_is_over(self):
        def poll(_, __, ___, body):
            time.sleep(json.loads(body)["wait_ms"] / 4000)
            return 204, None
        with ScriptedServer(poll) as server:
            started = time.monotonic()
            self.check(server, ["next", "--wait", "1"], EMPTY)
            self.assertGreaterEqual(time.monotonic() - started, 1)
            waits = [json.loads(body)["wait_ms"] for _, _, _, body in server.requests]
            self.assertEqual(waits[0], 1000)
            self.assertEqual(waits, sorted(waits, reverse=True))
            self.assertGreater(len(waits), 2)

    def test_nobody_owning_the_path_is_a_failure(self):
        with answering(200, {"path": "p", "owners": []}) as server:
            done = self.check(server, ["owner", "p"], FAILED)
            self.assertEqual(done.stderr, "troupe owner: nobody owns p\n")
            done = self.check(server, ["owner", "p", "--json"], FAILED)
            self.assertEqual(json.loads(done.stdout), {"path": "p", "owners": []})


class Garbage(AnswerCase):
    """Answers that make no sense are refused whole, with what was missing."""

    def test_answer_that_is_not_json_is_refused(self):
        for content in (b"<html>hello</html>", b"", b'{"id": ', b"{} {}", b'{"a": 1, "a": 2}', b"\xff\xfe",
                        b"[" * 100000, b'"text"', b"7"):
            for status in (200, 502):
                with answering(status, content) as server:
                    done = self.check(server, ["tree"], PROTOCOL)
                    self.assertEqual(done.stdout, "")
                    self.assertIn(f"answers with status {status} and something that is not JSON", done.stderr)

    def test_answer_without_a_member_prints_nothing_but_its_name(self):
        cases = [(["next"], {"messages": [{k: v for k, v in MESSAGE.items() if k != name}]}, name)
                 for name in ("id", "role", "from", "subject", "class", "sent")]
        cases += [(["tree"], {"roles": [{k: v for k, v in TREE["roles"][0].items() if k != name}]}, name)
                  for name in ("name", "capacity", "queued", "held", "holders")]
        cases += [(["send", "a", "-s", "b"], {k: v for k, v in RECEIPT.items() if k != name}, name)
                  for name in ("id", "role", "state")]
        cases += [(["next"], {}, "messages"), (["inbox"], {"held": [], "queued": []}, "total"),
                  (["inbox"], {"held": 1, "queued": [], "total": 1}, "held"),
                  (["tree"], {"roles": {}}, "roles"), (["tree"], [], "roles"),
                  (["done", "x"], {"id": "x"}, "state"), (["done", "x"], {"id": 7, "state": "done"}, "id"),
                  (["owner", "p"], {"owners": [{"domain": "d", "role": "r", "deputies": [1]}]}, "deputies")]
        for arguments, answer, name in cases:
            with answering(200, answer) as server:
                done = self.check(server, arguments, PROTOCOL)
                self.assertEqual(done.stdout, "", (arguments, answer))
                self.assertIn(f'no usable "{name}"', done.stderr)

    def test_tree_of_any_shape_ends(self):
        role = TREE["roles"][0]
        loop = [{**role, "name": "a", "parent": "b"}, {**role, "name": "b", "parent": "a"}]
        with answering(200, {"roles": loop}) as server:
            self.assertEqual(self.check(server, ["tree"]).stdout.count("\n"), 3)
        deep = [{**role, "name": f"r{i}", "parent": f"r{i - 1}"} for i in range(128)]
        with answering(200, {"roles": deep}) as server:
            self.assertEqual(self.check(server, ["tree"]).stdout.count("\n"), 129)
        with answering(200, {"roles": deep + [{**role, "name": "r128", "parent": "r127"}]}) as server:
            self.check(server, ["tree"], PROTOCOL)

    def test_endless_answer_is_cut_off(self):
        with answering(200, b" " * (64 * 1024 * 1024 + 1)) as server:
            self.assertIn("more than 64 MiB", self.check(server, ["tree"], PROTOCOL).stderr)

    def speak(self, *replies):
        """A listener that answers each connection with bytes and hangs up; gives its port."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            for reply in replies:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(reply)
        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    def test_stranger_at_the_address_is_told_apart_from_nobody(self):
        port = self.speak(b"220 mail.example ESMTP\r\n")
        env = environment(TROUPE_URL=f"http://127.0.0.1:{port}", TROUPE_TOKEN="t")
        done = run("tree", env=env)
        self.assertEqual(done.returncode, PROTOCOL, done.stderr)
        self.assertIn("does not speak HTTP", done.stderr)

    def test_connection_that_ends_early_is_a_lost_server(self):
        for reply in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"):
            port = self.speak(reply)
            env = environment(TROUPE_URL=f"http://127.0.0.1:{port}", TROUPE_TOKEN="t")
            done = run("tree", env=env)
            self.assertEqual(done.returncode, UNREACHABLE, done.stderr)
            self.assertIn(f"lost the connection to http://127.0.0.1:{port}", done.stderr)

    def test_redirect_is_not_followed_with_the_token(self):
        with answering(200, TREE) as other:
            port = self.speak(f"HTTP/1.1 302 Found\r\nLocation: {other.url}/v1/tree\r\n"
                              "Content-Length: 2\r\n\r\n{}".encode())
            done = run("tree", env=environment(TROUPE_URL=f"http://127.0.0.1:{port}", TROUPE_TOKEN="t"))
            self.assertEqual(done.returncode, FAILED, done.stderr)
            self.assertEqual(other.requests, [])


class Settings(AnswerCase):
    """Where the server is, and as whom."""

    def test_nobody_at_the_address_is_said(self):
        url = f"http://127.0.0.1:{free_port()}"
        done = run("tree", env=environment(TROUPE_URL=url, TROUPE_TOKEN="t"))
        self.assertEqual(done.returncode, UNREACHABLE)
        self.assertIn(f"nobody answers at {url}: is `troupe serve` running there?", done.stderr)

    def test_address_that_is_none_is_refused(self):
        for url in ("localhost:7373", "ftp://localhost", "http://", "http:///", "http://" + "x" * 3000,
                    "file:///etc/passwd"):
            done = run("tree", env=environment(TROUPE_URL=url, TROUPE_TOKEN="t"))
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertIn("TROUPE_URL is", done.stderr)

    def test_slash_at_the_end_of_the_address_is_harmless(self):
        with answering(200, TREE) as server:
            self.check(server, ["tree"], env={"TROUPE_URL": server.url + "//"})
            self.assertEqual(server.requests[0][1], "/v1/tree")

    def test_token_is_read_from_the_data_folder(self):
        self.write("token", "from-the-file\n")
        os.mkdir(os.path.join(self.folder, "data"))
        self.write("data/token", "from-data")
        with answering(200, TREE) as server:
            self.check(server, ["tree"], env={"TROUPE_TOKEN": "", "TROUPE_DATA": self.folder})
            self.check(server, ["tree"], env={"TROUPE_TOKEN": ""}, cwd=self.folder)
            self.check(server, ["tree"], env={"TROUPE_TOKEN": "mine", "TROUPE_DATA": self.folder})
            self.assertEqual([headers["Authorization"] for _, _, headers, _ in server.requests],
                             ["Bearer from-the-file", "Bearer from-data", "Bearer mine"])

    def test_missing_token_is_said_with_its_place(self):
        with answering(200, TREE) as server:
            done = self.check(server, ["tree"], NOT_ALLOWED, env={"TROUPE_TOKEN": ""}, cwd=self.folder)
            self.assertIn("data/token cannot be read: No such file or directory", done.stderr)
            self.assertEqual(server.requests, [])

    def test_token_of_this_folder_stays_on_this_machine(self):
        os.mkdir(os.path.join(self.folder, "data"))
        self.write("data/token", "local")
        for host in ("192.0.2.1", "127.0.0.1.example.org", "localhost.example.org", "[2001:db8::1]"):
            env = environment(TROUPE_URL=f"http://{host}:9")
            done = run("tree", env=env, cwd=self.folder)
            self.assertEqual(done.returncode, NOT_ALLOWED, done.stderr)
            self.assertEqual(done.stderr, f"troupe tree: no token for http://{host}:9: set TROUPE_TOKEN\n")

    def test_token_that_could_end_its_header_is_refused(self):
        with answering(200, TREE) as server:
            for token in ("a\nX-Evil: 1", "a b", "ü", "a" * 513):
                self.check(server, ["tree"], NOT_ALLOWED, env={"TROUPE_TOKEN": token})
            self.assertEqual(server.requests, [])
            self.check(server, ["tree"], env={"TROUPE_TOKEN": "a" * 511})

    def test_name_that_could_end_its_header_is_refused(self):
        with answering(200, TREE) as server:
            for name in ("a\r\nX-Evil: 1", "", "A", "a b", "a" * 129):
                self.check(server, ["tree", "--as", name], USAGE)
            self.assertEqual(server.requests, [])
            self.check(server, ["tree", "--as", "a" * 128])


class Inputs(AnswerCase):
    """Texts and files that cannot be sent."""

    def test_text_that_is_not_utf8_is_refused(self):
        with answering(200, RECEIPT) as server:
            for arguments, what in ((["send", "docs", "-s", b"\xff"], "the subject"),
                                    (["send", b"\xff", "-s", "Hi"], "the role"),
                                    (["decline", "x", "-m", b"\xff"], "the reason")):
                done = self.check(server, arguments, USAGE)
                self.assertIn(f"{what} is not valid UTF-8", done.stderr)
            done = self.check(server, ["send", "docs", "-s", "Hi", "-"], USAGE, stdin="\udcff")
            self.assertIn("the body is not valid UTF-8", done.stderr)
            done = self.check(server, ["send", "docs", "-s", "Hi", "-"], USAGE, stdin="a\0b")
            self.assertIn("the body contains a NUL character", done.stderr)
            self.assertEqual(server.requests, [])

    def test_texts_end_at_the_servers_limits(self):
        with answering(200, {**RECEIPT, "state": "x"}) as server:
            for arguments, limit in ((["send", "docs", "-s"], 500), (["decline", "x", "-m"], 4096),
                                     (["forward", "x", "r", "-m"], 4096)):
                self.check(server, [*arguments, "a" * limit])
                self.check(server, [*arguments, "a" * (limit + 1)], USAGE)
            body = ["send", "docs", "-s", "Hi", "-"]
            self.check(server, body, stdin="a" * 256 * 1024)
            self.check(server, body, DATA, stdin="a" * (256 * 1024 + 1))
            self.check(server, ["send", "docs", "-s", "Hi", "--key", "k" * 128])
            self.check(server, ["send", "docs", "-s", "Hi", "--key", "k" * 129], USAGE)

    def test_import_names_the_file_and_the_line(self):
        with answering(200, {}) as server:
            missing = os.path.join(self.folder, "missing")
            done = self.check(server, ["import", "maintainers", missing], INPUT)
            self.assertEqual(done.stderr, f"troupe import: {missing}: No such file or directory\n")
            path = self.write("wrong.json", '{\n"actors": [}\n')
            done = self.check(server, ["import", "organisation", path], DATA)
            self.assertIn(f"{path}:2:12: ", done.stderr)
            done = self.check(server, ["import", "organisation", "-"], DATA, stdin="{")
            self.assertIn("troupe import: standard input:1:", done.stderr)
            self.check(server, ["import", "organisation", path, "--team", "t"], USAGE)
            self.check(server, ["import", "people", path], USAGE)
            self.check(server, ["import", "maintainers", self.folder], INPUT)
            self.assertEqual(server.requests, [])

    def test_import_ends_at_the_servers_limit(self):
        with answering(200, {"domains": 0}) as server:
            path = self.write("large", "x" * 8 * 1024 * 1024)
            self.check(server, ["import", "maintainers", path])
            path = self.write("large", "x" * (8 * 1024 * 1024 + 1))
            done = self.check(server, ["import", "maintainers", path], DATA)
            self.assertIn(f"{path}: more than 8388608 bytes", done.stderr)

    def test_wrong_command_lines_say_what_is_right(self):
        for arguments, trouble in (
                ([], "which verb?"), (["sing"], "there is no verb 'sing'"), (["--sing"], "there is no verb"),
                (["send"], "too few operands; it takes ROLE [BODY | -]"),
                (["send", "docs"], "-s SUBJECT is missing"),
                (["send", "docs", "-s", "x", "--deadline", "soon"], "--deadline 'soon'"),
                (["next", "--wait", "1.5"], "--wait '1.5'"), (["next", "--wait", "-1"], "--wait '-1'"),
                (["done", "x", "yes"], "a reply goes after -m"), (["done", "x", "-", "-m", "y"], "one reply"),
                (["decline", "x"], "-m REASON is missing"), (["help", "sing"], "there is no verb 'sing'")):
            done = run(*arguments, env=environment(TROUPE_TOKEN="t", TROUPE_URL="http://127.0.0.1:1"))
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertEqual(done.stdout, "")
            self.assertIn(trouble, done.stderr)
        usage = run("health", "x", env=environment()).stderr
        self.assertIn("\nusage: troupe health [OPTION]...; ", usage)


class Help(AnswerCase):
    def test_help_lists_every_verb_and_each_has_its_own(self):
        listed = run("help").stdout
        self.assertEqual(listed, run("--help").stdout)
        for verb in ("send", "next", "done", "decline", "forward", "inbox", "owner", "tree", "import",
                     "replay"):
            self.assertRegex(listed, rf"(?m)^  {verb} +\S")
            own = run("help", verb)
            self.assertEqual(own.returncode, OK)
            self.assertIn(f"usage: troupe {verb}", own.stdout)
            self.assertIn("--json", own.stdout)
            self.assertEqual(run(verb, "--help").stdout, own.stdout)

    def test_version_is_printed(self):
        self.assertRegex(run("--version").stdout, r"^troupe \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([BIN, "help"], stdout=full, stderr=subprocess.PIPE, env=environment(),
                                  check=False, text=True)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("standard output: No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
