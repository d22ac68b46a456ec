# SPDX-License-Identifier: MIT
"""Calendars kept elsewhere: who is away by them, who may bring them along, and what comes of a bad one."""

import datetime
import unittest

from serving import ServerCase

CALENDAR = "BEGIN:VCALENDAR\r\nX-WR-CALNAME:Work\r\n{}END:VCALENDAR\r\n"
EVENT = ("BEGIN:VEVENT\r\nUID:{}\r\nDTSTART;VALUE=DATE:{:%Y%m%d}\r\nDTEND;VALUE=DATE:{:%Y%m%d}\r\n"
         "END:VEVENT\r\n")
BAD_EVENT = "BEGIN:VEVENT\r\nUID:x\r\nDTSTART:soon\r\nEND:VEVENT\r\n"
ONE_DAY = datetime.timedelta(days=1)


class Calendars(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.make("ann", "ben", "cid", root=["ann"], docs=["ben", "ann"])
        cls.today = datetime.datetime.now(datetime.timezone.utc).date()

    def days(self, uid, first, last):
        """A whole-day event from so many days after today to so many."""
        return EVENT.format(uid, self.today + first * ONE_DAY, self.today + last * ONE_DAY)

    def bring(self, who, *events, query="", **more):
        return self.post(f"/v1/calendar/import{query}", CALENDAR.format("".join(events)), who, **more)

    def is_present(self, who):
        return self.expect(200, self.get("/v1/whoami", who))["present"]

    def test_absence_of_a_calendar_is_one_until_the_calendar_says_otherwise(self):
        away = self.expect(200, self.bring("ben", self.days("a", -1, 2), self.days("b", 9, 10)))
        self.assertEqual(away, {"name": "ben", "calendar": "Work", "events": 2, "away": 2, "absences": 2,
                                "changed": True})
        self.assertFalse(self.is_present("ben"))
        role = self.expect(200, self.get("/v1/role?name=docs"))
        self.assertEqual(role["holder"], "ann")
        again = self.expect(200, self.bring("ben", self.days("a", -1, 2), self.days("b", 9, 10)))
        self.assertFalse(again["changed"])
        self.server.kill()
        self.server.start()
        self.assertFalse(self.is_present("ben"))
        self.assertTrue(self.expect(200, self.bring("ben", self.days("b", 9, 10)))["changed"])
        self.assertTrue(self.is_present("ben"))
        self.assertEqual(self.expect(200, self.get("/v1/role?name=docs"))["holder"], "ben")

    def test_absences_by_hand_stay(self):
        self.expect(200, self.post("/v1/presence", {"present": False}, "cid"))
        self.expect(200, self.bring("cid", self.days("a", -1, 2)))
        self.expect(200, self.bring("cid"))
        self.assertFalse(self.is_present("cid"))
        self.expect(200, self.post("/v1/presence", {"present": True}, "cid"))
        self.assertTrue(self.is_present("cid"))

    def test_calendar_is_its_owners_and_administrators(self):
        token = self.expect(201, self.post("/v1/tokens", {"actor": "cid"}))["token"]
        self.problem(self.bring(None, query="?actor=ann", token=token), 403, "forbidden")
        self.assertEqual(self.expect(200, self.bring(None, token=token))["name"], "cid")
        self.assertEqual(self.expect(200, self.bring(None, query="?actor=ann"))["name"], "ann")
        self.problem(self.bring(None, query="?actor=nobody"), 404, "not-found")
        reader = self.expect(201, self.post("/v1/tokens", {"actor": "cid", "scopes": ["read"]}))["token"]
        self.problem(self.bring(None, token=reader), 403, "forbidden")

    def test_bad_file_is_refused_whole_with_its_line(self):
        before = self.is_present("ann")
        bad = self.bring("ann", self.days("a", -1, 2), BAD_EVENT)
        self.assertIn("line 10: DTSTART cannot be", self.problem(bad, 400, "malformed"))
        self.assertEqual(self.is_present("ann"), before)
        empty = self.post("/v1/calendar/import", "", "ann")
        self.assertIn("no calendar", self.problem(empty, 400, "malformed"))
        large = self.bring("ann", "X-PAD:" + "x" * (4 << 20) + "\r\n")
        self.assertIn("bytes; 4194304 are the most", self.problem(large, 413, "too-large"))
        named = self.bring("ann", query="?calendar=" + "n" * 257)
        self.assertIn("more than 256 bytes", self.problem(named, 413, "too-large"))


if __name__ == "__main__":
    unittest.main()
