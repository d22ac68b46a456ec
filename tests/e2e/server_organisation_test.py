# SPDX-License-Identifier: MIT
"""The organisation over HTTP: who is who, the tree, domains, tokens, imports, and who may change what."""

import json
import os
import unittest

from serving import SAMPLE, SOURCE, ServerCase

MAINTAINERS = """\
FIRST THING
M: Ann Example <ann@example.org>
M: Ben Example <ben@example.org>
L: list@example.org
S: Maintained
F: first/
X: first/not/
N: thing

SECOND THING
S: Orphan
F: second/*.c

THIRD THING
M: Ann Example <Ann@example.org>
S: Odd Fixes
F: first/inner/
"""


class Organisation(ServerCase):
    sample = True

    def token_of(self, actor):
        return self.expect(201, self.post("/v1/tokens", {"actor": actor}))["token"]

    def roles(self):
        return {role["name"]: role for role in self.expect(200, self.get("/v1/tree"))["roles"]}

    # --- who ----------------------------------------------------------------------------------------------

    def test_the_token_in_the_folder_is_an_administrators(self):
        who = self.expect(200, self.get("/v1/whoami"))
        self.assertEqual((who["kind"], who["administrator"]), ("person", True))
        self.assertIn(f"@{who['actor']}", who["roles"])
        path = os.path.join(self.server.data, "token")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.server.data).st_mode & 0o777, 0o700)

    def test_an_administrator_acts_for_others_and_others_do_not(self):
        who = self.expect(200, self.get("/v1/whoami", "jonas"))
        self.assertEqual((who["actor"], who["display"]), ("jonas", "Jonas Weber"))
        self.assertEqual(who["roles"], ["shop", "shop/checkout", "payments/oncall", "@jonas"])
        token = self.token_of("jonas")
        self.assertEqual(self.get("/v1/whoami", token=token).json["actor"], "jonas")
        self.assertEqual(self.get("/v1/whoami", "jonas", token=token).status, 200)
        self.problem(self.get("/v1/whoami", "mara", token=token), 403, "forbidden")
        self.problem(self.get("/v1/whoami", "nobody"), 404, "not-found")

    def test_only_administrators_change_the_organisation(self):
        token = self.token_of("ben")
        calls = {
            "/v1/actors": {"name": "new", "kind": "person"},
            "/v1/tokens": {"actor": "ben"},
            "/v1/roles": {"name": "new"},
            "/v1/domains": {"name": "new", "owner": "office", "patterns": ["x"]},
            "/v1/import/organisation": {},
            "/v1/import/maintainers": "x",
        }
        for path, body in calls.items():
            self.problem(self.post(path, body, token=token), 403, "forbidden")
        self.problem(self.get("/v1/actors", token=token), 403, "forbidden")
        self.assertNotIn("new", self.roles())

    def test_tokens_are_needed_and_must_be_known(self):
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic YTpi"}):
            answer = self.server.raw("GET", "/v1/tree", headers=headers)
            self.problem(answer, 401, "unauthorized")
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        self.assertEqual(self.server.raw("GET", "/v1/health").json["status"], "ok")

    def test_an_expired_token_lets_nobody_in(self):
        body = {"actor": "ben", "expires_at": 1}
        token = self.server.post("/v1/tokens", body)
        if token.status == 201:
            self.problem(self.get("/v1/whoami", token=token.json["token"]), 401, "unauthorized")
        else:
            self.problem(token, 400, "malformed")

    def test_no_token_is_stored_in_the_clear(self):
        token = self.token_of("ben").encode()
        for name in os.listdir(self.server.data):
            with open(os.path.join(self.server.data, name), "rb") as file:
                content = file.read()
            self.assertNotIn(token, content, name)
            if name != "token":
                self.assertNotIn(self.server.token.encode(), content, name)

    # --- the tree -----------------------------------------------------------------------------------------

    def test_the_tree_has_parents_before_children_and_says_what_waits(self):
        tree = self.expect(200, self.get("/v1/tree"))["roles"]
        seen = set()
        for role in tree:
            self.assertTrue(role["parent"] is None or role["parent"] in seen, role)
            seen.add(role["name"])
        self.assertEqual(tree[0]["name"], "larkfield")
        roles = {role["name"]: role for role in tree}
        checkout = roles["shop/checkout"]
        self.assertEqual((checkout["queued"], checkout["held"], checkout["capacity"]), (3, 0, 20))
        self.assertEqual((checkout["holders"], checkout["holder"]), (["jonas", "aylin"], "jonas"))
        self.assertEqual((checkout["parent"], checkout["supervisor"]), ("shop", "shop"))
        self.assertTrue(roles["shop/search"]["vacant"])
        self.assertIsNone(roles["shop/search"]["holder"])
        self.assertEqual(roles["payments/refunds"]["capacity"], 1000)
        self.assertTrue(roles["shop"]["team"])

    def test_a_tree_that_has_not_changed_is_not_sent_again(self):
        first = self.get("/v1/tree")
        tag = first.headers["ETag"]
        again = self.get("/v1/tree", headers={"If-None-Match": tag})
        self.assertEqual((again.status, again.bytes), (304, b""))
        self.send("office", "something new", "ben")
        changed = self.get("/v1/tree", headers={"If-None-Match": tag})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["ETag"], tag)

    def test_a_role_is_made_once_and_the_same_again_is_fine(self):
        body = {"name": "shop/gifts", "parent": "shop", "holders": ["aylin"], "capacity": 5, "title": "Gifts"}
        self.assertEqual(self.post("/v1/roles", body).status, 201)
        self.assertEqual(self.post("/v1/roles", body).status, 200)
        self.problem(self.post("/v1/roles", {**body, "capacity": 6}), 409, "conflict")
        role = self.roles()["shop/gifts"]
        self.assertEqual((role["capacity"], role["title"], role["queued"]), (5, "Gifts", 0))
        self.assertEqual(self.send("shop/gifts", who="ben")["position"], 1)

    def test_what_cannot_be_a_role_is_refused_with_the_reason(self):
        cases = [
            ({"name": "Bad Name"}, 400, "malformed"),
            ({"name": "x" * 129}, 400, "malformed"),
            ({"name": "new", "parent": "nowhere"}, 404, "not-found"),
            ({"name": "new", "holders": ["nobody"]}, 404, "not-found"),
            ({"name": "new", "holders": ["ben", "ben"]}, 400, "malformed"),
            ({"name": "new", "holders": "ben"}, 400, "malformed"),
            ({"name": "new", "capacity": 0}, 400, "malformed"),
            ({"name": "new", "colour": "red"}, 400, "malformed"),
            ({}, 400, "malformed"),
        ]
        for body, status, kind in cases:
            with self.subTest(body=body):
                self.assertTrue(self.problem(self.post("/v1/roles", body), status, kind))
        self.assertNotIn("new", self.roles())

    def test_a_name_at_its_limit_is_taken(self):
        name = "n" * 128
        body = {"name": name, "parent": "shop", "holders": ["ben"]}
        self.assertEqual(self.post("/v1/roles", body).status, 201)
        self.assertEqual(self.send(name, who="ben")["role"], name)

    def test_an_actor_is_made_once_and_has_a_mailbox(self):
        body = {"name": "nora", "kind": "person", "display": "Nora <N>", "mail": "nora@larkfield.example"}
        self.assertEqual(self.post("/v1/actors", body).status, 201)
        self.assertEqual(self.post("/v1/actors", body).status, 200)
        self.problem(self.post("/v1/actors", {**body, "kind": "program"}), 409, "conflict")
        taken = {"name": "other", "kind": "person", "mail": "ben@larkfield.example"}
        self.problem(self.post("/v1/actors", taken), 409, "conflict")
        self.problem(self.post("/v1/actors", {"name": "two/parts", "kind": "person"}), 400, "malformed")
        self.problem(self.post("/v1/actors", {"name": "x", "kind": "robot"}), 400, "malformed")
        self.assertEqual(self.send("@nora", who="ben")["role"], "@nora")
        actors = {actor["name"]: actor for actor in self.get("/v1/actors").json["actors"]}
        self.assertEqual(actors["nora"]["display"], "Nora <N>")
        self.assertIn(b"Nora \\u003cN>", self.get("/v1/actors").bytes)
        self.assertEqual(actors["refund-bot"]["wip_limit"], 10)

    # --- domains ------------------------------------------------------------------------------------------

    def test_a_path_has_the_owner_of_the_most_precise_pattern(self):
        owners = self.expect(200, self.get("/v1/owner?path=payments/refunds/run.c&all=1"))["owners"]
        self.assertEqual([o["role"] for o in owners], ["payments/refunds", "payments/oncall"])
        self.assertEqual(owners[0]["pattern"], "/payments/refunds/")
        only = self.expect(200, self.get("/v1/owner?path=payments/refunds/run.c"))
        self.assertEqual([o["domain"] for o in only["owners"]], ["refunds"])
        self.assertEqual(only["path"], "payments/refunds/run.c")
        checkout = self.get("/v1/owner?path=shop/cart/a%20b.c").json["owners"][0]
        self.assertEqual((checkout["holder"], checkout["deputies"]), ("jonas", ["aylin"]))
        self.assertEqual(self.get("/v1/owner?path=nobody/knows").json["owners"], [])
        self.assertIsNone(self.get("/v1/owner?path=shop/search/x").json["owners"][0]["holder"])

    def test_what_is_no_path_is_refused(self):
        for path in ("", "/absolute", "a//b", "../up", "a/./b"):
            self.problem(self.get(f"/v1/owner?path={path}"), 400, "malformed")
        self.problem(self.get("/v1/owner"), 400, "malformed")
        self.problem(self.get("/v1/owner?path=a&all=yes"), 400, "malformed")
        self.problem(self.get("/v1/owner?path=" + "x" * 4097), 413, "too-large")

    def test_a_domain_has_one_owner_who_is_named_to_the_next(self):
        body = {"name": "cats", "owner": "office", "patterns": ["/cats/", "!/cats/wild/"]}
        self.assertEqual(self.post("/v1/domains", body).status, 201)
        self.assertEqual(self.post("/v1/domains", body).status, 200)
        taken = self.problem(self.post("/v1/domains", {**body, "owner": "shop/checkout"}), 409, "conflict")
        self.assertIn("office", taken)
        self.assertEqual(self.get("/v1/owner?path=cats/tom").json["owners"][0]["role"], "office")
        self.assertEqual(self.get("/v1/owner?path=cats/wild/lynx").json["owners"], [])
        self.problem(self.post("/v1/domains", {**body, "name": "x", "owner": "no/role"}), 404, "not-found")
        bad = self.post("/v1/domains", {"name": "x", "owner": "office", "patterns": ["[unclosed"]})
        self.assertIn("[unclosed", self.problem(bad, 400, "malformed"))

    # --- imports ------------------------------------------------------------------------------------------

    def test_maintainers_become_roles_people_and_domains_once(self):
        first = self.expect(200, self.post("/v1/import/maintainers?team=things", MAINTAINERS))
        self.assertEqual((first["domains"], first["roles"], first["people"], first["vacant"]), (3, 3, 2, 1))
        again = self.expect(200, self.post("/v1/import/maintainers?team=things", MAINTAINERS))
        self.assertEqual((again["actors_made"], again["roles_made"], again["domains_changed"]), (0, 0, 0))
        owners = self.get("/v1/owner?path=first/inner/x&all=1").json["owners"]
        self.assertEqual([o["role"] for o in owners], ["things/third-thing", "things/first-thing"])
        roles = self.roles()
        self.assertEqual(len(roles["things/first-thing"]["holders"]), 2)
        self.assertTrue(roles["things/second-thing"]["vacant"])
        receipt = self.send("things/first-thing", "a patch", "ben")
        holder = roles["things/first-thing"]["holders"][0]
        self.assertEqual(self.take(holder)[0]["id"], receipt["id"])

    def test_a_maintainers_file_with_problems_changes_nothing(self):
        before = self.roles()
        bad = self.post("/v1/import/maintainers?team=bad", "TITLE\nM: no address\nF: x/\n")
        self.assertRegex(self.problem(bad, 400, "malformed"), r"^line 2: .* \(lines with problems: 1\)$")
        self.problem(self.post("/v1/import/maintainers?team=bad", ""), 400, "malformed")
        self.assertEqual(self.roles().keys(), before.keys())

    def test_the_sample_again_changes_nothing(self):
        accepted = self.server.check()["accepted"]
        with open(SAMPLE, encoding="utf-8") as file:
            sample = json.load(file)
        counts = self.expect(200, self.post("/v1/import/organisation", sample))
        self.assertEqual(counts["messages"], len(sample["messages"]))
        self.assertEqual(self.server.check()["accepted"], accepted)

    def test_an_import_names_the_element_that_is_wrong(self):
        cases = [
            ({"actors": [{"name": "a1", "kind": "person"}, {"name": "a2"}]}, 400, 'actors[1]'),
            ({"roles": [{"name": "r1", "parent": "nowhere"}]}, 404, "roles[0]"),
            ({"domains": [{"name": "d1", "owner": "office", "patterns": [5]}]}, 400, "patterns[0]"),
            ({"messages": [{"from": "ben", "to": "nowhere", "subject": "s"}]}, 404, "messages[0]"),
            ({"messages": [{"from": "ben", "to": "office"}]}, 400, "messages[0].subject"),
            ({"people": []}, 400, "people"),
        ]
        for body, status, part in cases:
            with self.subTest(body=body):
                kind = "malformed" if status == 400 else "not-found"
                self.assertIn(part, self.problem(self.post("/v1/import/organisation", body), status, kind))

    def test_an_import_of_more_events_than_the_journal_takes_at_once_is_refused(self):
        before = self.roles().keys()
        many = {"roles": [{"name": f"many/{i:05}", "title": "x" * 30} for i in range(100_000)]}
        detail = self.problem(self.post("/v1/import/organisation", many), 413, "too-large")
        self.assertRegex(detail, r"roles\[\d{5}\]: .* 15 MiB of events")
        self.assertEqual(self.roles().keys(), before)
        self.expect(201, self.post("/v1/roles", {"name": "many-more", "holders": ["ben"]}))
        counts = self.expect(200, self.post("/v1/import/organisation", {"roles": many["roles"][:100]}))
        self.assertEqual(counts["roles"], 100)

    def test_an_import_is_done_whole_or_not_at_all(self):
        good = {
            "actors": [{"name": "all-1", "kind": "person"}],
            "roles": [{"name": "all/first", "holders": ["all-1"], "on_absent": "wait", "open": True}],
            "domains": [{"name": "all", "owner": "all/first", "patterns": ["/all/"]}],
            "messages": [{"from": "all-1", "to": "all/first", "subject": "s", "body": "b"}],
        }
        bad = {
            "actors": ({"name": "all-1", "kind": "program"}, 409, "actors[1]"),
            "roles": ({"name": "all/second", "holders": ["nobody"]}, 404, "roles[1]"),
            "domains": ({"name": "all", "owner": "office", "patterns": []}, 409, "domains[1]"),
            "messages": ({"from": "all-1", "to": "all/third", "subject": "s"}, 404, "messages[1]"),
        }
        version = self.get("/v1/tree").headers["ETag"]
        accepted = self.server.check()["accepted"]
        for part, (element, status, where) in bad.items():
            with self.subTest(part=part):
                body = {**good, part: [*good[part], element]}
                answer = self.post("/v1/import/organisation", body)
                kind = "conflict" if status == 409 else "not-found"
                self.assertIn(where, self.problem(answer, status, kind))
                self.assertNotIn("all/first", self.roles())
                self.assertNotIn("all-1", [one["name"] for one in self.get("/v1/actors").json["actors"]])
                self.assertEqual(self.get("/v1/owner?path=all/x").json["owners"], [])
                self.assertEqual(self.server.check()["accepted"], accepted)
        self.assertEqual(self.get("/v1/tree", headers={"If-None-Match": version}).status, 304)
        for _ in range(2):
            self.expect(200, self.post("/v1/import/organisation", good))
            self.assertEqual(self.roles()["all/first"]["queued"], 1)

    def test_a_message_that_no_role_would_take_refuses_the_whole_import(self):
        roles = [{"name": "narrow", "capacity": 1, "bytes_max": 100, "holders": ["ben"]}]
        message = {"from": "ben", "to": "narrow", "subject": "s"}
        cases = [
            ({**message, "body": "x" * 100}, 413, "too-large"),
            ({**message, "subject": "a\nb"}, 400, "malformed"),
            ({**message, "body": "\u0007"}, 400, "malformed"),
            ({**message, "from": "nobody"}, 404, "not-found"),
        ]
        for bad, status, kind in cases:
            with self.subTest(bad=bad):
                answer = self.post("/v1/import/organisation", {"roles": roles, "messages": [message, bad]})
                self.assertIn("messages[1]", self.problem(answer, status, kind))
                self.assertNotIn("narrow", self.roles())
        many = [{**message, "subject": f"{number}"} for number in range(3)]
        self.expect(200, self.post("/v1/import/organisation", {"roles": roles, "messages": many}))
        self.assertEqual(self.roles()["narrow"]["queued"], 3)  # a full mailbox does not halve an import

    def test_which_notices_one_gets_is_ones_own_choice(self):
        self.two_people()
        self.expect(201, self.post("/v1/actors", {"name": "nico", "kind": "person"}))
        token = self.token_of("nico")
        self.assertEqual(self.get("/v1/whoami", token=token).json["notices"], {"choice": "none"})
        digest = {"choice": "digest", "at": "09:30"}
        self.expect(200, self.post("/v1/notices", digest, token=token))
        notices = self.get("/v1/whoami", token=token).json["notices"]
        self.assertEqual((notices["choice"], notices["at"]), ("digest", "09:30"))
        self.assertEqual(notices["next"] // 60000 % 1440, 9 * 60 + 30)
        other = {"choice": "none", "actor": "edda"}
        self.problem(self.post("/v1/notices", other, token=token), 403, "forbidden")
        self.expect(200, self.post("/v1/presence", {"present": False}, token=token))
        self.assertNotIn("next", self.get("/v1/whoami", token=token).json["notices"])
        self.expect(200, self.post("/v1/presence", {"present": True}, token=token))
        self.expect(200, self.post("/v1/notices", {"choice": "urgent"}, token=token))
        self.assertIn("next", self.get("/v1/whoami", token=token).json["notices"])

    # --- the audit log ------------------------------------------------------------------------------------

    def test_every_change_is_in_the_audit_log_with_who_made_it_for_whom(self):
        everything = self.audit()
        self.assertEqual([event["seq"] for event in everything], list(range(1, len(everything) + 1)))
        own = self.expect(200, self.get("/v1/whoami"))["actor"]
        self.expect(201, self.post("/v1/roles", {"name": "audited", "holders": ["ben"]}))
        away = {"present": False}
        self.expect(200, self.post("/v1/presence", away, "ben"))
        self.expect(200, self.post("/v1/presence", {"present": True}, token=self.token_of("ben")))
        self.problem(self.post("/v1/roles", {"name": "audited", "capacity": 5}), 409, "conflict")
        made, gone, token, back = self.audit(len(everything))
        self.assertEqual((made["event"], made["body"]["name"]), ("org_role_set", "audited"))
        self.assertEqual((made["body"]["by"], made["body"]["via"]), (own, ""))
        self.assertEqual((gone["event"], gone["body"]["by"], gone["body"]["via"]),
                         ("org_calendar_set", "ben", own))
        self.assertEqual((token["event"], token["body"]["actor"]), ("org_token_added", "ben"))
        self.assertEqual((back["body"]["by"], back["body"]["via"]), ("ben", ""))
        self.assertGreater(back["body"]["at"], made["body"]["at"] - 1)
        self.problem(self.get("/v1/audit", token=self.token_of("ben")), 403, "forbidden")

    def audit(self, after=0):
        """All events from there on, three at a time."""
        events = []
        while True:
            piece = self.expect(200, self.get(f"/v1/audit?after={after}&limit=3"))
            self.assertLessEqual(len(piece["events"]), 3)
            events += piece["events"]
            if "next" not in piece:
                return events
            after = piece["next"]

    # --- changes of what is there -------------------------------------------------------------------------

    def two_people(self):
        for name in ("lutz", "edda"):
            self.assertIn(self.post("/v1/actors", {"name": name, "kind": "person"}).status, (200, 201))

    def test_holders_are_changed_and_a_role_may_become_vacant(self):
        self.two_people()
        self.expect(201, self.post("/v1/roles", {"name": "lab", "holders": ["lutz"]}))
        self.expect(200, self.post("/v1/holders", {"role": "lab", "holders": ["edda", "lutz"]}))
        self.assertEqual(self.roles()["lab"]["holder"], "edda")
        self.expect(200, self.post("/v1/holders", {"role": "lab", "holders": []}))
        self.assertEqual(self.roles()["lab"]["vacant"], True)
        self.problem(self.post("/v1/holders", {"role": "nowhere", "holders": []}), 404, "not-found")
        self.problem(self.post("/v1/holders", {"role": "lab", "holders": ["nobody"]}), 404, "not-found")
        token = self.token_of("lutz")
        self.problem(self.post("/v1/holders", {"role": "lab", "holders": []}, token=token), 403, "forbidden")

    def test_a_domain_is_transferred_by_its_owner(self):
        self.two_people()
        self.expect(201, self.post("/v1/roles", {"name": "keep", "holders": ["lutz"]}))
        self.expect(201, self.post("/v1/roles", {"name": "other", "holders": ["edda"]}))
        domain = {"name": "vault", "owner": "keep", "patterns": ["/vault/"]}
        self.expect(201, self.post("/v1/domains", domain))
        give = {"name": "vault", "owner": "other"}
        self.problem(self.post("/v1/domains/transfer", give, token=self.token_of("edda")), 403, "forbidden")
        self.expect(200, self.post("/v1/domains/transfer", give, token=self.token_of("lutz")))
        owner = self.get("/v1/owner?path=vault/x").json["owners"][0]
        self.assertEqual(owner["role"], "other")

    def test_a_revoked_token_is_good_no_longer(self):
        self.two_people()
        token = self.token_of("lutz")
        other = self.token_of("edda")
        self.problem(self.post("/v1/tokens/revoke", {"token": token}, token=other), 403, "forbidden")
        self.expect(200, self.post("/v1/tokens/revoke", {"token": token}, token=token))
        self.problem(self.get("/v1/whoami", token=token), 401, "unauthorized")
        self.expect(200, self.post("/v1/tokens/revoke", {"token": other}))
        self.problem(self.get("/v1/whoami", token=other), 401, "unauthorized")
        self.problem(self.post("/v1/tokens/revoke", {"token": "no such"}), 404, "not-found")

    def test_whoever_is_away_is_passed_over(self):
        self.two_people()
        self.expect(201, self.post("/v1/roles", {"name": "desk", "holders": ["lutz", "edda"]}))
        token = self.token_of("lutz")
        self.expect(200, self.post("/v1/presence", {"present": False}, token=token))
        self.assertEqual(self.get("/v1/whoami", token=token).json["present"], False)
        self.assertEqual(self.roles()["desk"]["holder"], "edda")
        self.problem(self.post("/v1/presence", {"present": False, "actor": "edda"}, token=token),
                     403, "forbidden")
        self.expect(200, self.post("/v1/presence", {"present": True}, token=token))
        self.assertEqual(self.roles()["desk"]["holder"], "lutz")

    def test_a_calendar_has_a_zone_days_and_times(self):
        self.two_people()
        good = {"actor": "lutz", "zone": "Europe/Berlin", "days": ["mon", "fri"], "from": "09:00",
                "to": "17:30", "absences": [{"from": 4102444800000}]}
        self.expect(200, self.post("/v1/calendar", good))
        for change in ({"zone": "Europe/Nowhere"}, {"zone": "../../etc/passwd"}, {"days": ["monday"]},
                       {"from": "9:00"}, {"to": "24:01"}, {"to": "09:00"}, {"absences": [{"until": 5}]}):
            with self.subTest(change=change):
                self.problem(self.post("/v1/calendar", {**good, **change}), 400, "malformed")

    def test_whoever_leaves_hands_on_every_role(self):
        self.two_people()
        self.expect(201, self.post("/v1/actors", {"name": "gone", "kind": "person"}))
        self.expect(201, self.post("/v1/roles", {"name": "post", "holders": ["gone", "edda"]}))
        token = self.token_of("gone")
        self.problem(self.post("/v1/leave", {"actor": "gone"}, token=token), 403, "forbidden")
        self.expect(200, self.post("/v1/leave", {"actor": "gone"}))
        self.assertEqual(self.roles()["post"]["holder"], "edda")
        self.problem(self.get("/v1/whoami", token=token), 401, "unauthorized")
        receipt = self.expect(202, self.post("/v1/send", {"to": "@gone", "subject": "s", "reply": False}))
        self.assertEqual((receipt["holder"], receipt["availability"]), (None, "vacant"))

    def test_nobody_is_told_of_the_end_when_no_reply_is_wanted(self):
        self.two_people()
        self.expect(201, self.post("/v1/roles", {"name": "quiet", "holders": ["lutz"]}))
        before = self.server.check()["accepted"]
        self.expect(202, self.post("/v1/send", {"to": "quiet", "subject": "s", "reply": False}))
        taken = self.expect(200, self.post("/v1/next", {"role": "quiet"}, "lutz"))["messages"][0]
        self.expect(200, self.post("/v1/done", {"id": taken["id"]}, "lutz"))
        self.assertEqual(self.server.check()["accepted"], before + 1)

    def test_the_kernels_maintainers_are_2614_domains(self):
        path = os.path.join(SOURCE, "..", "shared", "data", "linux-6.1-MAINTAINERS")
        if not os.path.exists(path):
            self.skipTest("the kernel's file is not beside this tree")
        with open(path, "rb") as file:
            counts = self.expect(200, self.post("/v1/import/maintainers?team=linux", file.read()))
        self.assertEqual(counts["domains"], 2614)
        owner = self.get("/v1/owner?path=drivers/net/ethernet/3com/3c59x.c").json["owners"][0]
        self.assertEqual(owner["role"], "linux/3c59x-network-driver")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
