# SPDX-License-Identifier: MIT
"""Tokens over HTTP: what each scope opens and what stays closed, expiry, revocation, and that no token makes
one that is good for more than itself."""

import os
import re
import time
import unittest

from serving import SOURCE, ServerCase

# Every route that needs a token: any one of these scopes opens it.
OPENED_BY = {
    "POST /v1/send": "send",
    "POST /v1/next": "work",
    "POST /v1/done": "work",
    "POST /v1/decline": "work",
    "POST /v1/forward": "work",
    "POST /v1/renew": "work",
    "POST /v1/defer": "work",
    "POST /v1/fail": "work",
    "POST /v1/resolve": "work",
    "POST /v1/settle": "work",
    "POST /v1/handover": "work",
    "GET /v1/inbox": "read work",
    "GET /v1/message": "read send work",
    "GET /v1/messages": "read work",
    "GET /v1/search": "read work",
    "GET /v1/whoami": "read send work admin",
    "GET /v1/tree": "read",
    "GET /v1/role": "read",
    "GET /v1/owner": "read",
    "GET /v1/actors": "read",
    "GET /v1/figures": "read",
    "GET /v1/audit": "read",
    "POST /v1/actors": "admin",
    "POST /v1/tokens": "admin",
    "POST /v1/roles": "admin",
    "POST /v1/roles/change": "admin",
    "POST /v1/domains": "admin",
    "POST /v1/holders": "admin",
    "POST /v1/domains/transfer": "admin",
    "POST /v1/tokens/revoke": "read send work admin",
    "POST /v1/presence": "work",
    "POST /v1/calendar": "work",
    "POST /v1/calendar/import": "work",
    "GET /v1/notices": "read work",
    "POST /v1/notices": "work",
    "POST /v1/leave": "admin",
    "POST /v1/import/maintainers": "admin",
    "POST /v1/import/organisation": "admin",
    "GET /v1/health/organisation": "read",
    "GET /v1/check": "read",
}
SCOPES = ("read", "send", "work", "admin")


class Tokens(ServerCase):
    def token(self, actor, **more):
        return self.expect(201, self.post("/v1/tokens", {"actor": actor, **more}))["token"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben", office=["ann"])
        cls.owner = cls.server.expect(200, cls.server.get("/v1/whoami"))["actor"]

    def test_a_scope_opens_its_routes_and_no_others(self):
        for scope in SCOPES:
            token = self.token(self.owner, scopes=[scope])
            for route, opened_by in OPENED_BY.items():
                method, path = route.split()
                body = None if method == "GET" else "no JSON"
                with self.subTest(scope=scope, route=route):
                    answer = self.server.ask(method, path, body, token=token)
                    if scope in opened_by.split():
                        self.assertNotEqual(answer.status, 403, answer)
                        continue
                    detail = self.problem(answer, 403, "forbidden")
                    names = " or ".join(f'"{name}"' for name in opened_by.split())
                    self.assertEqual(detail, f"the token lacks the scope {names}")

    def test_every_route_of_the_documentation_has_its_scopes_here(self):
        with open(os.path.join(SOURCE, "docs", "http-api.md"), encoding="utf-8") as file:
            told = set(re.findall(r"^\| `((?:GET|POST) /v1/[\w/]+)", file.read(), re.MULTILINE))
        self.assertEqual(told - {"GET /v1/health"}, set(OPENED_BY))

    def test_a_token_without_scopes_is_good_for_everything(self):
        token = self.token("ann")
        self.assertEqual(self.get("/v1/whoami", token=token).json["scopes"], list(SCOPES))
        self.expect(202, self.post("/v1/send", {"to": "office", "subject": "s"}, token=token))
        self.expect(200, self.get("/v1/tree", token=token))

    def test_several_scopes_open_what_each_of_them_does(self):
        token = self.token("ann", scopes=["send", "work"])
        self.assertEqual(self.get("/v1/whoami", token=token).json["scopes"], ["send", "work"])
        self.expect(202, self.post("/v1/send", {"to": "@ann", "subject": "s"}, token=token))
        self.expect(200, self.get("/v1/inbox", token=token))
        self.assertIn('"read"', self.problem(self.get("/v1/tree", token=token), 403, "forbidden"))

    def test_only_a_token_for_administration_acts_for_others(self):
        token = self.token(self.owner, scopes=["read", "send", "work"])
        self.expect(200, self.get("/v1/whoami", self.owner, token=token))
        self.assertIn('"admin"', self.problem(self.get("/v1/whoami", "ann", token=token), 403, "forbidden"))
        token = self.token(self.owner, scopes=["admin", "read"])
        self.assertEqual(self.get("/v1/whoami", "ann", token=token).json["actor"], "ann")

    def test_a_token_makes_none_that_is_good_for_more(self):
        token = self.token(self.owner, scopes=["admin", "read"])
        more = self.post("/v1/tokens", {"actor": "ann", "scopes": ["read", "work"]}, token=token)
        self.assertIn('"work"', self.problem(more, 403, "forbidden"))
        made = self.expect(201, self.post("/v1/tokens", {"actor": self.owner}, token=token))["token"]
        self.assertEqual(self.get("/v1/whoami", token=made).json["scopes"], ["read", "admin"])

    def test_scopes_that_there_are_not_are_refused(self):
        for scopes in (["all"], ["read", "write"], [""], [1], "read", [], {"read": True}, ["read"] * 5):
            with self.subTest(scopes=scopes):
                answer = self.post("/v1/tokens", {"actor": "ann", "scopes": scopes})
                self.assertIn(answer.status, (400, 413))
                self.assertIn('"scopes', answer.json["detail"])

    def test_a_token_expires_at_its_time(self):
        at = int(time.time() * 1000) + 700
        token = self.token("ann", expires_at=at)
        self.expect(200, self.get("/v1/whoami", token=token))
        time.sleep(max(0.0, at / 1000 - time.time()) + 0.01)
        self.assertIn("expired", self.problem(self.get("/v1/whoami", token=token), 401, "unauthorized"))
        self.problem(self.post("/v1/tokens", {"actor": "ann", "expires_at": at}), 400, "malformed")

    def test_a_token_revokes_itself_whatever_its_scopes(self):
        token = self.token("ben", scopes=["send"])
        self.expect(200, self.post("/v1/tokens/revoke", {"token": token}, token=token))
        self.assertIn("revoked", self.problem(self.get("/v1/whoami", token=token), 401, "unauthorized"))

    def test_whoever_leaves_has_no_token_any_more(self):
        self.server.make("cleo")
        token = self.token("cleo")
        self.expect(200, self.post("/v1/leave", {"actor": "cleo"}))
        self.problem(self.get("/v1/whoami", token=token), 401, "unauthorized")


if __name__ == "__main__":
    unittest.main()
