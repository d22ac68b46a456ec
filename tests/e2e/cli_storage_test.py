# SPDX-License-Identifier: MIT
"""The verbs that work on a journal's file: backup while a server uses it, verify, and rebuild."""

import json
import os
import resource
import shutil
import sqlite3
import struct
import subprocess
import threading
import time
import unittest

from serving import PROGRAM, Server


def crc32c(data):
    """The checksum of the journal's rows, bit by bit, as a second opinion."""
    remainder = 0xFFFFFFFF
    for byte in data:
        remainder ^= byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


class Storage(unittest.TestCase):
    def server(self):
        server = Server()
        self.addCleanup(server.close)
        return server.start()

    def run_verb(self, *arguments, status=0):
        done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, status, f"{done.stdout}{done.stderr}")
        return done

    def verify(self, path, status=0):
        return json.loads(self.run_verb("verify", path, "--json", status=status).stdout)

    def change(self, path, script, *values):
        database = sqlite3.connect(path)
        database.execute(script, values)
        database.commit()
        database.close()

    def rows(self, path, script):
        database = sqlite3.connect(path)
        rows = database.execute(script).fetchall()
        database.close()
        return rows

    WORDS = "SELECT doc, term, col, offset FROM temp.word ORDER BY 1, 2, 3, 4"

    def words(self, path):
        """Every word of every message in the index, with its place."""
        database = sqlite3.connect(path)
        database.execute("CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, card_text, instance)")
        rows = database.execute(self.WORDS).fetchall()
        database.close()
        return rows

    def a_file(self):
        """The journal of an organisation with some life in it, which nobody uses."""
        server = self.server()
        server.make("ann", "ben", root=["ann"])
        server.expect(201, server.post("/v1/roles", {"name": "docs", "holders": ["ann"], "capacity": 1000}))
        first = server.send("docs", "the first", "ben")
        server.take("ann", role="docs")
        server.expect(200, server.post("/v1/done", {"id": first["id"], "reply": "yes"}, "ann"))
        for i in range(69):
            server.send("docs", f"message {i}", "ben", key=f"key {i}")
        server.take("ann", role="docs")
        server.settled()
        self.assertEqual(server.stop(), 0)
        return os.path.join(server.data, "troupe.db")

    def test_a_backup_under_load_is_whole_and_has_what_was_acknowledged(self):
        server = self.server()
        server.make("ann", "ben", root=["ann"])
        server.expect(201, server.post("/v1/roles", {"name": "big", "holders": ["ann"], "capacity": 5000}))
        sent, enough, stop = [], threading.Event(), threading.Event()

        def load():
            while not stop.is_set():
                sent.append(server.send("big", f"message {len(sent)}", "ben", body="x" * 500)["id"])
                if len(sent) == 100:
                    enough.set()

        thread = threading.Thread(target=load)
        thread.start()
        self.assertTrue(enough.wait(30))
        copies = []
        for i in range(3):
            acknowledged = len(sent)
            copy = os.path.join(server.data, f"copy-{i}.db")
            self.run_verb("backup", copy, "--data", server.data)
            copies.append((copy, acknowledged))
        stop.set()
        thread.join()
        for copy, acknowledged in copies:
            found = self.verify(copy)
            self.assertTrue(found["whole"])
            self.assertGreaterEqual(found["messages"], acknowledged)
        server.check()
        # The copy is an organisation that can be served.
        self.assertEqual(server.stop(), 0)
        os.replace(copies[0][0], os.path.join(server.data, "troupe.db"))
        server.start()
        self.assertGreaterEqual(server.check()["accepted"], copies[0][1])

    def test_a_backup_never_writes_over_anything(self):
        path = self.a_file()
        other = path + ".other"
        with open(other, "w", encoding="ascii") as file:
            file.write("mine")
        done = self.run_verb("backup", other, "--data", os.path.dirname(path), status=1)
        self.assertIn("is there already", done.stderr)
        with open(other, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")
        os.rename(other, other + "-wal")  # the log of a file that is gone
        done = self.run_verb("backup", other, "--data", os.path.dirname(path), status=1)
        self.assertIn("-wal is there already, the log of another file", done.stderr)
        self.assertFalse(os.path.exists(other))

    def test_a_file_that_is_in_use_is_not_verified(self):
        server = self.server()
        done = self.run_verb("verify", os.path.join(server.data, "troupe.db"), status=1)
        self.assertIn("is in use by another server", done.stderr)

    def test_a_whole_file_has_no_findings(self):
        path = self.a_file()
        found = self.verify(path)
        self.assertTrue(found["whole"])
        self.assertEqual(found["findings"], [])
        self.assertEqual(found["messages"], 71)  # the answer to ben among them
        self.assertEqual(found["roles"], len(self.rows(path, "SELECT 1 FROM summary")))

    def test_each_damage_is_found(self):
        path = self.a_file()
        with open(path, "rb") as file:
            whole = file.read()
        for script, expected in (
            ("UPDATE record SET type = type + 1 WHERE position = 20", "position 20 fails its checksum"),
            ("DELETE FROM record WHERE position = 20", "from position 20 to 20 are missing"),
            ("UPDATE mark SET position = position - 1", "mark of record 64"),
            ("UPDATE summary SET seq = seq - 1", "summary of stream"),
            ("UPDATE snapshot SET checksum = 7", "snapshot of stream"),
        ):
            with self.subTest(script):
                with open(path, "wb") as file:
                    file.write(whole)
                self.change(path, script)
                found = self.verify(path, status=1)
                self.assertFalse(found["whole"])
                self.assertIn(expected, " ".join(found["findings"]))

    def test_a_summary_that_says_something_else_is_found_and_mended(self):
        path = self.a_file()
        script = "SELECT stream, m.seq, body FROM summary m JOIN stream s ON s.id = stream"
        ((stream, seq, body),) = self.rows(path, f"{script} WHERE name = 'role/docs'")
        wrong = bytearray(body)
        wrong[8] ^= 1  # the first counter
        checksum = crc32c(struct.pack("<QQQ", stream, seq, len(wrong)) + bytes(wrong))
        signed = struct.unpack("<i", struct.pack("<I", checksum))[0]
        script = "UPDATE summary SET body = ?, checksum = ? WHERE stream = ?"
        self.change(path, script, bytes(wrong), signed, stream)
        found = self.verify(path, status=1)
        self.assertEqual(len(found["findings"]), 1)
        self.assertIn("role/docs: its summary is not what the records say", found["findings"][0])
        self.run_verb("rebuild", path)
        self.assertTrue(self.verify(path)["whole"])
        self.assertEqual(self.rows(path, f"SELECT body FROM summary WHERE stream = {stream}"), [(body,)])

    def test_rebuilt_summaries_are_the_same_rows(self):
        path = self.a_file()
        before = self.rows(path, "SELECT * FROM summary ORDER BY stream")
        records = self.rows(path, "SELECT * FROM record ORDER BY position")
        self.assertGreater(len(before), 3)
        self.change(path, "DELETE FROM summary")
        self.change(path, "DELETE FROM snapshot")
        self.run_verb("rebuild", path)
        self.assertEqual(self.rows(path, "SELECT * FROM summary ORDER BY stream"), before)
        self.assertEqual(self.rows(path, "SELECT * FROM record ORDER BY position"), records)
        self.assertEqual(len(self.rows(path, "SELECT 1 FROM snapshot")), len(before))
        self.assertTrue(self.verify(path)["whole"])

    def test_rebuilt_lists_are_the_same_rows_and_words(self):
        path = self.a_file()
        lists = "SELECT * FROM card ORDER BY id"
        before, words = self.rows(path, lists), self.words(path)
        self.assertEqual(len(before), 71)
        self.assertGreater(len(words), 71)
        self.change(path, "DELETE FROM card WHERE id % 3 = 0")
        self.change(path, "UPDATE card SET state = 9, holder = 'nobody' WHERE id % 5 = 0")
        self.change(path, "INSERT INTO card_text(card_text) VALUES('delete-all')")
        self.assertGreater(len(self.verify(path, status=1)["findings"]), 60)
        self.run_verb("rebuild", path)
        self.assertEqual(self.rows(path, lists), before)
        self.assertEqual(self.words(path), words)
        self.assertTrue(self.verify(path)["whole"])

    def test_a_list_or_an_index_that_says_something_else_is_found_and_says_where(self):
        path = self.a_file()
        with open(path, "rb") as file:
            whole = file.read()
        message = "role/docs: in the lists message "
        row = "(SELECT id FROM card WHERE title = 'message 7')"
        for script, expected in (
            (f"UPDATE card SET state = 5 WHERE id = {row}", "is not what the records say"),
            (f"UPDATE card SET title = 'message 8' WHERE id = {row}", "is not what the records say"),
            (f"DELETE FROM card WHERE id = {row}", "is missing"),
            (
                "INSERT INTO card_text(card_text, rowid, title, text) "
                f"VALUES('delete', {row}, 'message 7', '')",
                "is not in the index of words",
            ),
            (
                f"INSERT INTO card_text(rowid, title, text) VALUES({row}, 'extra', '')",
                'is found by the word "extra", which it does not have there',
            ),
        ):
            with self.subTest(script):
                with open(path, "wb") as file:
                    file.write(whole)
                self.change(path, script)
                (finding,) = self.verify(path, status=1)["findings"]
                self.assertTrue(finding.startswith(message), finding)
                self.assertIn(expected, finding)
        self.change(path, "UPDATE card SET id = 5 WHERE title = 'message 7'")
        self.assertIn("is of no record", " ".join(self.verify(path, status=1)["findings"]))

    def an_older_file(self, server, version):
        """A file as the format of this version had it, in the data folder of a server."""
        source = os.environ.get("TROUPE_SOURCE_DIR", ".")
        path = os.path.join(server.data, "troupe.db")
        os.makedirs(server.data, exist_ok=True)
        shutil.copyfile(os.path.join(source, f"tests/data/journals/schema-{version}.db"), path)
        return path

    def test_what_every_format_says_is_understood(self):
        for version in range(1, 5):
            with self.subTest(version):
                server = Server()
                self.addCleanup(server.close)
                path = self.an_older_file(server, version)
                found = self.verify(path)
                self.assertEqual(found["findings"], [])
                self.assertGreater(found["messages"], 10)
                server.start()
                self.assertGreaterEqual(server.check()["accepted"], found["messages"])  # time goes on in it
                self.assertEqual(server.stop(), 0)
                self.assertTrue(self.verify(path)["whole"])

    def test_a_journal_of_an_older_format_gets_its_lists_when_it_is_served(self):
        server = Server()
        self.addCleanup(server.close)
        path = self.an_older_file(server, 3)
        # Looking at it brings the tables up to date, and makes no lists: there is nothing wrong with it.
        self.assertTrue(self.verify(path)["whole"])
        self.assertEqual(self.rows(path, "SELECT has_cards FROM state"), [(0,)])
        self.assertEqual(self.rows(path, "SELECT * FROM card"), [])
        server.start()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.rows(path, "SELECT has_cards FROM state"), [(1,)])
        found = self.verify(path)
        self.assertTrue(found["whole"])
        self.assertEqual(self.rows(path, "SELECT count(*) FROM card"), [(found["messages"],)])

    def test_lists_that_were_not_completed_are_made_when_it_is_served(self):
        path = self.a_file()
        lists = self.rows(path, "SELECT * FROM card ORDER BY id")
        self.change(path, "UPDATE state SET has_cards = 0")
        self.change(path, "DELETE FROM card WHERE id % 2 = 0")
        server = Server()
        self.addCleanup(server.close)
        server.data = os.path.dirname(path)
        server.start()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.rows(path, "SELECT * FROM card ORDER BY id"), lists)
        self.assertTrue(self.verify(path)["whole"])

    def test_what_is_exported_and_restored_is_the_same_organisation(self):
        path = self.a_file()
        text = self.run_verb("export", path).stdout
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(lines[0], {"troupe": "journal", "format": 2})
        records = self.rows(path, "SELECT count(*) FROM record")[0][0]
        self.assertEqual(lines[-1], {"troupe": "end", "records": records})
        self.assertEqual(len(lines) - 2, records)
        self.assertIn("message 7", [line["body"].get("subject") for line in lines[1:-1]])
        server = Server()
        self.addCleanup(server.close)
        with open(path + ".ndjson", "w", encoding="utf-8") as file:
            file.write(text)
        self.run_verb("restore", path + ".ndjson", "--data", server.data)
        copy = os.path.join(server.data, "troupe.db")
        self.assertTrue(self.verify(copy)["whole"])
        self.assertEqual(self.run_verb("export", copy).stdout, text)
        summaries = "SELECT name, m.seq, body FROM summary m JOIN stream s ON s.id = stream ORDER BY name"
        self.assertEqual(self.rows(copy, summaries), self.rows(path, summaries))
        cards = "SELECT c.*, name FROM card c JOIN stream s ON s.id = stream ORDER BY c.id"
        without_stream = [row[:1] + row[2:] for row in self.rows(path, cards)]
        self.assertEqual([row[:1] + row[2:] for row in self.rows(copy, cards)], without_stream)
        self.assertEqual(self.words(copy), self.words(path))
        server.start()
        self.assertEqual(server.expect(200, server.get("/v1/check"))["accepted"], 71)

    def test_what_cannot_be_restored_leaves_nothing_behind(self):
        path = self.a_file()
        text = self.run_verb("export", path).stdout.splitlines(keepends=True)
        for wrong, expected in (
            (text[1:], ":1: this is no export"),
            (text[:5] + text[6:], "does not follow number"),
            (text[:3] + ["{}\n"] + text[3:], ":4: no record"),
            (text[:3] + [text[3].replace('"at":', '"et":')] + text[4:], ":4: the body: "),
            (text[:-1], f":{len(text) - 1}: it is cut off here"),
            (text[:1], ":1: it is cut off here"),
            (text[:-2] + text[-1:], f":{len(text) - 1}: there are {len(text) - 3} records, and there were"),
            (text + text[-2:-1], f":{len(text) + 1}: it goes on behind its end"),
            (text[:-1] + ['{"troupe":"end"}\n'], "and there were 0"),
            (['{"troupe":"journal","format":3}\n'] + text[1:], ":1: this is no export"),
        ):
            with self.subTest(expected):
                with open(path + ".ndjson", "w", encoding="utf-8") as file:
                    file.writelines(wrong)
                folder = path + ".folder"
                done = self.run_verb("restore", path + ".ndjson", "--data", folder, status=65)
                self.assertIn(expected, done.stderr)
                self.assertFalse(os.path.exists(os.path.join(folder, "troupe.db")))
        done = self.run_verb("restore", path + ".ndjson", "--data", os.path.dirname(path), status=1)
        self.assertIn("is there already", done.stderr)
        done = self.run_verb("restore", "-", "--data", path + ".folder", status=65)
        self.assertIn("troupe restore: standard input:0: the file is empty", done.stderr)

    def test_restore_that_is_killed_leaves_no_journal_and_may_be_run_again(self):
        path = self.a_file()
        text = self.run_verb("export", path).stdout
        folder = path + ".folder"
        restore = [PROGRAM, "restore", "-", "--data", folder]
        with subprocess.Popen(restore, stdin=subprocess.PIPE, text=True) as killed:
            killed.stdin.write(text[:len(text) // 2])
            killed.stdin.flush()
            begun = os.path.join(folder, "troupe.db.restoring")
            deadline = time.monotonic() + 30
            while not os.path.exists(begun) and time.monotonic() < deadline:
                time.sleep(0.01)
            self.assertTrue(os.path.exists(begun))
            meanwhile = self.run_verb("restore", path, "--data", folder, status=1)
            self.assertIn("in use", meanwhile.stderr)
            killed.kill()
        self.assertFalse(os.path.exists(os.path.join(folder, "troupe.db")))
        with open(path + ".ndjson", "w", encoding="utf-8") as file:
            file.write(text)
        self.run_verb("restore", path + ".ndjson", "--data", folder)
        self.assertEqual(sorted(os.listdir(folder)), ["troupe.db", "troupe.db.lock"])
        self.assertEqual(self.run_verb("export", os.path.join(folder, "troupe.db")).stdout, text)

    def test_export_of_the_format_without_an_end_is_restored(self):
        path = self.a_file()
        text = self.run_verb("export", path).stdout
        lines = text.splitlines(keepends=True)
        with open(path + ".ndjson", "w", encoding="utf-8") as file:
            file.writelines(['{"troupe":"journal","format":1}\n', *lines[1:-1]])
        folder = path + ".folder"
        self.run_verb("restore", path + ".ndjson", "--data", folder)
        self.assertEqual(self.run_verb("export", os.path.join(folder, "troupe.db")).stdout, text)

    def test_what_cannot_be_read_to_its_end_is_not_restored(self):
        def little_memory():
            resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))

        def run(*arguments):
            return subprocess.run([PROGRAM, *arguments], preexec_fn=little_memory, capture_output=True,
                                  text=True, timeout=60, check=False)

        if run("--version").returncode != 0:
            self.skipTest("the program needs more memory, as with the address sanitizer")
        path = self.a_file()
        text = self.run_verb("export", path).stdout
        with open(path + ".ndjson", "w", encoding="utf-8") as file:
            file.write(text)
            file.truncate(file.tell() + (512 << 20))  # a line that memory has no room for
        folder = path + ".folder"
        done = run("restore", path + ".ndjson", "--data", folder)
        self.assertIn("the file cannot be read", done.stderr)
        self.assertEqual(done.returncode, 65)
        self.assertFalse(os.path.exists(os.path.join(folder, "troupe.db")))

    def test_what_is_not_a_journal_is_said_to_be_none(self):
        path = self.a_file()
        done = self.run_verb("verify", path + ".nowhere", status=66)
        self.assertIn("there is no journal at", done.stderr)


if __name__ == "__main__":
    unittest.main()
