# SPDX-License-Identifier: MIT
"""Bad input at every route, from one table: each member of each call in every wrong kind, too long, out of
its range and missing. It is refused with 400, or 413 where it is too much of it, the detail names the member,
and nothing has changed."""

import os
import re
import unittest

from serving import SOURCE, ServerCase

KIB = 1024
TIME_MAX = 2 ** 52
DAY_MS = 86400000
CONTROL = ["bell \x07", "escape \x1b[31m"]
ID = "0saaqk1xr0000"


class Member:
    """A member of a body: values that are wrong, and those that are too much."""

    def __init__(self, good, bad, too_much=(), required=False):
        self.good, self.bad, self.too_much, self.required = good, list(bad), list(too_much), required


def text(good, size_max, required=False, may_be_empty=False, lines=False):
    bad = [5, 1.5, True, [], {}, *CONTROL]
    bad += [] if may_be_empty else [""]
    bad += [] if lines else ["two\nlines"]
    return Member(good, bad, ["x" * (size_max + 1), "é" * (size_max // 2 + 1)], required)


def name(good, required=False, personal=False, may_be_empty=False):
    bad = [5, True, [], {}, "Capital", "a b", "a//b", "/a", "a/", ".", "..", "é", "@", "x" * 129]
    bad += [] if personal else ["@ann"]
    bad += [] if may_be_empty else [""]
    return Member(good, bad, ["x" * 5000], required)


def actor(good, required=False):
    bad = [5, True, [], {}, "", "Capital", "two/parts", "@ann", "x" * 128]
    return Member(good, bad, ["x" * 5000], required)


def number(good, least, most, required=False):
    bad = [str(good), 1.5, True, [], {}, "", least - 1, most + 1, -(2 ** 60)]
    return Member(good, bad, (), required)


def moment(good, required=False):
    return number(good, 1, TIME_MAX, required)


def flag(good):
    return Member(good, [0, 1, "true", "", [], {}])


def choice(good, required=False):
    return Member(good, ["nonsense", "", good.upper(), 5, True, [], {}], (), required)


def names(good, most=64, required=False):
    bad = ["ann", 5, True, {}, [5], [""], ["Capital"], ["ann", "@ann"], [["ann"]], [None]]
    return Member(good, bad, [["ann"] * (most + 1)], required)


def message_id(required=True):
    return Member(ID, [5, True, [], {}, "", "x", "0" * 13, ID + "0", ID[:-1]], ["x" * 5000], required)


RULES = {
    "capacity": number(5, 1, 10 ** 7),
    "bytes_max": number(500, 1, 16 << 30),
    "lease_ms": number(5, 1, 366 * DAY_MS),
    "ageing_ms": number(5, 1, 366 * DAY_MS),
    "overflow": choice("shed"),
    "on_fail": choice("retry"),
    "on_lapse": choice("decline"),
    "on_crash": choice("escalate"),
    "on_absent": choice("wait"),
    "on_overflow": choice("ignore"),
    "refusals_max": number(5, 1, 100),
    "refusals_period_ms": number(5, 1, 366 * DAY_MS),
    "failures_max": number(5, 1, 100),
    "failures_period_ms": number(5, 1, 366 * DAY_MS),
    "open": flag(True),
}
ROLE = {
    "title": text("A title", 256),
    "parent": name("team"),
    "supervisor": name("team"),
    "team": flag(False),
    "holders": names(["ann"]),
}


def again(member):
    """The same of a role that is there, where 0 and "" take back what was said."""
    is_said = isinstance(member.good, bool)
    bad = [value for value in member.bad if is_said or value != "" and (value != 0 or value is False)]
    return Member(member.good, bad, member.too_much)


CALLS = {
    "/v1/send": {
        "to": name("team", required=True, personal=True),
        "subject": text("A subject", 500, required=True),
        "body": text("A body", 256 * KIB, may_be_empty=True, lines=True),
        "attachments": text("https://example.org/1", 4 * KIB, may_be_empty=True, lines=True),
        "class": choice("bulk"),
        "deadline": moment(4 * 10 ** 12),
        "in_reply_to": message_id(required=False),
        "thread": message_id(required=False),
        "key": text("key", 128),
        "insist": flag(True),
        "reply": flag(False),
    },
    "/v1/next": {"role": name("team", personal=True), "wait_ms": number(1, 0, 60000), "end": flag(False)},
    "/v1/done": {"id": message_id(), "reply": text("ok", 256 * KIB, may_be_empty=True, lines=True),
                 "next": flag(True)},
    "/v1/decline": {"id": message_id(), "reason": text("no", 4 * KIB, required=True, lines=True)},
    "/v1/forward": {"id": message_id(), "to": name("team", required=True, personal=True),
                    "note": text("rather yours", 4 * KIB, may_be_empty=True, lines=True)},
    "/v1/renew": {"id": message_id()},
    "/v1/defer": {"id": message_id(), "until": moment(4 * 10 ** 12), "awaits": message_id(required=False),
                  "after_ms": Member(None, number(5, 1, 366 * DAY_MS).bad),
                  "reason": text("later", 4 * KIB, may_be_empty=True, lines=True)},
    "/v1/fail": {"id": message_id(), "reason": text("no luck", 4 * KIB, required=True, lines=True),
                 "crash": flag(True)},
    "/v1/resolve": {"id": message_id(), "action": choice("retry", required=True),
                    "reason": text("so", 4 * KIB, may_be_empty=True, lines=True)},
    "/v1/settle": {"role": name("team", required=True, personal=True), "id": message_id(),
                   "action": choice("done", required=True),
                   "reason": text("so", 4 * KIB, may_be_empty=True, lines=True)},
    "/v1/handover": {"role": name("team", required=True, personal=True),
                     "note": text("a note", 4 * KIB, required=True, may_be_empty=True, lines=True)},
    "/v1/actors": {
        "name": actor("new", required=True),
        "kind": choice("person", required=True),
        "display": text("New", 256),
        "mail": Member("new@example.org", [5, True, [], {}, "", "new", "@", "new@", "@new", "a b@c"],
                       ["x" * 255]),
        "team": name("team"),
        "wip_limit": number(5, 1, 1000),
        "administrator": flag(False),
    },
    "/v1/tokens": {
        "actor": actor("ann", required=True),
        "label": text("label", 256),
        "expires_at": Member(4 * 10 ** 12, [*moment(4 * 10 ** 12).bad, 1]),
        "scopes": Member(["read"], ["read", 5, {}, [], [5], [""], ["all"]], [["read"] * 5]),
    },
    "/v1/roles": {"name": name("new", required=True), **ROLE, **RULES},
    "/v1/roles/change": {"name": name("team", required=True),
                         **{key: again(member) for key, member in {**ROLE, **RULES}.items()
                            if key not in ("parent", "supervisor")}},
    "/v1/domains": {
        "name": name("new", required=True),
        "owner": name("team", required=True, personal=True),
        "title": text("A title", 256),
        "patterns": Member(["a/"], ["a/", 5, {}, [5], [""], ["[unclosed"], ["a\nb"], ["!"], ["x" * 513]],
                           [["a"] * 1001, ["x" * 600]], required=True),
    },
    "/v1/holders": {"role": name("team", required=True), "holders": names(["ann"], required=True)},
    "/v1/domains/transfer": {"name": name("land", required=True),
                             "owner": name("team", required=True, personal=True)},
    "/v1/tokens/revoke": {"token": Member("x", [5, True, [], {}, ""], ["x" * 5000], required=True)},
    "/v1/presence": {
        "present": Member(False, [0, "true", "", [], {}], required=True),
        "until": Member(4 * 10 ** 12, [*moment(4 * 10 ** 12).bad, 1]),
        "actor": actor("ann"),
        "keeps": Member([], ["x", 5, {}, [5], [""], ["x"]], [[ID] * 101]),
    },
    "/v1/calendar": {
        "actor": actor("ann"),
        "zone": Member("Europe/Berlin", [5, True, [], {}, "", "Nowhere/Land", "../etc/passwd"], ["x" * 5000]),
        "days": Member(["mon"], ["mon", 5, {}, [5], [""], ["monday"]], [["mon"] * 8]),
        "from": Member("09:00", [9, True, [], {}, "", "9:00", "09:60", "25:00", "noon"], ["0" * 5000], True),
        "to": Member("17:00", [9, True, [], {}, "", "9:00", "09:60", "24:01", "08:00", "09:00"], (), True),
        "absences": Member([{"from": 5, "until": 6}],
                           ["x", 5, {}, [5], [[]], [{}], [{"from": "5"}], [{"from": 0}],
                            [{"from": TIME_MAX + 1}], [{"from": 5, "until": 5}], [{"from": 5, "to": 6}]],
                           [[{"from": 5}] * 65]),
    },
    "/v1/notices": {
        "choice": choice("digest", required=True),
        "at": Member("09:00", [9, True, [], {}, "", "9:00", "09:60", "24:00", "noon"], ["0" * 5000], True),
        "actor": actor("ann"),
    },
    "/v1/leave": {"actor": actor("ann", required=True)},
    "/v1/import/organisation": {
        "actors": Member([], ["x", 5, {}, [5], [{}], [{"name": "A"}], [{"name": "a", "kind": "robot"}]]),
        "roles": Member([], ["x", 5, {}, [5], [{}], [{"name": "r", "holders": [5]}],
                             [{"name": "r", "open": 1}]]),
        "domains": Member([], ["x", 5, {}, [5], [{}], [{"name": "d", "owner": "team", "patterns": [5]}]]),
        "messages": Member([], ["x", 5, {}, [5], [{}], [{"from": "ann", "to": "team"}],
                                [{"from": "ann", "to": "team", "subject": "a\nb"}],
                                [{"from": "ann", "to": "team", "subject": "s", "sent": 5}]]),
    },
}

for call in ("done", "decline", "forward", "renew", "defer", "fail", "resolve"):
    CALLS[f"/v1/{call}"]["held_since"] = moment(5)

ARGUMENTS = {
    "/v1/inbox": {"role": ["A", "", "a//b"], "limit": ["-1", "1001", "x", "", "1.5"]},
    "/v1/message": {"role": ["A", "", None], "id": ["x", "", None]},
    "/v1/figures": {"team": ["A", "", "a//b"]},
    "/v1/audit": {"after": ["-1", "x", "", "1.5", "99999999999999999999"],
                  "limit": ["0", "1001", "x", ""]},
    "/v1/role": {"name": ["A", "", None]},
    "/v1/owner": {"path": ["/a", "a//b", "..", "", None], "all": ["2", "yes", ""]},
}
GOOD_ARGUMENTS = {"team": "team", "after": "0", "role": "team", "limit": "1", "id": ID, "name": "team",
                  "path": "a", "all": "1"}


class Input(ServerCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.server
        server.make("ann", team=["ann"])
        land = {"name": "land", "owner": "team", "patterns": ["land/"]}
        server.expect(201, server.post("/v1/domains", land))

    def refused(self, path, body, member, value, statuses):
        answer = self.post(path, body)
        with self.subTest(path=path, member=member, value=str(value)[:80]):
            self.check(path, answer, member, value, statuses)

    def check(self, path, answer, member, value, statuses):
        where = f"{path} {member}={str(value)[:80]!r}: {answer}"
        self.assertIn(answer.status, statuses, where)
        self.assertIn(member, answer.json["detail"], where)
        self.assertRegex(answer.json["detail"], rf'["\b]{re.escape(member)}|{re.escape(member)}[\["]', where)

    def test_each_member_is_refused_in_every_wrong_kind(self):
        before = self.get("/v1/tree").headers["ETag"]
        accepted = self.server.check()["accepted"]
        count = 0
        for path, members in CALLS.items():
            good = {key: member.good for key, member in members.items()}
            for key, member in members.items():
                for value in member.bad:
                    self.refused(path, {**good, key: value}, key, value, (400,))
                for value in member.too_much:
                    self.refused(path, {**good, key: value}, key, value, (400, 413))
                if member.required:
                    body = {other: value for other, value in good.items() if other != key}
                    self.refused(path, body, key, "missing", (400,))
                    self.refused(path, {**body, key: None}, key, None, (400,))
                count += len(member.bad)
            self.refused(path, {**good, "nonsense": 1}, "nonsense", 1, (400,))
        self.assertGreater(count, 600)
        self.assertEqual(self.server.check()["accepted"], accepted)
        self.assertEqual(self.get("/v1/tree", headers={"If-None-Match": before}).status, 304)

    def test_a_body_that_is_no_object_is_refused_everywhere(self):
        bodies = ("", "no JSON", "5", '"text"', "null", "[5]", "[]", '{"a": 1, "a": 2}', '{"a": "\\u0000"}',
                  b'{"a": "\xff"}', "{" * 3000)
        for path in CALLS:
            for body in bodies:
                answer = self.post(path, body)
                is_batch = answer.status == 200 and path in ("/v1/send", "/v1/next", "/v1/done")
                if is_batch:  # each element alone
                    self.assertEqual(answer.json[0]["status"], 400)
                else:
                    self.problem(answer, 400, "malformed")

    def test_arguments_are_refused_by_their_name(self):
        for path, arguments in ARGUMENTS.items():
            for key, values in arguments.items():
                for value in values:
                    query = {**{name: GOOD_ARGUMENTS[name] for name in arguments}, key: value}
                    text_of = "&".join(f"{name}={one}" for name, one in query.items() if one is not None)
                    with self.subTest(path=path, key=key, value=value):
                        detail = self.problem(self.get(f"{path}?{text_of}"), 400, "malformed")
                        self.assertIn(f'"{key}"', detail)
        answer = self.post("/v1/import/maintainers?team=No+Name", "T\nF: x/\n")
        detail = self.problem(answer, 400, "malformed")
        self.assertIn('"team"', detail)

    def test_the_table_has_every_call_with_a_body(self):
        with open(os.path.join(SOURCE, "src", "server", "routes.c"), encoding="utf-8") as file:
            served = set(re.findall(r'\{"POST", "(/v1/[\w/]+)"', file.read()))
        self.assertEqual(served - {"/v1/import/maintainers", "/v1/calendar/import"}, set(CALLS))


if __name__ == "__main__":
    unittest.main()
