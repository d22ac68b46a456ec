# SPDX-License-Identifier: MIT
"""What troubles an organisation, over HTTP: nothing at first, then one thing after the other."""

import time
import unittest

from serving import ServerCase

LISTS = ("alarms", "vacant", "alone", "unowned", "redirects", "unheard", "full", "late")


class Health(ServerCase):
    # Roles fall asleep soon, so that some of those that are asked have to be woken.
    arguments = ("--idle", "200")

    def health(self, who=None):
        return self.expect(200, self.get("/v1/health/organisation", who))

    def find(self, name, **wanted):
        """The element of a list that has these members, or None."""
        found = [one for one in self.health()[name] if all(one[key] == wanted[key] for key in wanted)]
        return found[0] if found else None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben", "zoe", root=["ann", "ben"])

    def test_1_a_sound_organisation_has_nothing_to_tell(self):
        self.assertEqual(self.health(), {**{name: [] for name in LISTS}, "healthy": True})
        self.assertEqual(self.get("/v1/whoami").json["alarms"], 0)

    def test_2_a_vacant_role_and_its_domain_are_told_and_alarm_everywhere(self):
        self.server.make(empty=[])
        domain = {"name": "land", "owner": "empty", "patterns": ["/land/"]}
        self.expect(201, self.post("/v1/domains", domain))
        health = self.health()
        self.assertEqual((health["healthy"], health["vacant"]), (False, [{"role": "empty"}]))
        self.assertEqual(health["unowned"], [{"domain": "land", "owner": "empty"}])
        self.assertEqual(health["alarms"], [{"role": "empty", "reason": "nobody holds it"}])
        tree = {role["name"]: role["alarm"] for role in self.get("/v1/tree").json["roles"]}
        self.assertEqual(tree, {"root": False, "empty": True})
        self.assertEqual(self.get("/v1/whoami", "zoe").json["alarms"], 1)
        self.expect(200, self.post("/v1/holders", {"role": "empty", "holders": ["ann", "ben"]}))
        self.assertTrue(self.health()["healthy"])

    def test_3_one_holder_alone_and_circles_are_told(self):
        self.server.make(single=["zoe"], one=["ann", "ben"], two=["ann", "ben"])
        self.assertEqual(self.find("alone", role="single"), {"role": "single", "holder": "zoe"})
        for name, to in (("one", "two"), ("two", "one")):
            change = {"name": name, "overflow": "redirect", "redirect_to": to}
            self.expect(200, self.post("/v1/roles/change", change))
        circle = [{"role": "one", "to": "two"}, {"role": "two", "to": "one"}]
        self.assertEqual(self.health()["redirects"], circle)
        self.expect(200, self.post("/v1/holders", {"role": "root", "holders": ["ann"]}))
        self.assertIn({"role": "one", "holder": "ann"}, self.health()["unheard"])
        self.expect(200, self.post("/v1/holders", {"role": "root", "holders": ["ann", "ben"]}))
        self.assertEqual(self.health()["unheard"], [])

    def test_4_a_full_mailbox_is_told_and_a_personal_one_to_its_owner_alone(self):
        self.expect(201, self.post("/v1/roles", {"name": "small", "holders": ["zoe"], "capacity": 1}))
        self.send("small", who="ann")
        self.assertEqual(self.find("full", role="small"), {"role": "small", "occupied": 1, "capacity": 1})
        self.take("zoe", role="small")
        (small,) = [role for role in self.get("/v1/tree").json["roles"] if role["name"] == "small"]
        self.assertEqual((small["occupied"], small["queued"]), (1, 0))
        for number in range(20):
            self.send("@zoe", f"{number}", "ann")
        full = {"role": "@zoe", "occupied": 20, "capacity": 20}
        self.assertIn(full, self.health("zoe")["full"])
        self.assertNotIn(full, self.health("ann")["full"])

    def test_5_what_is_held_or_failed_beyond_its_deadline_is_told_from_sleeping_roles_too(self):
        deadline = int(time.time() * 1000) + 300
        self.expect(201, self.post("/v1/roles", {"name": "work", "holders": ["ben"]}))
        held = self.send("work", deadline=deadline, who="zoe")["id"]
        self.assertEqual(self.take("ben", role="work")[0]["id"], held)
        self.assertEqual(self.health()["late"], [])
        time.sleep(0.9)
        late = {"role": "work", "id": held, "state": "held", "deadline": deadline, "holder": "ben"}
        self.assertEqual(self.health()["late"], [late])
        self.expect(200, self.post("/v1/fail", {"id": held, "reason": "too late"}, "ben"))
        self.assertEqual(self.find("late", id=held)["state"], "quarantined")
        self.server.settled()

    def test_6_what_waits_at_the_root_for_a_decision_is_an_alarm(self):
        failed = self.send("root", who="zoe")["id"]
        for message in iter(lambda: self.take("ann", role="root"), []):
            if message[0]["id"] == failed:
                self.expect(200, self.post("/v1/fail", {"id": failed, "reason": "no"}, "ann"))
                break
            self.expect(200, self.post("/v1/decline", {"id": message[0]["id"], "reason": "no"}, "ann"))
        self.assertIn("decision", self.find("alarms", role="root")["reason"])
        self.expect(200, self.post("/v1/settle", {"role": "root", "id": failed, "action": "decline"}))
        self.assertIsNone(self.find("alarms", role="root"))


if __name__ == "__main__":
    unittest.main()
