# SPDX-License-Identifier: MIT
"""A server that runs out of descriptors goes on: who is connected is served, what is acknowledged is kept,
who is not connected waits, nothing spins, and it is said. With descriptors again everybody is served."""

import http.client
import os
import resource
import time
import unittest

from serving import Server

WAIT_S = 0.5


class Limits(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.idle = len(self.descriptors())
        self.server.make(programs=["worker"], desk=["worker"], root=[])
        self.server.local.connection.close()
        self.server.local.connection = None
        self.await_idle()
        self.limits = resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE)

    def descriptors(self):
        return {int(name) for name in os.listdir(f"/proc/{self.server.process.pid}/fd")}

    def await_idle(self):
        """Until the server has closed what its clients have."""
        end = time.monotonic() + 10
        while len(self.descriptors()) > self.idle:
            self.assertLess(time.monotonic(), end, "descriptors stay open")
            time.sleep(0.01)

    def leave(self, spare):
        """Lets the server have so many more descriptors, None: as many as before."""
        limit = self.limits[0]
        if spare is not None:
            used = self.descriptors()
            free = (number for number in range(1 << 20) if number not in used)
            limit = [next(free) for _ in range(spare + 1)][-1]
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (limit, self.limits[1]))

    def dial(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        connection.connect()
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection):
        connection.request("GET", "/v1/health")

    def answer(self, connection):
        response = connection.getresponse()
        response.read()
        return response.status

    def is_answered(self, connection):
        connection.sock.settimeout(WAIT_S)
        try:
            return connection.sock.recv(1) != b""
        except TimeoutError:
            return False
        finally:
            connection.sock.settimeout(20)

    def processor_s(self):
        with open(f"/proc/{self.server.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waits_and_is_said(self, connection):
        before = self.processor_s()
        self.assertFalse(self.is_answered(connection))
        self.assertLess(self.processor_s() - before, WAIT_S / 10, "it spins")
        self.assertIn("no new connections: Too many open files", "\n".join(self.server.said))

    def test_first_connection_waits_for_a_descriptor(self):
        self.leave(0)
        connection = self.dial()
        self.ask(connection)
        self.waits_and_is_said(connection)
        self.leave(None)
        self.assertEqual(self.answer(connection), 200)
        self.assertEqual(self.server.stop(), 0)

    def test_connected_clients_are_served_and_others_wait(self):
        self.leave(2)
        inside = [self.dial() for _ in range(2)]
        for connection in inside:
            self.ask(connection)
            self.assertEqual(self.answer(connection), 200)
        outside = self.dial()
        self.ask(outside)
        self.waits_and_is_said(outside)

        # What is acknowledged meanwhile is kept.
        headers = {"Authorization": f"Bearer {self.server.token}"}
        body = '{"to": "desk", "subject": "in between", "key": "k"}'
        for _ in range(20):
            inside[0].request("POST", "/v1/send", body, headers)
            self.assertEqual(self.answer(inside[0]), 202)

        # One leaves, and the one that waited is let in.
        inside[1].close()
        self.assertEqual(self.answer(outside), 200)
        outside.close()
        inside[0].close()
        self.await_idle()
        self.leave(None)
        self.assertEqual(len(self.server.take("worker", role="desk")), 1)
        self.server.check()
        self.assertEqual(self.server.stop(), 0)

    def test_whoever_gives_up_waiting_leaves_the_server_as_it_was(self):
        self.leave(0)
        connection = self.dial()
        self.ask(connection)
        self.waits_and_is_said(connection)
        connection.close()
        self.leave(None)
        time.sleep(WAIT_S)
        before = self.processor_s()
        time.sleep(WAIT_S)
        self.assertLess(self.processor_s() - before, WAIT_S / 5)
        begin = time.monotonic()
        other = self.dial()
        self.ask(other)
        self.assertEqual(self.answer(other), 200)
        self.assertLess(time.monotonic() - begin, WAIT_S)


if __name__ == "__main__":
    unittest.main(verbosity=2)
