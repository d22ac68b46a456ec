# SPDX-License-Identifier: MIT
"""examples/chat.c with clients: who is in the room hears whole lines, but not his own; a client that does not
behave is put out and the others talk on; one that does not read hears the first lines whole when it does; the
server ends in order when it is told to."""

import os
import signal
import socket
import subprocess
import unittest

CHAT = os.path.join(os.environ["TROUPE_BUILD_DIR"], "examples", "chat")
PATIENCE_SECONDS = 20


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.file = self.socket.makefile("r", encoding="utf-8", newline="\n")

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self):
        return self.file.readline()

    def hears_within(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return None
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)

    def close(self):
        self.file.close()
        self.socket.close()


class Chat(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen(
            [CHAT, "0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.port = int(self.server.stdout.readline().split()[-1])

    def enter(self, *others):
        """A client that is in the room: whoever was there before has been heard by it."""
        client = Client(self.port)
        self.addCleanup(client.close)
        for other in others:
            for knock in range(100):
                other.say(f"knock {knock}\n")
                if client.hears_within(0.2):
                    break
            while client.hear() != f"knock {knock}\n":
                pass
        return client

    def test_others_hear_a_line_and_the_speaker_does_not(self):
        anna = self.enter()
        ben = self.enter(anna)
        ben.say("good")
        ben.say(" morning\nhow are")
        self.assertEqual("good morning\n", anna.hear())
        ben.say(" you?\n")
        self.assertEqual("how are you?\n", anna.hear())
        anna.say("well\n")
        self.assertEqual("well\n", ben.hear())
        self.assertIsNone(anna.hears_within(0.05))

    def test_line_without_end_puts_out_its_client_alone(self):
        anna = self.enter()
        ben = self.enter(anna)
        carl = self.enter(anna)
        carl.say("x" * 512)
        while carl.hear().startswith("knock"):
            pass
        self.assertEqual("", carl.hear())
        anna.say("who was that?\n")
        line = ben.hear()
        while line.startswith("knock"):
            line = ben.hear()
        self.assertEqual("who was that?\n", line)

    def test_client_that_reads_late_hears_whole_lines_in_order(self):
        anna = self.enter()
        ben = self.enter(anna)
        lines = 20000  # 10 MB: more than the buffers of both sockets hold
        for number in range(lines):
            anna.say(f"{number} " + "x" * 490 + "\n")
        # Ben may have missed some, but what he hears is whole, in order, and begins where Anna began.
        heard = b""
        while ben.hears_within(0.5):
            heard += ben.socket.recv(1 << 16)
        heard = heard.decode().splitlines(keepends=True)
        for line in heard:
            self.assertRegex(line, r"^(\d+ x{490}|knock \d+)\n$")
        numbers = [int(line.split()[0]) for line in heard if not line.startswith("knock")]
        self.assertEqual(sorted(set(numbers)), numbers)
        self.assertEqual(list(range(1000)), numbers[:1000])
        anna.say("are you there?\n")
        self.assertEqual("are you there?\n", ben.hear())

    def test_server_ends_in_order_when_told_to(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            anna = self.enter()
            self.server.send_signal(number)
            self.assertEqual(0, self.server.wait(PATIENCE_SECONDS))
            self.assertEqual("", anna.hear())
            self.setUp()


if __name__ == "__main__":
    unittest.main()
