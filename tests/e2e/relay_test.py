#!/usr/bin/env python3
"""The relay as its operator sees it, and TLS as the network sees it."""
import os
import re
import subprocess

from lib import testing
from lib.mediation import ANA, MIRA, Mediation


class RelayTest(testing.ProgramTest):
    def handshake(self, relay, version):
        return subprocess.run(
            ["openssl", "s_client", "-connect", relay.address, version, "-alpn", "h2"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=30, check=False)

    def test_only_tls_1_3(self):
        relay = self.relay().start()
        accepted = self.handshake(relay, "-tls1_3")
        self.assertEqual(accepted.returncode, 0, accepted.stderr)
        self.assertIn("TLSv1.3", accepted.stdout)
        for version in ("-tls1_2", "-tls1_1", "-tls1"):
            refused = self.handshake(relay, version)
            self.assertNotEqual(refused.returncode, 0, version)
            self.assertIn("no peer certificate available", refused.stdout, version)

    def test_says_address_and_fingerprint_and_ends_with_0(self):
        relay = self.relay().start()
        log = relay.log_text()
        self.assertIn(relay.address, log)
        self.assertRegex(log, re.compile("fingerprint", re.IGNORECASE))
        first = log
        self.assertEqual(relay.stop(), 0)
        relay.start()
        again = relay.log_text()[len(first):]
        prints = [re.search(r"(?i)fingerprint\W+(\S.*)", text).group(1).strip()
                  for text in (first, again)]
        self.assertEqual(prints[0], prints[1], "another identity after a restart")

    def test_sponsors_while_the_relay_runs(self):
        relay = self.relay().start()
        connection = relay.add_sponsor("office", "1GiB")
        self.assertTrue(connection.startswith("parley-relay1:"), connection)
        self.assertIn("office", relay.run("sponsor", "list", "--data", relay.data))
        case = Mediation(self.programs, self.work)
        case.relay = relay
        case.open_with(connection)
        case.add(ANA)
        relay.run("sponsor", "remove", "office", "--data", relay.data)
        self.assertRegex(relay.run("sponsor", "list", "--data", relay.data), r"office\t.*removed")
        refusal = case["mira"].refused("case", "create", "Another", "--relay", connection)
        self.assertTrue(refusal)
        # What is there goes on.
        case["ana"].send("joint", "still here")
        self.assertEqual(case["mira"].texts("joint"), ["still here"])

    def test_bad_bytes_never_stop_it(self):
        relay = self.relay().start()
        import socket
        import ssl
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        host, port = relay.address.split(":")
        for payload in (os.urandom(100), b"GET / HTTP/1.1\r\n\r\n",
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(5000)):
            with socket.create_connection((host, int(port))) as plain:
                plain.sendall(payload)
            with socket.create_connection((host, int(port))) as raw, \
                    context.wrap_socket(raw) as sealed:
                sealed.sendall(payload)
        case = Mediation(self.programs, self.work)
        case.relay = relay
        case.open_with(relay.add_sponsor())
        self.assertEqual(relay.stop(), 0)

    def test_two_relays_do_not_share_an_identity(self):
        first, second = self.relay("one").start(), self.relay("two").start()
        first_connection, second_connection = first.add_sponsor(), second.add_sponsor()
        self.assertNotEqual(first_connection.split(":")[1][:40],
                            second_connection.split(":")[1][:40])
        person = Mediation(self.programs, self.work).profile(MIRA)
        person.run("case", "create", "One", "--relay", first_connection)
        person.run("case", "create", "Two", "--relay", second_connection)
        self.assertEqual([case["title"] for case in person.objects("case", "list")],
                         ["One", "Two"])


if __name__ == "__main__":
    testing.main()
