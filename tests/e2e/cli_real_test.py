# SPDX-License-Identifier: MIT
"""The `troupe` program against a real server: each verb, as text and with --json, and what is refused."""

import json
import os
import stat
import threading
import time
import unittest

from cli_support import (
    AGAIN, EMPTY, FAILED, NOT_ALLOWED, OK, UNREACHABLE, USAGE, RealServer, free_port, patch_rows, run,
    environment,
)

ORGANISATION = {
    "actors": [{"name": "ann", "kind": "person"}, {"name": "bob", "kind": "person"},
               {"name": "robot", "kind": "program"}],
    "roles": [{"name": "acme", "team": True, "holders": ["ann"]},
              {"name": "docs", "parent": "acme", "holders": ["bob", "ann"]},
              {"name": "ops", "parent": "acme", "holders": ["ann"]},
              {"name": "gates", "parent": "acme", "holders": ["robot"], "capacity": 2}],
    "domains": [{"name": "manual", "owner": "docs", "patterns": ["docs/", "*.md"]},
                {"name": "north", "owner": "gates", "patterns": ["docs/north/"]}],
}


class RealCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RealServer().start()
        cls.addClassCleanup(cls.server.__exit__)
        path = cls.write("organisation.json", json.dumps(ORGANISATION))
        cls.counts = cls.server.json("import", "organisation", path)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.server.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_ok(self, *arguments, **more):
        done = self.server.run(*arguments, **more)
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        return done.stdout

    def refused(self, status, *arguments, **more):
        """Runs a verb that ends with `status`, both ways; gives the problem and what was said."""
        done = self.server.run(*arguments, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        problem = self.server.json(*arguments, status=status, **more)
        self.assertEqual(problem["type"].split(":")[:3], ["urn", "troupe", "problem"])
        self.assertIn(problem["detail"], done.stderr)
        return problem

    def send(self, role, *arguments, **more):
        return self.server.json("send", role, "-s", "A subject", *arguments, **more)

    def take(self, role, holder):
        return self.server.json("next", role, "--as", holder)["messages"][0]

    def empty(self, role, holder):
        """Finishes whatever is held or waits, so that each test begins with an empty mailbox."""
        while True:
            done = self.server.run("next", role, "--as", holder, "--json")
            if done.returncode == EMPTY:
                return
            for message in json.loads(done.stdout)["messages"]:
                self.server.json("done", message["id"], "--as", holder)


class Verbs(RealCase):
    def setUp(self):
        for role, holder in (("docs", "bob"), ("ops", "ann"), ("gates", "robot")):
            self.empty(role, holder)

    def test_import_again_changes_nothing(self):
        tree = self.server.json("tree")
        path = self.write("organisation.json", json.dumps(ORGANISATION))
        self.server.json("import", "organisation", path)
        self.assertEqual([role["name"] for role in tree["roles"]],
                         [role["name"] for role in self.server.json("tree")["roles"]])

    def test_message_goes_from_its_sender_to_its_answer(self):
        receipt = self.send("docs", "the body", "-c", "urgent", "--deadline", "2h", "--as", "ann")
        self.assertEqual((receipt["role"], receipt["state"], receipt["position"], receipt["holder"]),
                         ("docs", "accepted", 1, "bob"))
        inbox = self.server.json("inbox", "docs", "--as", "bob")
        self.assertEqual([message["id"] for message in inbox["queued"]], [receipt["id"]])
        message = self.take("docs", "bob")
        self.assertEqual(message["id"], receipt["id"])
        self.assertEqual((message["from"], message["subject"], message["body"], message["class"]),
                         ("ann", "A subject", "the body", "urgent"))
        self.assertAlmostEqual(message["deadline"], time.time() * 1000 + 7200000, delta=60000)
        inbox = self.server.json("inbox", "docs", "--as", "bob")
        self.assertEqual(([m["id"] for m in inbox["held"]], inbox["total"]), ([receipt["id"]], 0))
        answer = self.server.json("done", message["id"], "-", "--as", "bob", stdin="a reply")
        self.assertEqual((answer["id"], answer["state"]), (message["id"], "done"))

    def test_texts_are_printed_for_people(self):
        sent = self.run_ok("send", "docs", "-s", "Grüße", "zwei\nZeilen", "--as", "ann")
        self.assertRegex(sent, r"\A\w{13} accepted by docs, position 1, held by bob\n")
        inbox = self.run_ok("inbox", "docs", "--as", "bob")
        self.assertRegex(inbox, r"\w{13}  normal  docs  ann   now +Grüße\n")
        letter = self.run_ok("next", "docs", "--as", "bob")
        self.assertRegex(letter, r"(?m)^Subject     Grüße$")
        self.assertTrue(letter.endswith("\n\nzwei\nZeilen\n"), letter)
        self.assertRegex(self.run_ok("tree", "docs"), r"docs +0/20 +1 .*bob \(\+1\)\n")
        self.assertRegex(self.run_ok("done", sent[:13], "--as", "bob"), r"\A\w{13} done\n\Z")

    def test_nothing_waiting_ends_with_status_three(self):
        self.assertEqual(self.server.run("next", "docs", "--as", "bob").returncode, EMPTY)
        self.assertEqual(self.server.json("next", "docs", "--as", "bob", status=EMPTY), {"messages": []})

    def test_wait_ends_when_a_message_comes(self):
        timer = threading.Timer(0.5, lambda: self.send("docs"))
        timer.start()
        started = time.monotonic()
        self.run_ok("next", "docs", "--wait", "30", "--as", "bob")
        self.assertLess(time.monotonic() - started, 10)
        timer.join()

    def test_wait_ends_when_nothing_comes(self):
        started = time.monotonic()
        done = self.server.run("next", "docs", "--wait", "1", "--as", "bob")
        self.assertEqual(done.returncode, EMPTY)
        self.assertGreaterEqual(time.monotonic() - started, 1)

    def test_held_message_is_given_back_instead_of_another(self):
        self.send("docs")
        self.send("docs")
        self.assertEqual(self.take("docs", "bob")["id"], self.take("docs", "bob")["id"])

    def test_done_can_take_the_next_one(self):
        self.send("docs")
        second = self.send("docs")
        answer = self.server.json("done", self.take("docs", "bob")["id"], "--next", "--as", "bob")
        self.assertEqual([message["id"] for message in answer["messages"]], [second["id"]])

    def test_decline_tells_the_reason(self):
        self.send("docs")
        answer = self.server.json("decline", self.take("docs", "bob")["id"], "-m", "no time", "--as", "bob")
        self.assertEqual(answer["state"], "declined")

    def test_forward_keeps_the_thread(self):
        self.send("docs")
        message = self.take("docs", "bob")
        answer = self.server.json("forward", message["id"], "ops", "-m", "rather yours", "--as", "bob")
        self.assertEqual((answer["state"], answer["forwarded_to"]["role"]), ("forwarded", "ops"))
        forwarded = self.take("ops", "ann")
        self.assertEqual((forwarded["thread"], forwarded["hops"]), (message["thread"], message["hops"] + 1))

    def test_same_key_is_the_same_message(self):
        first = self.send("docs", "--key", "k1")
        again = self.send("docs", "--key", "k1")
        self.assertEqual((again["id"], again["duplicate"]), (first["id"], True))
        self.refused(FAILED, "send", "docs", "-s", "Another subject", "--key", "k1")
        self.assertIn("was sent before", self.run_ok("send", "docs", "-s", "A subject", "--key", "k1"))

    def test_full_mailbox_refuses_with_status_75(self):
        self.send("gates")
        self.send("gates")
        problem = self.refused(AGAIN, "send", "gates", "-s", "A subject")
        self.assertEqual((problem["status"], problem["type"]), (429, "urn:troupe:problem:full"))

    def test_people_may_insist_and_programs_may_not(self):
        for _ in range(20):
            self.send("docs")
        problem = self.refused(AGAIN, "send", "docs", "-s", "A subject")
        self.assertIn("20", problem["detail"])
        self.assertEqual(self.send("docs", "--insist")["position"], 21)
        self.refused(AGAIN, "send", "docs", "-s", "A subject", "--insist", "--as", "robot")

    def test_who_may_not_is_told_with_status_77(self):
        self.send("docs")
        message = self.take("docs", "bob")
        self.refused(FAILED, "done", message["id"], "--as", "robot")
        self.refused(NOT_ALLOWED, "next", "docs", "--as", "robot")
        self.refused(NOT_ALLOWED, "inbox", "docs", "--as", "robot")
        self.refused(NOT_ALLOWED, "tree", env={"TROUPE_TOKEN": "no-such-token"})

    def test_what_is_not_there_is_a_failure(self):
        self.refused(FAILED, "send", "nowhere", "-s", "A subject")
        self.refused(FAILED, "done", "0000000000000", "--as", "bob")
        self.refused(FAILED, "send", "docs", "-s", "A subject", "-c", "whatever")

    def test_what_is_done_stays_done(self):
        self.send("docs")
        message = self.take("docs", "bob")
        self.server.json("done", message["id"], "--as", "bob")
        self.assertEqual(
            self.refused(FAILED, "decline", message["id"], "-m", "no", "--as", "bob")["status"], 409)

    def test_most_precise_pattern_owns_the_path(self):
        owners = self.server.json("owner", "docs/north/gate.md", "--all")["owners"]
        self.assertEqual([(owner["domain"], owner["pattern"]) for owner in owners],
                         [("north", "docs/north/"), ("manual", "*.md")])
        owners = self.server.json("owner", "docs/north/gate.md")["owners"]
        self.assertEqual([owner["role"] for owner in owners], ["gates"])
        self.assertRegex(self.run_ok("owner", "README.md"), r"(?m)^manual  docs  bob     ann       \*\.md$")
        self.assertEqual(self.server.run("owner", "nothing.c").returncode, FAILED)

    def test_tree_has_every_role_below_its_parent(self):
        names = [role["name"] for role in self.server.json("tree", "acme")["roles"]]
        self.assertEqual(names[0], "acme")
        self.assertLessEqual({"docs", "ops", "gates"}, set(names))
        self.assertRegex(self.run_ok("tree", "acme"), r"(?m)^[├└]── gates ")

    def test_import_of_a_wrong_organisation_names_the_part(self):
        path = self.write("wrong.json", '{"roles": [{"name": "part"}, {"name": "BAD NAME"}]}')
        self.assertIn("roles[1]", self.refused(FAILED, "import", "organisation", path)["detail"])

    def test_small_replay_ends_exactly_once(self):
        path = self.write("small.csv", patch_rows(250))
        report = self.server.json("replay", path, "--role", "git/integration")
        self.assertEqual((report["rows"], report["sent"], report["handled"]), (250, 250, 250))
        self.assertTrue(report["check"]["exactly_once"] and report["check"]["conserved"])
        report = self.server.json("replay", path, "--role", "git/integration")
        self.assertEqual((report["sent"], report["duplicates"], report["found_done"]), (0, 250, 250))

    def test_replay_through_a_small_mailbox_is_refused_and_retried(self):
        self.server.json("import", "organisation", self.write("narrow.json", json.dumps({
            "actors": [{"name": "narrow-robot", "kind": "program", "wip_limit": 3}],
            "roles": [{"name": "narrow", "parent": "acme", "holders": ["narrow-robot"], "capacity": 10}]})))
        path = self.write("narrow.csv", patch_rows(150))
        report = self.server.json("replay", path, "--role", "narrow")
        self.assertEqual((report["sent"], report["handled"]), (150, 150))
        self.assertGreater(report["refused"], 0)
        self.assertTrue(report["check"]["exactly_once"])


class Search(RealCase):
    def test_what_is_found_comes_page_after_page_and_says_where_it_ended(self):
        path = self.write("many.json", json.dumps({
            "roles": [{"name": "many", "parent": "acme", "holders": ["ann"], "capacity": 1000}],
            "messages": [{"from": "bob", "to": "many", "subject": f"page {i}", "body": "a pageful"}
                         for i in range(250)]}))
        self.server.json("import", "organisation", path)
        found = self.server.json("search", "page", "pageful", "--limit", "230", "--as", "bob")
        self.assertEqual([message["subject"] for message in found["messages"]],
                         [f"page {i}" for i in range(249, 19, -1)])
        rest = self.server.json("search", "page", "--before", found["next"], "--limit", "230", "--as", "bob")
        self.assertEqual(len(rest["messages"]), 20)
        self.assertIsNone(rest["next"])
        self.assertEqual(len(self.server.json("search", "--role", "many", "--as", "bob")["messages"]), 20)
        text = self.run_ok("search", "page", "--role", "many", "-n", "3", "--as", "ann")
        self.assertIn("page 249", text)
        self.assertIn("there may be more: --before ", text)
        self.assertIn("nothing found", self.run_ok("search", "page", "--as", "robot"))

    def test_what_cannot_be_looked_for_is_refused(self):
        self.assertIn("no word", self.refused(FAILED, "search", "?!")["detail"])
        self.assertIn("state", self.refused(FAILED, "search", "--state", "gone")["detail"])
        for arguments in (("--limit", "0"), ("--limit", "x"), ["w"] * 17):
            self.assertEqual(self.server.run("search", *arguments).returncode, USAGE)


class Serving(unittest.TestCase):
    def test_token_is_left_for_its_own_user_only(self):
        with RealServer() as server:
            mode = stat.S_IMODE(os.stat(os.path.join(server.data, "token")).st_mode)
            self.assertEqual(mode, 0o600)

    def test_server_ends_in_order_when_told(self):
        with RealServer() as server:
            self.assertEqual(server.stop(), OK)
            self.assertEqual(server.run("tree").returncode, UNREACHABLE)

    def test_everything_is_still_there_after_a_restart(self):
        with RealServer() as server:
            path = os.path.join(server.folder.name, "organisation.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(ORGANISATION, file)
            server.json("import", "organisation", path)
            sent = server.json("send", "docs", "-s", "A subject")
            server.kill()
            server.start()
            self.assertEqual(server.json("next", "docs", "--as", "bob")["messages"][0]["id"], sent["id"])

    def test_address_that_is_taken_is_said(self):
        with RealServer() as server:
            data = os.path.join(server.folder.name, "other")
            done = run("serve", "--data", data, "--listen", f"127.0.0.1:{server.port}")
            self.assertEqual(done.returncode, FAILED)
            self.assertIn(str(server.port), done.stderr)

    def test_address_that_is_none_is_refused(self):
        with RealServer() as server:
            for listen in ("127.0.0.1", "127.0.0.1:x", "127.0.0.1:123456", "nowhere:80"):
                done = run("serve", "--data", os.path.join(server.folder.name, "other"), "--listen", listen)
                self.assertEqual(done.returncode, FAILED, done.stderr)
                self.assertNotEqual(done.stderr, "")

    def test_sample_is_read_only_into_an_empty_organisation(self):
        with RealServer() as server:
            server.stop()
            sample = os.path.join(server.folder.name, "sample.json")
            with open(sample, "w", encoding="utf-8") as file:
                json.dump(ORGANISATION, file)
            server.arguments = ("--sample", sample)
            server.data += "-new"
            server.start()
            names = [role["name"] for role in server.json("tree")["roles"]]
            self.assertIn("gates", names)
            sent = server.json("send", "docs", "-s", "A subject")
            server.stop()
            server.start()
            self.assertEqual(server.json("inbox", "docs", "--as", "bob")["queued"][0]["id"], sent["id"])

    def test_nobody_serving_is_said(self):
        env = environment(TROUPE_URL=f"http://127.0.0.1:{free_port()}", TROUPE_TOKEN="t")
        self.assertEqual(run("tree", env=env).returncode, UNREACHABLE)


if __name__ == "__main__":
    unittest.main()
