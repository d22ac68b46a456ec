# SPDX-License-Identifier: MIT
"""Lists and search over HTTP: what is found, by whom, page by page, also after its end and over restarts."""

import unittest
from urllib.parse import quote, urlencode

from serving import Server, ServerCase


class Search(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.make("ann", "ben", "cleo", "dan", root=["ann"], docs=["ben", "cleo"], pay=["ben"])
        role = {"name": "board", "holders": ["ann"], "open": True}
        server.expect(201, server.post("/v1/roles", role))
        cls.ids = {}
        for key, to, who, subject, body in (
            ("menu", "docs", "dan", "The café menu", "soup and bread"),
            ("invoice", "docs", "ann", "Invoice 4711", "is wrong: *soup* twice"),
            ("wages", "pay", "cleo", "Wages", "the soup of numbers"),
            ("notice", "board", "dan", "Soup on Friday", "for everybody"),
            ("odd", "pay", "ben", "NEAR", 'title:x AND OR "NOT"'),
        ):
            cls.ids[key] = server.send(to, subject, who, body=body)["id"]
        (taken,) = server.take("ben", role="docs")
        assert taken["id"] == cls.ids["menu"]
        server.expect(200, server.post("/v1/done", {"id": taken["id"], "reply": "eaten"}, "ben"))
        server.settled()

    def look(self, path, who, **arguments):
        query = f"?{urlencode(arguments)}" if arguments else ""
        return self.get(f"/v1/{path}{query}", who)

    def found(self, path, who, **arguments):
        answer = self.expect(200, self.look(path, who, **arguments))
        names = {identity: name for name, identity in self.ids.items()}
        return [names.get(message["id"], message["kind"]) for message in answer["messages"]]

    def search(self, words, who, **more):
        return self.found("search", who, q=words, **more)

    def test_words_are_found_in_subject_and_body_the_newest_first(self):
        self.assertEqual(self.search("soup", "ben"), ["notice", "wages", "invoice", "menu"])
        self.assertEqual(self.search("soup bread", "ben"), ["menu"])
        self.assertEqual(self.search("CAFE", "cleo"), ["menu"])
        self.assertEqual(self.search("invoi*", "ben"), ["invoice"])
        self.assertEqual(self.search("invoi", "ben"), [])

    def test_only_who_may_read_a_message_finds_it(self):
        # Its sender, those in the succession, and everybody where the role is open.
        self.assertEqual(self.search("soup", "ann"), ["notice", "invoice"])
        self.assertEqual(self.search("soup", "cleo"), ["notice", "wages", "invoice", "menu"])
        self.assertEqual(self.search("soup", "dan"), ["notice", "menu"])
        # An administrator is nobody else: what it may change it may not read.
        self.assertEqual(self.search("soup", None), ["notice"])
        self.assertEqual(self.found("messages", "ann", role="pay"), [])
        self.assertEqual(self.search("numbers", "ann", role="pay"), [])
        self.assertEqual(self.search("numbers", "cleo", role="pay"), ["wages"])

    def test_what_is_typed_is_never_an_error_of_syntax(self):
        for words in ('"', 'near"', "NEAR(a b", "title:near", "-near", "near AND", "(near", "near + *",
                      "near^"):
            with self.subTest(words):
                answer = self.look("search", "ben", q=words)
                self.assertIn(answer.status, (200, 400), answer)
                self.assertEqual(answer.status == 400, not any(char.isalnum() for char in words))
        self.assertEqual(self.search("(near:title", "ben"), ["odd"])
        self.assertEqual(self.search("x NOT and or", "ben"), ["odd"])

    def test_a_search_without_words_or_with_wrong_arguments_says_what_is_wrong(self):
        for path, detail in (
            ("search", '"q" is missing'),
            ("search?q=", '"q" is missing'),
            ("search?q=%22%3F", "there is no word to look for"),
            ("search?q=" + "x" * 257, "more than 256 bytes"),
            ("search?q=x&limit=0", '"limit" must be'),
            ("messages?limit=201", '"limit" must be'),
            ("messages?state=gone", '"state" must be'),
            ("messages?before=1", '"before" must be'),
            ("messages?thread=x", '"thread" must be'),
            ("messages?role=A%20B", '"role" must be'),
        ):
            with self.subTest(path):
                self.assertIn(detail, self.problem(self.get(f"/v1/{path}", "ben"), 400, "malformed"))
        self.assertIn("nowhere", self.problem(self.get("/v1/messages?role=nowhere", "ben"), 404, "not-found"))
        self.assertEqual(self.get("/v1/search?q=" + "x" * 256, "ben").status, 200)

    def test_lists_are_by_role_state_sender_holder_and_thread(self):
        self.assertEqual(self.found("messages", "ben", role="docs"), ["invoice", "menu"])
        self.assertEqual(self.found("messages", "ben", role="docs", state="done"), ["menu"])
        self.assertEqual(self.found("messages", "ben", **{"from": "dan"}), ["notice", "menu"])
        self.assertEqual(self.found("messages", "dan", **{"from": "@dan"}), ["notice", "menu"])
        self.assertEqual(self.found("messages", "cleo", holder="ben"), ["menu"])
        # The answer stands in the thread of what it answers, in its sender's own mailbox.
        self.assertEqual(self.found("messages", "dan", thread=self.ids["menu"]), ["answer", "menu"])
        self.assertEqual(self.search("eaten", "dan"), ["answer"])
        self.assertEqual(self.search("eaten", "cleo"), [])

    def test_a_message_is_listed_with_what_is_known_of_it(self):
        (shown,) = self.look("messages", "ben", role="docs", state="done").json["messages"]
        moments = [shown.pop("sent"), shown.pop("changed")]
        self.assertEqual(moments, sorted(moments))
        identity = self.ids["menu"]
        expected = {"id": identity, "role": "docs", "state": "done", "kind": "message", "from": "dan"}
        expected.update({"subject": "The café menu", "class": "normal", "holder": "ben", "thread": identity})
        self.assertEqual(shown, expected)

    def test_pages_follow_each_other_and_miss_nothing(self):
        seen, before = [], {}
        for _ in range(10):
            page = self.look("search", "ben", q="soup", limit=1, **before).json
            self.assertLessEqual(len(page["messages"]), 1)
            seen += [message["id"] for message in page["messages"]]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
        self.assertEqual(seen, [self.ids[key] for key in ("notice", "wages", "invoice", "menu")])

    def test_looking_wakes_no_role(self):
        server = Server(arguments=["--idle", "30"])
        self.addCleanup(server.close)
        server.start()
        server.make("ann", root=["ann"])
        server.send("root", "asleep", "ann")
        while server.awake() > 0:
            pass
        page = server.expect(200, server.get("/v1/search?q=asleep", "ann"))
        self.assertEqual(len(page["messages"]), 1)
        self.assertEqual(server.awake(), 0)


class Restart(unittest.TestCase):
    def test_what_was_acknowledged_is_found_after_a_kill(self):
        server = Server()
        self.addCleanup(server.close)
        server.start()
        server.make("ann", root=["ann"])
        for i in range(15):
            server.send("root", f"number{i}", "ann")
        server.kill()
        server.start()
        for i in range(15):
            page = server.expect(200, server.get(f"/v1/search?q={quote(f'number{i}')}", "ann"))
            self.assertEqual(len(page["messages"]), 1)


if __name__ == "__main__":
    unittest.main()
