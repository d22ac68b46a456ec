# SPDX-License-Identifier: MIT
"""`troupe webhook` under `troupe work`, against the real server and an address that answers what each test
scripts: what is posted and how it is signed, and what each answer does to the message."""

import base64
import hashlib
import hmac
import http.server
import json
import tempfile
import threading
import time
import unittest

from cli_support import (
    AGAIN, BIN, DATA, FAILED, OK, UNREACHABLE, RealServer, environment, free_port, run, run_on_terminal,
)

UNFIT = 126
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OLD = "whsec_" + base64.b64encode(KEY[::-1]).decode()
MESSAGE = {"id": "0000000000abc", "sent": 1706716800123, "subject": "Grüße"}


class Address(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, self.headers, body))
        status, content, headers = self.server.script(len(self.server.posted))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # whoever waited for an answer is gone


def signature(key, headers, body):
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class AddressCase(unittest.TestCase):
    def setUp(self):
        self.address = Quiet(("127.0.0.1", 0), Address)
        self.address.posted = []
        self.answer(200, b"")
        threading.Thread(target=self.address.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(self.address.server_close)
        self.addCleanup(self.address.shutdown)
        self.url = f"http://127.0.0.1:{self.address.server_address[1]}/gates?x=1"

    def answer(self, status, content, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.address.script = lambda _: (status, content, headers)

    def posted(self):
        (one,) = self.address.posted
        return one


class Alone(AddressCase):
    """The command by itself."""

    def push(self, *options, status=OK, secret=SECRET, stdin=None, url=None):
        given = json.dumps(MESSAGE) if stdin is None else stdin
        env = environment(TROUPE_WEBHOOK_SECRET=secret)
        done = run("webhook", url or self.url, *options, stdin=given, env=env)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_message_is_posted_and_signed(self):
        self.answer(200, "Offen.\n".encode())
        self.assertEqual(self.push().stdout, "Offen.\n")
        path, headers, body = self.posted()
        self.assertEqual((path, headers["Content-Type"]), ("/gates?x=1", "application/json"))
        self.assertEqual(headers["webhook-id"], MESSAGE["id"])
        self.assertAlmostEqual(int(headers["webhook-timestamp"]), time.time(), delta=10)
        self.assertEqual(headers["webhook-signature"], signature(KEY, headers, body))
        self.assertEqual(json.loads(body), {
            "type": "troupe.message", "timestamp": "2024-01-31T16:00:00.123Z", "data": MESSAGE})

    def test_two_secrets_give_two_signatures(self):
        self.push(secret=f"{SECRET} {OLD}")
        _, headers, body = self.posted()
        self.assertEqual(headers["webhook-signature"],
                         signature(KEY, headers, body) + " " + signature(KEY[::-1], headers, body))

    def test_without_a_good_secret_nothing_is_posted(self):
        for secret in ("", "whsec_", "secret", f"{SECRET} x"):
            done = self.push(status=UNFIT, secret=secret)
            self.assertIn("TROUPE_WEBHOOK_SECRET: ", done.stderr)
            self.assertNotIn(SECRET, done.stderr)
        self.assertEqual(self.address.posted, [])

    def test_what_is_no_message_or_no_address_is_refused(self):
        for stdin in ("x", "[]", "{}", '{"id":"a b","sent":1}', '{"id":"a\\nb: c","sent":1}', '{"id":"a"}'):
            self.push(status=DATA, stdin=stdin)
        for url in ("ftp://127.0.0.1/x", "http://", "file:///etc/passwd", "x", "https://a b/", "\x80"):
            self.push(status=UNFIT, url=url)  # none of it is the message's fault
        self.push("--timeout", "0", status=UNFIT)
        self.assertEqual(self.address.posted, [])

    def test_answer_that_is_no_reply_is_done_without_one(self):
        for content in (b"\xff\xfe", b"a\0b", b"x" * (256 * 1024 + 1)):
            self.answer(200, content)
            done = self.push()
            self.assertEqual(done.stdout, "")
            self.assertIn("is no reply", done.stderr)
        self.answer(200, b"x" * (256 * 1024))
        self.assertEqual(self.push().stdout, "x" * (256 * 1024))

    def test_busy_address_says_when_to_come_again(self):
        for status in (429, 503):
            self.answer(status, b"busy", Retry_After="90")
            self.assertEqual(self.push(status=AGAIN).stdout, "90s\n")
            self.answer(status, b"busy")
            self.assertIn(f"answers with status {status}: busy", self.push(status=FAILED).stderr)

    def test_redirect_is_not_followed(self):
        self.answer(307, b"", Location=self.url)
        self.assertIn("answers with status 307\n", self.push(status=FAILED).stderr)
        self.posted()

    def test_silence_and_absence_are_told(self):
        self.address.script = lambda _: time.sleep(3) or (200, b"", {})
        self.assertIn("timed out", self.push("--timeout", "1", status=UNREACHABLE).stderr)
        self.push(status=UNREACHABLE, url=f"http://127.0.0.1:{free_port()}/")

    def test_json_says_all_of_it(self):
        self.answer(201, b"yes")
        self.assertEqual(json.loads(self.push("--json").stdout), {"status": 201, "reply": "yes"})
        self.answer(500, b"\xff")
        failed = self.push("--json", status=FAILED)
        self.assertEqual(json.loads(failed.stdout), {"status": 500, "reply": None})

    def test_what_an_address_says_cannot_reach_the_terminal(self):
        self.answer(500, b"\033[31mred")
        self.assertIn("\\x1b[31mred", self.push(status=FAILED).stderr)
        self.answer(200, b"\033[31mred")
        self.assertEqual(self.push().stdout, "\033[31mred")  # for `troupe work` it is what it is
        with tempfile.TemporaryFile() as stdin:
            stdin.write(json.dumps(MESSAGE).encode())
            stdin.seek(0)
            env = environment(TROUPE_WEBHOOK_SECRET=SECRET)
            shown = run_on_terminal("webhook", self.url, env=env, stdin=stdin)
        self.assertEqual(shown, (OK, "\\x1b[31mred\n"))

    def test_what_is_said_of_an_address_is_its_host_alone(self):
        port = self.address.server_address[1]
        url = f"http://name:pass@127.0.0.1:{port}/hidden?hidden=1#hidden"
        for status in (410, 429, 500):
            self.answer(status, b"", Retry_After="2")
            said = self.push(status={410: UNFIT, 429: AGAIN, 500: FAILED}[status], url=url).stderr
            self.assertTrue(said.startswith(f"troupe webhook: http://127.0.0.1:{port} "), said)
        said = self.push(status=UNREACHABLE, url=f"http://name:pass@127.0.0.1:{free_port()}/hidden").stderr
        self.assertNotRegex(said, "name|pass|hidden")


class Working(AddressCase):
    """As the actor that holds a role."""

    @classmethod
    def setUpClass(cls):
        cls.server = RealServer().start()
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.json("import", "organisation", "-", stdin=json.dumps({
            "actors": [{"name": "ann", "kind": "person"}, {"name": "bob", "kind": "person"},
                       {"name": "hook", "kind": "program"}],
            "roles": [{"name": "acme", "team": True, "holders": ["ann"]},
                      {"name": "gates", "parent": "acme", "holders": ["hook"]}]}))

    def work(self, status=OK):
        done = self.server.run("work", "gates", "--once", "--as", "hook", "--", BIN, "webhook", self.url,
                               env={"TROUPE_WEBHOOK_SECRET": SECRET})
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def test_message_goes_there_and_its_reply_comes_back(self):
        self.answer(200, b"Gate one is open.")
        sent = self.server.json("send", "gates", "-s", "One", "Open it.", "--as", "ann")
        self.work()
        _, headers, body = self.posted()
        data = json.loads(body)["data"]
        self.assertEqual((data["id"], headers["webhook-id"]), (sent["id"], sent["id"]))
        self.assertEqual(data["body"], "Open it.")
        (answer,) = self.server.json("next", "@ann", "--as", "ann", "--wait", "5")["messages"]
        self.assertEqual((answer["outcome"], answer["body"]), ("done", "Gate one is open."))
        self.server.json("done", answer["id"], "--as", "ann")

    def test_failure_is_tried_again_with_the_same_id_and_gone_ends_the_work(self):
        replies = [(500, b"broken", {}), (410, b"", {}), (200, b"", {})]
        self.address.script = lambda number: replies[number - 1]
        sent = self.server.json("send", "gates", "-s", "Two", "--as", "bob")
        self.work(status=FAILED)
        held = self.work(status=FAILED)
        self.assertIn("given back", held.stderr)
        self.work()
        self.assertEqual([headers["webhook-id"] for _, headers, _ in self.address.posted], [sent["id"]] * 3)
        attempts = [json.loads(body)["data"]["attempts"] for _, _, body in self.address.posted]
        self.assertEqual(attempts, [0, 1, 1])  # what was given back did not fail


if __name__ == "__main__":
    unittest.main()
