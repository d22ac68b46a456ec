# SPDX-License-Identifier: MIT
"""One role over HTTP: how it is set up and changed, that its rules are what happens, who may read what, notes
for whoever is next, and who settles what failed at the root."""

import time
import unittest

from serving import ServerCase


class Roles(ServerCase):
    count = 0

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben", "zoe", programs=("bot",), root=["ann"])

    def role(self, *holders, **more):
        Roles.count += 1
        name = f"role-{Roles.count}"
        self.expect(201, self.post("/v1/roles", {"name": name, "holders": list(holders), **more}))
        return name

    def look(self, name, who="zoe"):
        return self.expect(200, self.get(f"/v1/role?name={name}", who, token=self.token(who)))

    tokens = {}

    def token(self, actor):
        if actor not in self.tokens:
            self.tokens[actor] = self.expect(201, self.post("/v1/tokens", {"actor": actor}))["token"]
        return self.tokens[actor]

    def change(self, name, **more):
        return self.expect(200, self.post("/v1/roles/change", {"name": name, **more}))

    # --- how it is set up ---------------------------------------------------------------------------------

    def test_a_role_says_how_it_is_set_up(self):
        role = self.look(self.role("ann", "ben"))
        self.assertEqual(role["supervisor"], "root")
        self.assertEqual([holder["name"] for holder in role["holders"]], ["ann", "ben"])
        self.assertTrue(all(holder["present"] for holder in role["holders"]))
        self.assertEqual((role["holder"], role["availability"]), ("ann", "available"))
        self.assertEqual((role["capacity"], role["overflow"], role["open"]), (20, "refuse", False))
        rules = [role[rule] for rule in ("on_crash", "on_lapse", "on_fail")]
        self.assertEqual(rules, ["retry", "reassign", "escalate"])
        self.assertEqual((role["on_absent"], role["on_overflow"]), ("escalate", "escalate"))
        self.assertEqual((role["failures_max"], role["failures_period_ms"]), (5, 86400000))
        self.assertNotIn("redirect_to", role)
        self.problem(self.get("/v1/role?name=nowhere"), 404, "not-found")
        self.assertIn('"name"', self.problem(self.get("/v1/role"), 400, "malformed"))
        self.assertIn('"name"', self.problem(self.get("/v1/role?name=No+Name"), 400, "malformed"))

    def test_every_value_is_set_when_it_is_made_and_changed_one_by_one(self):
        first = {"capacity": 3, "bytes_max": 5000, "lease_ms": 6000, "ageing_ms": 7000, "overflow": "shed",
                 "on_fail": "retry", "on_lapse": "escalate", "on_crash": "decline", "on_absent": "wait",
                 "on_overflow": "ignore", "refusals_max": 8, "refusals_period_ms": 9000, "failures_max": 10,
                 "failures_period_ms": 11000, "open": True}
        name = self.role("ann", **first)
        expected = dict(first)
        self.assertEqual({key: self.look(name)[key] for key in first}, expected)
        others = {"capacity": 4, "bytes_max": 50, "lease_ms": 60, "ageing_ms": 70, "overflow": "refuse",
                  "on_fail": "decline", "on_lapse": "retry", "on_crash": "reassign", "on_absent": "decline",
                  "on_overflow": "escalate", "refusals_max": 80, "refusals_period_ms": 90,
                  "failures_max": 100, "failures_period_ms": 110, "open": False}
        for key, value in others.items():
            self.change(name, **{key: value})
            expected[key] = value
            with self.subTest(key=key):
                self.assertEqual({key: self.look(name)[key] for key in first}, expected)
        self.change(name, capacity=0, refusals_max=0, lease_ms=0)
        role = self.look(name)
        self.assertEqual((role["capacity"], role["refusals_max"], role["lease_ms"]), (20, 10, 259200000))

    def test_title_place_and_succession_are_changed_and_the_rest_stays(self):
        team = self.role("ben", team=True)
        name = self.role("ann", title="One", capacity=3)
        self.change(name, title="Two", parent=team, supervisor=team, holders=["ben", "ann"])
        tree = {role["name"]: role for role in self.get("/v1/tree").json["roles"]}
        role = tree[name]
        self.assertEqual((role["title"], role["parent"], role["supervisor"]), ("Two", team, team))
        self.assertEqual((role["holders"], role["capacity"]), (["ben", "ann"], 3))
        self.change(name, title="", supervisor="", holders=None)
        role = {role["name"]: role for role in self.get("/v1/tree").json["roles"]}[name]
        self.assertNotIn("title", role)
        self.assertEqual((role["supervisor"], role["holders"]), (team, ["ben", "ann"]))
        self.problem(self.post("/v1/roles/change", {"name": team, "parent": name}), 409, "conflict")
        self.problem(self.post("/v1/roles/change", {"name": "nowhere"}), 404, "not-found")
        answer = self.post("/v1/roles/change", {"name": name}, token=self.token("ben"))
        self.problem(answer, 403, "forbidden")

    def test_where_a_full_mailbox_redirects_to_goes_with_redirecting(self):
        other = self.role("ben")
        name = self.role("ann", capacity=1)
        for body in ({"overflow": "redirect"}, {"redirect_to": other}):
            answer = self.post("/v1/roles/change", {"name": name, **body})
            self.assertIn("redirect_to", self.problem(answer, 400, "malformed"))
        self.change(name, overflow="redirect", redirect_to=other)
        self.send(name)
        full = self.expect(200, self.post("/v1/send", {"to": name, "subject": "more"}))
        self.assertEqual((full["state"], full["redirect_to"]), ("redirected", other))
        self.change(name, overflow="refuse")
        self.problem(self.post("/v1/send", {"to": name, "subject": "more"}), 429, "full")

    # --- a supervisor's rules -----------------------------------------------------------------------------

    def effective(self, name):
        role = self.look(name)
        return {kind: role["on_" + kind] for kind in ("fail", "lapse", "crash", "absent", "overflow")}

    DEFAULTS = {"fail": "escalate", "lapse": "reassign", "crash": "retry", "absent": "escalate",
                "overflow": "escalate"}

    def test_a_supervisors_rules_are_those_of_all_its_children(self):
        rules = [{"on": ["fail"], "do": "decline", "roles": "@*"},
                 {"on": ["fail", "crash"], "do": "reassign"},
                 {"on": ["absent"], "do": "wait"}, {"on": ["overflow"], "do": "ignore"}]
        team = self.role("ben", team=True, rules=rules)
        plain = self.role("ann", parent=team)
        own = self.role("ann", parent=team, on_fail="retry")
        other = self.role("ann")
        self.expect(201, self.post("/v1/actors", {"name": "pia", "kind": "person", "team": team}))
        expected = {"fail": "reassign", "lapse": "reassign", "crash": "reassign", "absent": "wait",
                    "overflow": "ignore"}
        self.assertEqual(self.effective(plain), expected)
        self.assertEqual(self.effective(own), {**expected, "fail": "retry"})
        self.assertEqual(self.effective("@pia"), {**expected, "fail": "decline"})
        self.assertEqual(self.effective(other), self.DEFAULTS)
        self.assertEqual(self.effective(team), self.DEFAULTS)
        self.assertEqual(self.look(team)["rules"], rules)
        self.assertNotIn("rules", self.look(plain))
        self.assertEqual((self.look(own)["own"], self.look(plain)["own"]), (["fail"], []))
        self.change(own, on_fail="supervisor")
        self.assertEqual(self.effective(own), expected)
        # Other rules reach them too, and what happens goes by them.
        self.change(team, rules=[{"on": ["fail"], "do": "decline"}])
        for name in (plain, own, "@pia"):
            self.assertEqual(self.effective(name), {**self.DEFAULTS, "fail": "decline"})
        self.send(plain, "it fails", "zoe")
        (message,) = self.take("ann", role=plain)
        failure = {"id": message["id"], "reason": "no use"}
        self.assertEqual(self.expect(200, self.post("/v1/fail", failure, "ann"))["state"], "declined")
        self.server.settled()
        (told,) = self.take("zoe", role="@zoe")
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "zoe"))
        self.change(plain, title="Plain")  # what is not said stays
        self.assertEqual(self.look(team)["rules"], [{"on": ["fail"], "do": "decline"}])
        self.change(team, rules=[])
        self.assertNotIn("rules", self.look(team))
        self.assertEqual(self.effective(plain), self.DEFAULTS)

    def test_rules_that_are_none_are_refused_by_their_place(self):
        good = {"on": ["fail"], "do": "retry"}
        cases = [
            ({"on": ["fail"], "do": "wait"},
             '"rules[1].do" must be one of retry, reassign, escalate, decline'),
            ({"on": ["absent"], "do": "reassign"}, '"rules[1].do" must be one of wait, escalate, decline'),
            ({"on": ["absent", "fail"], "do": "retry"}, '"rules[1].do" must be one of escalate, decline'),
            ({"on": ["overflow"], "do": "decline"}, '"rules[1].do" must be one of ignore, escalate'),
            ({"on": [], "do": "retry"}, '"rules[1].on" must name at least one kind'),
            ({"do": "retry"}, '"rules[1].on"'),
            ({"on": ["fail"]}, '"rules[1].do"'),
            ({"on": ["fail", "burst"], "do": "retry"}, '"rules[1].on[1]" must be one of fail, lapse'),
            ({"on": ["fail", "fail"], "do": "retry"}, '"rules[1].on[1]": fail is there twice'),
            ({**good, "roles": "Docs"}, '"rules[1].roles" must be a name'),
            ({**good, "roles": "*" * 129}, '"rules[1].roles"'),
            ({**good, "more": 1}, "more"),
            ("retry", "rules[1]"),
        ]
        name = self.role("ann")
        for rule, said in cases:
            with self.subTest(rule=rule):
                answer = self.post("/v1/roles/change", {"name": name, "rules": [good, rule]})
                self.assertIn(said, self.problem(answer, answer.status, answer.json["type"].split(":")[-1]))
                self.assertIn(answer.status, (400, 413))
        self.expect(200, self.post("/v1/roles/change", {"name": name, "rules": [good] * 32}))
        answer = self.post("/v1/roles/change", {"name": name, "rules": [good] * 33})
        self.assertIn("rules", self.problem(answer, 413, "too-large"))
        wrong = {"name": name + "y", "rules": [{"on": ["fail"], "do": "x"}]}
        document = {"roles": [{"name": name + "x"}, wrong]}
        answer = self.post("/v1/import/organisation", document)
        self.assertIn('"roles[1].rules[0].do"', self.problem(answer, 400, "malformed"))

    def test_an_import_brings_rules_along(self):
        Roles.count += 1
        team, below = f"role-{Roles.count}-team", f"role-{Roles.count}-below"
        rules = [{"on": ["lapse"], "do": "escalate", "roles": "role-*"}]
        document = {"roles": [{"name": team, "rules": rules}, {"name": below, "parent": team}]}
        for _ in range(2):
            self.expect(200, self.post("/v1/import/organisation", document))
            self.assertEqual(self.effective(below), {**self.DEFAULTS, "lapse": "escalate"})
        self.assertEqual(self.look(team)["rules"], rules)
        audit = self.get("/v1/audit?limit=1000").json["events"]
        said = [event["body"] for event in audit if event["event"] == "org_failure_rules_set"]
        self.assertIn((team, "L 3 role-*"), [(body["name"], body["rules"]) for body in said])

    # --- its rules are what happens -----------------------------------------------------------------------

    def test_a_shedding_role_tells_the_sender_of_what_was_pushed_out(self):
        name = self.role("ann", capacity=1, overflow="shed")
        self.send(name, "slow", "zoe", **{"class": "bulk"})
        self.send(name, "quick", "ben", **{"class": "urgent"})
        self.server.settled()
        (told,) = self.take("zoe", role="@zoe")
        self.assertEqual((told["kind"], told["outcome"], told["subject"]), ("answer", "shed", "slow"))
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "zoe"))

    def test_what_waits_for_nobody_is_declined_where_that_is_the_rule(self):
        name = self.role(on_absent="decline")
        receipt = self.send(name, "anybody?", "zoe")
        end = time.monotonic() + 10
        while self.get(f"/v1/message?role={name}&id={receipt['id']}", "zoe").json["state"] != "declined":
            self.assertLess(time.monotonic(), end)
        self.server.settled()
        (told,) = self.take("zoe", role="@zoe")
        self.assertIn("nobody holds", told["body"])
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "zoe"))

    def test_a_failure_goes_by_the_rule_for_its_kind(self):
        name = self.role("ann", on_fail="decline", on_crash="reassign")
        self.send(name, "it fails", "zoe")
        (message,) = self.take("ann", role=name)
        crash = {"id": message["id"], "reason": "x", "crash": True}
        crashed = self.expect(200, self.post("/v1/fail", crash, "ann"))
        self.assertEqual(crashed["state"], "queued")
        (message,) = self.take("ann", role=name)
        failure = {"id": message["id"], "reason": "no use"}
        failed = self.expect(200, self.post("/v1/fail", failure, "ann"))
        self.assertEqual(failed["state"], "declined")
        self.server.settled()
        (told,) = self.take("zoe", role="@zoe")
        self.assertEqual(told["body"], "no use")
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "zoe"))

    # --- who may read what --------------------------------------------------------------------------------

    def test_bodies_are_for_sender_and_holders_unless_the_role_is_open(self):
        name = self.role("ann")
        path = f"/v1/message?role={name}&id={self.send(name, 'secret', 'ben', body='words')['id']}"
        for who in ("ann", "ben"):
            self.assertEqual(self.get(path, who).json["body"], "words")
        self.problem(self.get(path, "zoe"), 403, "forbidden")
        self.problem(self.get(path), 403, "forbidden")  # an administrator who has nothing to do with it
        self.change(name, open=True)
        self.assertEqual(self.get(path, "zoe").json["body"], "words")

    def test_a_personal_roles_figures_are_for_that_person(self):
        self.assertIn("queued", self.look("@ann", "ann"))
        other = self.look("@ann", "zoe")
        self.assertEqual(other["availability"], "available")
        for figure in ("queued", "held", "done", "occupied", "failures"):
            self.assertNotIn(figure, other)

    def test_figures_are_of_oneself_or_of_five_people_and_more(self):
        people = [f"fig-{number}" for number in range(5)]
        self.server.make(*people)
        team = self.role(team=True)
        for name, holders in (("below", people[:4]), ("robot", ["bot"])):
            role = {"name": f"{team}/{name}", "parent": team, "holders": holders}
            self.expect(201, self.post("/v1/roles", role))
        for number in range(3):
            self.send(f"@{people[number]}", "work", "zoe", reply=False)
        (message,) = self.take(people[0], role=f"@{people[0]}")
        self.expect(200, self.post("/v1/done", {"id": message["id"]}, people[0]))
        own = self.expect(200, self.get("/v1/figures", people[0]))
        self.assertEqual((own["people"], own["queued"], own["done"]), (1, 0, 1))
        few = self.problem(self.get(f"/v1/figures?team={team}", people[0]), 403, "forbidden")
        self.assertIn("5 people", few)  # four of them, and a program
        self.expect(200, self.post("/v1/holders", {"role": f"{team}/below", "holders": people}))
        group = self.expect(200, self.get(f"/v1/figures?team={team}", "zoe"))
        self.assertEqual((group["people"], group["queued"], group["done"]), (5, 2, 1))
        self.problem(self.get("/v1/figures?team=nowhere", "zoe"), 404, "not-found")

    # --- notes --------------------------------------------------------------------------------------------

    def test_a_note_is_for_those_who_hold_the_role_next(self):
        name = self.role("ann", "ben")
        body = {"role": name, "note": "the key is under the mat"}
        self.assertEqual(self.expect(200, self.post("/v1/handover", body, "ann")), {"role": name})
        note = self.look(name, "ben")["note"]
        self.assertEqual((note["text"], note["by"]), ("the key is under the mat", "ann"))
        self.assertNotIn("note", self.look(name, "zoe"))
        self.problem(self.post("/v1/handover", body, "zoe"), 403, "forbidden")
        self.problem(self.post("/v1/handover", {"role": "nowhere", "note": "x"}, "ann"), 404, "not-found")
        self.expect(200, self.post("/v1/handover", {"role": name, "note": ""}, "ben"))
        self.assertNotIn("note", self.look(name, "ann"))

    def test_whoever_goes_away_keeps_what_it_marks_and_is_asked_for_notes(self):
        self.server.make("kai")
        token = self.token("kai")
        names = [self.role("kai", "ben"), self.role("kai", "ben")]
        kept = self.send(names[0])["id"]
        (held,) = self.take("kai")
        self.assertEqual(held["id"], kept)
        away = {"present": False, "keeps": [kept]}
        not_held = {"present": False, "keeps": [kept, self.send(names[1])["id"]]}
        answer = self.post("/v1/presence", not_held, token=token)
        self.assertIn('"keeps[1]"', self.problem(answer, 404, "not-found"))
        for bad in ({"present": True, "keeps": [kept]}, {**away, "actor": "ben"}, {**away, "keeps": "x"},
                    {**away, "keeps": ["x"]}, {**away, "keeps": [3]}):
            answer = self.post("/v1/presence", bad, token=token)
            self.assertIn('"keeps', self.problem(answer, 400, "malformed"))
        answer = self.post("/v1/presence", {**away, "keeps": [kept] * 101}, token=token)
        self.assertIn('"keeps', self.problem(answer, 413, "too-large"))
        self.assertEqual(self.look(names[0])["held"], 1)
        gone = self.expect(200, self.post("/v1/presence", away, token=token))
        self.assertEqual(gone, {"name": "kai", "hand_over": names})
        self.assertEqual((self.look(names[0])["parked"], self.look(names[0])["holder"]), (1, "ben"))
        back = self.expect(200, self.post("/v1/presence", {"present": True}, token=token))
        self.assertEqual(back, {"name": "kai"})
        self.assertEqual(self.take("kai")[0]["id"], kept)
        self.expect(200, self.post("/v1/done", {"id": kept}, "kai"))

    # --- what failed at the root --------------------------------------------------------------------------

    def test_what_failed_at_the_root_is_settled_by_whoever_holds_it(self):
        receipt = self.send("root", "too high", "zoe")
        (message,) = self.take("ann", role="root")
        self.expect(200, self.post("/v1/fail", {"id": message["id"], "reason": "cannot"}, "ann"))
        root = self.look("root", "ann")
        self.assertEqual((root["alarm"], [one["id"] for one in root["failed"]]), (True, [receipt["id"]]))
        self.assertNotIn("failed", self.look("root", "zoe"))
        body = {"role": "root", "id": receipt["id"], "action": "done", "reason": "settled"}
        self.problem(self.post("/v1/settle", body, token=self.token("zoe")), 403, "forbidden")
        settled = self.expect(200, self.post("/v1/settle", body, token=self.token("ann")))
        self.assertEqual(settled["state"], "done")
        again = self.expect(200, self.post("/v1/settle", body, token=self.token("ann")))
        self.assertEqual(again, settled)
        other = dict(body, action="decline")
        self.problem(self.post("/v1/settle", other, token=self.token("ann")), 409, "conflict")
        self.assertEqual(self.look("root")["alarm"], False)
        self.server.settled()
        (told,) = self.take("zoe", role="@zoe")
        self.assertEqual(told["body"], "settled")
        self.expect(200, self.post("/v1/done", {"id": told["id"]}, "zoe"))

    def test_what_failed_below_is_its_supervisors_to_decide(self):
        name = self.role("ann")
        receipt = self.send(name, "it fails", "zoe", reply=False)
        (message,) = self.take("ann", role=name)
        self.expect(200, self.post("/v1/fail", {"id": message["id"], "reason": "cannot"}, "ann"))
        body = {"role": name, "id": receipt["id"], "action": "decline"}
        answer = self.post("/v1/settle", body, token=self.token("ann"))
        self.assertIn("supervisor", self.problem(answer, 403, "forbidden"))
        self.expect(200, self.post("/v1/settle", body))  # an administrator steps in


if __name__ == "__main__":
    unittest.main()
