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

    def make_certificate(self, name, *options):
        """A self-signed certificate with its key, as an operator would bring them; their paths."""
        paths = self.path(name + ".pem"), self.path(name + "-key.pem")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "3", "-subj", "/CN=" + name,
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout",
                        paths[1], *options], capture_output=True, check=True)
        return paths

    def test_a_certificate_of_the_operators_own(self):
        for name, options in (("rsa", ("-newkey", "rsa:2048")),
                              ("ec", ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"))):
            certificate, key = self.make_certificate("relay." + name, *options)
            case = Mediation(self.programs, self.path(name))
            self.relays.append(case.relay)
            case.relay.options = ["--cert", certificate, "--key", key]
            case.open()
            self.assertIn("relay." + name, self.handshake(case.relay, "-tls1_3").stdout)
            fingerprint = re.search(r"fingerprint (\S.*)", case.relay.log_text()).group(1)
            case.add(ANA)
            case["ana"].send("joint", "over it")
            # With another certificate it is the same relay: clients pin the identity.
            self.assertEqual(case.relay.stop(), 0)
            case.relay.options = []
            case.relay.start()
            self.assertEqual(re.findall(r"fingerprint (\S.*)", case.relay.log_text()),
                             [fingerprint] * 2)
            self.assertEqual(case["mira"].texts("joint"), ["over it"])
            self.assertEqual(case.relay.stop(), 0)

    def test_a_pair_that_does_not_serve(self):
        certificate, key = self.make_certificate("one", "-newkey", "ed25519")
        good, good_key = self.make_certificate("two", "-newkey", "rsa:2048")
        _, other_key = self.make_certificate("three", "-newkey", "rsa:2048")
        cut = self.path("cut.pem")
        with open(good, "rb") as whole, open(cut, "wb") as part:
            part.write(whole.read()[:300])
        relay = self.relay()
        for pair in ((good, other_key), (good, self.path("missing")), (self.path("missing"), good_key),
                     (good_key, good_key), (good, good), (cut, good_key), (good, key),
                     (self.write("empty", b""), good_key), (self.work, good_key)):
            done = subprocess.run(
                [relay.program, "serve", "--data", relay.data, "--listen", relay.address, "--cert",
                 pair[0], "--key", pair[1]], stdin=subprocess.DEVNULL, capture_output=True,
                text=True, timeout=30, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""), (pair, done))
            self.assertEqual(len(done.stderr.splitlines()), 1, (pair, done.stderr))
            self.assertRegex(done.stderr, r"^parley-relay: .*(certificate|key|pem|missing|folder|file)")
        for half in (["--cert", certificate], ["--key", key]):
            done = subprocess.run(
                [relay.program, "serve", "--data", relay.data, "--listen", relay.address, *half],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 2, done)

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
        self.assertRegex(relay.run("sponsor", "list", "--data", relay.data), r"office\b.*removed")
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
