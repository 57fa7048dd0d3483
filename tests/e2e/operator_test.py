#!/usr/bin/env python3
"""What an operator has beside the relay itself: its configuration, metrics, reloading, and checking its store."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
import urllib.request

from lib import testing
from lib.mediation import ANA

ROOT = os.path.normpath(os.path.join(testing.HERE, "..", "..", ".."))
EXAMPLE = os.path.join(ROOT, "packaging", "relay.toml")


class OperatorTest(testing.ProgramTest):
    def program(self, *arguments):
        return subprocess.run([os.path.join(self.programs, "parley-relay"), *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=False)

    def configuration(self, text, name="relay.toml"):
        return self.write(name, text.encode())


class ConfigurationTest(OperatorTest):
    def check(self, *options):
        return self.program("serve", *options, "--check-config")

    def values(self, done):
        """What --check-config printed: {name: (value, where from)}."""
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        lines = [re.fullmatch(r"(?:# )?(\S+) = (\S+) +# (.*)", line)
                 for line in done.stdout.splitlines()]
        return {line.group(1): line.group(2, 3) for line in lines}

    def test_the_example_is_right_and_shows_the_defaults(self):
        own = ["--data", self.path("data")]
        values = self.values(self.check("--config", EXAMPLE, *own))
        self.assertEqual(values["listen"][0], '"0.0.0.0:7743"')
        self.assertRegex(values["listen"][1], re.escape(EXAMPLE) + r", line \d+$")
        self.assertEqual(values["data"][1], "--data")
        with open(EXAMPLE, encoding="utf-8") as example:
            text = example.read()
        commented = dict(re.findall(r"(?m)^# ([a-z-]+) = (\S+)$", text))
        self.assertEqual(set(commented) | {"data", "listen"}, set(values))
        for name, value in commented.items():
            if name not in ("cert", "key", "metrics"):
                self.assertEqual((value, "default"), values[name], name)

    def test_what_it_prints_is_a_file_that_says_the_same(self):
        file = self.configuration('data = "store"\nmax-unread = "1GiB"\n')
        first = self.check("--config", file, "--listen", "127.0.0.1:0", "--max-connections", "9")
        values = self.values(first)
        self.assertEqual(values["data"], (f'"{self.path("store")}"', f"{file}, line 1"))
        self.assertEqual(values["max-connections"], ("9", "--max-connections"))
        self.assertEqual(values["max-connections-per-address"][0], "9")
        self.assertEqual(values["max-unproven-connections"], ("4", "default"))
        again = self.configuration(first.stdout, "again.toml")
        second = self.values(self.check("--config", again))
        self.assertEqual({name: value for name, (value, _) in values.items()},
                         {name: value for name, (value, _) in second.items()})
        self.assertFalse(os.path.exists(self.path("store")), "a check made the folder")

    def test_every_problem_is_named_with_its_line(self):
        file = self.configuration('listne = "127.0.0.1:0"\nmax-connections = 0\n'
                                  'data = "no/where/data"\ncert = "c"\nkey = "k"\n')
        done = self.check("--config", file)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        problems = done.stderr.splitlines()
        self.assertEqual(len(problems), 4, done.stderr)
        for problem, line, words in zip(problems, (1, 2, 3, 4), (
                'no setting "listne"', "whole number from 1", "make it first", "there is no file")):
            self.assertTrue(problem.startswith(f"parley-relay: {file}, line {line}: "), problem)
            self.assertIn(words, problem)
        for text, words in (("", "data is needed"), ("nonsense", "line 1: this is not NAME = VALUE"),
                            ('listen = 127.0.0.1:0', 'listen = "127.0.0.1:0"')):
            done = self.check("--config", self.configuration(text))
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(words, done.stderr)
        for file in (self.path("none.toml"), self.work):
            done = self.check("--config", file)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(file, done.stderr)

    def test_a_relay_takes_its_file_and_refuses_a_wrong_one(self):
        relay = self.relay()
        file = self.configuration(f'data = "{relay.data}"\nlisten = "127.0.0.1:0"\n'
                                  "drain-seconds = 3\n")
        run = subprocess.Popen([relay.program, "serve", "--config", file],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.kill)
        self.assertRegex(run.stdout.readline(), r"listening on 127\.0\.0\.1:[1-9]")
        # The other commands find the folder by the same file.
        added = self.program("sponsor", "add", "office", "--quota", "1GiB", "--config", file)
        self.assertEqual(added.returncode, 0, added)
        listed = self.program("sponsor", "list", "--config", file)
        self.assertIn("office", listed.stdout)
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(30), 0)
        wrong = self.configuration(f'data = "{relay.data}"\nlisten = "127.0.0.1:0"\nmax = 1\n')
        done = self.program("serve", "--config", wrong)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertIn(f'{wrong}, line 3: there is no setting "max"', done.stderr)

    def test_wrong_usage(self):
        data = ["--data", self.path("data")]
        for options, words in (
                (data, "--listen is needed"), (["--listen", "127.0.0.1:0"], "--data is needed"),
                ([*data, "--listen", "nowhere"], "HOST:PORT"),
                ([*data, "--listen", "127.0.0.1:0", "--max-connections", "0"], "whole number"),
                ([*data, "--listen", "127.0.0.1:0", "--max-unread", "1"], "at least"),
                ([*data, *data, "--listen", "127.0.0.1:0"], "more than once"),
                ([*data, "--listen", "127.0.0.1:0", "--cert", "x"], "give both")):
            done = self.program("serve", *options)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn(words, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        # Before anything is made: who has mistyped a port has no keys of a relay that never was.
        with socket.create_server(("127.0.0.1", 0)) as taken:
            for listen, words in ((f"127.0.0.1:{taken.getsockname()[1]}", "the port is in use"),
                                  ("192.0.2.7:0", "the address is not this machine's")):
                done = self.program("serve", *data, "--listen", listen)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done)
                self.assertIn(words, done.stderr)
        self.assertFalse(os.path.exists(self.path("data")))
        for options, words in (([], "--data is needed"),
                               ([*data, "--config", EXAMPLE], "--config")):
            done = self.program("sponsor", "list", *options)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(words, done.stderr)


class MetricsTest(OperatorTest):
    def scrape(self, relay):
        """What a running relay's /metrics answers."""
        at = re.search(r"metrics on (http://127\.0\.0\.1:\d+/metrics)\n", relay.log_text()).group(1)
        with urllib.request.urlopen(at, timeout=10) as answer:
            self.assertEqual(answer.headers.get_content_type(), "text/plain")
            return answer.read().decode()

    def test_the_numbers_follow_a_case_and_the_dashboard_knows_them(self):
        case = self.mediation()
        case.relay.options = ["--metrics", "127.0.0.1:0"]
        case.open()
        case.add(ANA)
        case["ana"].send("joint", "hello")
        text = self.scrape(case.relay)

        def count(series):
            return sum(float(number) for number in re.findall(rf"(?m)^{series} (\S+)$", text))

        for call in ("GetInfo", "OpenSession", "CreateMailbox", "Append", "Read"):
            done = count(rf'parley_relay_calls_total{{call="{call}",outcome="ok"}}')
            self.assertGreater(done, 0, call)
            self.assertGreaterEqual(count(rf'parley_relay_call_seconds_count{{call="{call}"}}'), done)
        self.assertGreater(count("parley_relay_sync_seconds_count"), 0)
        self.assertGreater(count("parley_relay_connections_total"), 0)
        self.assertGreater(count("parley_relay_disk_free_bytes"), 0)
        self.assertGreater(count(r'parley_relay_store_bytes{part="records"}'), 0)
        self.assertRegex(text, r'parley_relay_sponsor_used_objects{sponsor="[^"]+"} [1-9]')
        # Nobody's address, no id and no key.
        values = re.sub(r"(parley_relay|exposer)_\w+", "", text)
        self.assertIsNone(re.search(r"127\.0\.0|[A-Za-z0-9_-]{32,}", values), values)

        with open(os.path.join(ROOT, "packaging", "grafana-dashboard.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        served = set(re.findall(r"(?m)^(parley_relay_\w+)[{ ]", text))
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        queries.append(dashboard["templating"]["list"][1]["query"])
        used = set()
        for query in queries:
            names = set(re.findall(r"parley_relay_\w+", query))
            self.assertTrue(names and names <= served, (query, names - served))
            used |= {re.sub("_(bucket|sum|count)$", "", name) for name in names}
            for label, value in re.findall(r'(\w+)!?="(\w+)"', query):
                self.assertIn(label, ("outcome",), query)
                self.assertIn(value, ("ok", "cancelled"), query)
        # And whatever is served is shown.
        self.assertEqual({re.sub("_(bucket|sum|count)$", "", name) for name in served}, used)

    def test_only_on_this_machine_unless_told_otherwise(self):
        data = ["--data", self.path("data"), "--listen", "127.0.0.1:0"]
        for address in ("0.0.0.0:0", "[::]:0", "localhost:0"):
            done = self.program("serve", *data, "--metrics", address)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn("metrics-anywhere", done.stderr)
        relay = self.relay()
        relay.options = ["--metrics", "0.0.0.0:0", "--metrics-anywhere", "true"]
        relay.start()
        self.assertIn("metrics on http://0.0.0.0:", relay.log_text())
        self.assertEqual(relay.stop(), 0)
        # Without the option there is no such port, and an address in use is said.
        relay.options = []
        relay.start()
        self.assertNotIn("metrics", relay.log_text().split("fingerprint")[-1])
        done = self.program("serve", "--data", self.path("other"), "--listen", "127.0.0.1:0",
                            "--metrics", relay.address)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("can't serve metrics on", done.stderr)


class ReloadTest(OperatorTest):
    """SIGHUP, on a relay that runs by a configuration file."""

    def start(self):
        self.case = self.mediation()
        self.settings = {"drain_seconds": 1}
        self.file = self.path("relay.toml")
        self.certificates = [self.make_certificate(name) for name in ("one", "two")]
        self.use_certificate(0)
        self.case.relay.options = ["--config", self.file]
        self.case.open()
        return self.case.relay

    def make_certificate(self, name):
        """(certificate's file, key's file, what a client sees of it)."""
        paths = self.path(name + ".pem"), self.path(name + "-key.pem")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-days", "3", "-subj", "/CN=" + name,
                        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", paths[0],
                        "-keyout", paths[1]], capture_output=True, check=True)
        with open(paths[0], encoding="ascii") as pem:
            return *paths, ssl.PEM_cert_to_DER_cert(pem.read())

    def set(self, **settings):
        self.settings.update(settings)
        lines = [f"{name.replace('_', '-')} = {value}\n" for name, value in self.settings.items()]
        self.configuration("".join(lines))

    def use_certificate(self, number):
        certificate, key, _ = self.certificates[number]
        self.set(cert=f'"{certificate}"', key=f'"{key}"')

    def reload(self, relay, answer):
        """Sends SIGHUP and waits until the log has a new line with `answer`."""
        before = len(relay.log_text())
        os.kill(relay.pid, signal.SIGHUP)
        deadline = time.monotonic() + 20
        while not re.search(answer, relay.log_text()[before:]):
            self.assertLess(time.monotonic(), deadline, relay.log_text()[before:])
            time.sleep(0.02)
        return relay.log_text()[before:]

    def connect(self, relay):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        host, port = relay.address.split(":")
        raw = socket.create_connection((host, int(port)), timeout=10)
        self.addCleanup(raw.close)
        connection = context.wrap_socket(raw)
        self.addCleanup(connection.close)
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        return connection

    def ping(self, connection, text):
        """Whether an HTTP/2 ping is answered (RFC 9113, section 6.7)."""
        connection.sendall(bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + text)
        seen = b""
        while bytes([0, 0, 8, 6, 1, 0, 0, 0, 0]) + text not in seen:
            more = connection.recv(4096)
            if not more:
                return False
            seen += more
        return True

    def test_a_new_certificate_for_new_connections(self):
        relay = self.start()
        self.case.add(ANA)
        old = self.connect(relay)
        self.assertEqual(old.getpeercert(True), self.certificates[0][2])
        self.assertTrue(self.ping(old, b"12345678"))
        self.use_certificate(1)
        self.reload(relay, "read anew")
        new = self.connect(relay)
        self.assertEqual(new.getpeercert(True), self.certificates[1][2])
        self.assertEqual(new.version(), "TLSv1.3")
        for connection in (old, new, old):
            self.assertTrue(self.ping(connection, os.urandom(8)))
        # Clients go on, those who knew the old key too; TLS 1.2 is refused as before.
        self.case["ana"].send("joint", "over the new one")
        self.assertEqual(self.case["mira"].texts("joint"), ["over the new one"])
        with self.assertRaises(OSError):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            host, port = relay.address.split(":")
            with socket.create_connection((host, int(port)), timeout=10) as raw:
                context.wrap_socket(raw)
        self.assertEqual(relay.stop(), 0)

    def test_limits_change_and_the_rest_is_named(self):
        relay = self.start()
        old = self.connect(relay)
        self.assertTrue(self.ping(old, b"12345678"))
        self.set(max_connections_per_address=1)
        self.reload(relay, "read anew")
        with self.assertRaises(OSError):
            refused = self.connect(relay)
            if not self.ping(refused, b"12345678"):
                raise OSError("closed")
        self.assertTrue(self.ping(old, b"23456789"))
        self.set(max_connections_per_address=100, drain_seconds=2)
        self.assertIn("drain-seconds has changed", self.reload(relay, "read anew"))
        self.assertTrue(self.ping(self.connect(relay), b"34567890"))
        self.assertEqual(relay.stop(), 0)

    def test_rates_change(self):
        """Each call here is a connection's first, so it is the address's rate that they meet."""
        if shutil.which("curl") is None or shutil.which("protoc") is None:
            self.skipTest("curl or protoc is not here")
        relay = self.start()
        tool = os.path.join(ROOT, "tools", "relay-call")

        def ask():
            done = subprocess.run([tool, relay.address, "GetInfo"], input="", capture_output=True,
                                  text=True, timeout=60)
            return done.stderr if done.returncode else ""

        self.assertEqual([ask() for _ in range(3)], [""] * 3)
        # What is there of the earlier rate is cut to ten seconds of the new one, so of 1 a second
        # a few calls at once are too many.
        self.set(address_calls_per_second=1)
        self.reload(relay, "read anew")
        answers = []
        for _ in range(10):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers += pool.map(lambda _: ask(), range(8))
            if any(answers):
                break
        refused = [answer for answer in answers if answer]
        self.assertTrue(refused, "80 calls were all taken")
        self.assertIn("this address asks for too much", refused[0])
        self.set(address_calls_per_second=0)
        self.reload(relay, "read anew")
        self.assertEqual([ask() for _ in range(3)], [""] * 3)
        self.assertEqual(relay.stop(), 0)

    def test_what_is_wrong_changes_nothing(self):
        relay = self.start()
        self.set(max_connections_per_address=1)
        self.reload(relay, "read anew")
        for wrong, words in (({"max_connections": 0}, r"line \d+: max-connections"),
                             ({"listne": 1}, 'no setting "listne"'),
                             ({"key": f'"{self.certificates[1][1]}"'}, "not for this key"),
                             ({"cert": f'"{self.path("none")}"'}, "there is no file")):
            before = dict(self.settings)
            self.set(max_connections_per_address=50, **wrong)
            self.assertRegex(self.reload(relay, "all stays as it was"), words)
            self.settings = before
        os.remove(self.file)
        self.reload(relay, "there is no configuration file")
        first = self.connect(relay)
        self.assertEqual(first.getpeercert(True), self.certificates[0][2])
        self.assertTrue(self.ping(first, b"12345678"))
        with self.assertRaises(OSError):
            if not self.ping(self.connect(relay), b"12345678"):
                raise OSError("closed")
        self.assertEqual(relay.stop(), 0)


class LogTest(OperatorTest):
    """The log as objects: each line is one, and none says who uses the relay or for what."""

    EVENTS = {"up", "admin", "reloaded", "not_reloaded", "needs_restart", "draining", "down"}

    def test_every_line_is_an_object_and_names_nobody(self):
        case = self.mediation()
        file = self.configuration('log-format = "json"\n')
        case.relay.options = ["--config", file]
        case.open()
        case.add(ANA)
        case["ana"].send("joint", "hello")
        # A client that isn't one, reloads right and wrong, and a second relay on the folder.
        host, port = case.relay.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as nonsense:
            nonsense.sendall(b"GET / HTTP/1.1\r\n\r\n")
        for text, event in (('log-format = "json"\ndrain-seconds = 3\n', "reloaded"),
                            ("listne = 1\n", "not_reloaded")):
            self.configuration(text)
            os.kill(case.relay.pid, signal.SIGHUP)
            deadline = time.monotonic() + 30
            while f'"event":"{event}"' not in case.relay.log_text():
                self.assertLess(time.monotonic(), deadline, case.relay.log_text())
                time.sleep(0.02)
        second = self.program("serve", "--data", case.relay.data, "--listen", "127.0.0.1:0",
                              "--log-format", "json")
        self.assertEqual((second.returncode, second.stdout), (1, ""), second)
        self.assertEqual(json.loads(second.stderr)["event"], "failed")
        self.assertIn("another parley-relay", json.loads(second.stderr)["message"])
        self.assertEqual(case.relay.stop(), 0)

        lines = [json.loads(line) for line in case.relay.log_text().splitlines()]
        for line in lines:
            self.assertRegex(line.pop("time"), r"^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("info", "warning", "error"))
            self.assertTrue(all(isinstance(value, str) for value in line.values()), line)
        self.assertEqual({line["event"] for line in lines}, self.EVENTS)
        up = next(line for line in lines if line["event"] == "up")
        self.assertEqual(up["listen"], case.relay.address)
        self.assertRegex(up["fingerprint"], r"^([0-9a-f]{4} ){9}[0-9a-f]{4}$")
        # The relay's own address stands there where it says that it listens, and nowhere else.
        rest = "\n".join(json.dumps(line) for line in lines if line is not up)
        self.assertIsNone(re.search(r"127\.0\.0|::1|[A-Za-z0-9_-]{32,}|[0-9a-f]{16,}",
                                    rest.replace(self.work, "")), rest)
        self.assertIsNone(re.search("hello|Ana|Mira|Harbor", case.relay.log_text()))

    def test_the_events_are_documented(self):
        with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
            documented = set(re.findall(r"(?m)^\| `([a-z_]+)` \|", file.read()))
        logged = set()
        for folder, _, names in os.walk(os.path.join(ROOT, "server")):
            for name in names:
                if name.endswith(".cc") and not name.endswith("_test.cc"):
                    with open(os.path.join(folder, name), encoding="utf-8") as source:
                        logged |= set(re.findall(r'LogLevel::k\w+,\s+"([a-z_]+)"', source.read()))
        logged |= {"admin"}
        self.assertTrue(self.EVENTS <= logged, logged)
        self.assertTrue(logged <= documented, logged - documented)


class BackupTest(OperatorTest):
    def backup(self, *words):
        return self.program("backup", *words)

    def test_of_a_relay_that_runs_and_restored_with_clients(self):
        case = self.mediation()
        case.relay.start()
        connection = case.relay.add_sponsor()
        case.open_with(connection)
        case.add(ANA)
        case["ana"].send("joint", "before the backup")
        to = self.path("backups")
        made = self.backup("--data", case.relay.data, "--to", to, "--verify")
        self.assertEqual((made.returncode, made.stderr), (0, ""), made)
        self.assertRegex(made.stdout, r"^backup 1: .* are new\nThe relay's keys are in it")
        case["ana"].send("joint", "after it")
        self.assertEqual(case["mira"].texts("joint"), ["before the backup", "after it"])
        again = self.backup("--data", case.relay.data, "--to", to)
        self.assertRegex(again.stdout, r"^backup 2: ")
        listed = self.backup("list", "--from", to)
        self.assertRegex(listed.stdout, r"(?m)^1 +2\d{3}-.* yes ")
        objects = [json.loads(line) for line in
                   self.backup("list", "--from", to, "--json").stdout.splitlines()]
        self.assertEqual([entry["number"] for entry in objects], [1, 2])
        self.assertIn(objects[0]["fingerprint"], case.relay.log_text())
        self.assertEqual(case.relay.stop(), 0)

        # Over what is there it isn't restored; beside it, it is, and the latest has all.
        refused = self.program("restore", "--from", to, "--data", case.relay.data)
        self.assertEqual((refused.returncode, refused.stdout), (1, ""), refused)
        self.assertIn("not empty", refused.stderr)
        lost = case.relay.data + ".lost"
        os.rename(case.relay.data, lost)
        restored = self.program("restore", "--from", to, "--data", case.relay.data)
        self.assertEqual((restored.returncode, restored.stderr), (0, ""), restored)
        self.assertRegex(restored.stdout, r"^backup 2 of 2\d{3}-\S+Z is in .* and verified")
        case.relay.start()
        self.assertEqual(case["ana"].texts("joint"), ["before the backup", "after it"])
        case["ana"].send("joint", "on the restored relay")
        said = ["before the backup", "after it", "on the restored relay"]
        self.assertEqual(case["mira"].texts("joint"), said)
        self.assertEqual(case.relay.stop(), 0)

        # An older one lacks what clients have seen: they say so, and lose nothing that they have.
        shutil.rmtree(case.relay.data)
        older = self.program("restore", "--from", to, "--data", case.relay.data, "--backup", "1")
        self.assertEqual((older.returncode, older.stderr), (0, ""), older)
        case.relay.start()
        told = case["mira"].attempt("sync")
        self.assertNotEqual(told.status, 0, told)
        self.assertEqual(told.status, 1, told)
        self.assertIn("joint", told.err)
        # What she has stays, and new cases go on.
        kept = case["mira"].attempt("read", case.case, "joint", "--offline", "--json")
        self.assertEqual([message["text"] for message in kept.objects()
                          if message["kind"] == "text"], said)
        case["mira"].run("case", "create", "Another v Case", "--relay", connection)
        self.assertEqual(case.relay.stop(), 0)

    def test_wrong_usage_and_what_cannot_be(self):
        data = ["--data", self.path("data")]
        for words, complaint in (((), "--data is needed"), (data, "--to is needed"),
                                 ((*data, "--to", "x", "--keep", "0"), "whole number"),
                                 (("list",), "--from is needed"),
                                 (("prune", "--from", "x"), "--keep is needed")):
            done = self.backup(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done)
            self.assertIn(complaint, done.stderr)
        for done, complaint in ((self.backup(*data, "--to", self.path("to")), "no relay's data folder"),
                                (self.backup("list", "--from", self.path("to")), "no backups in"),
                                (self.program("restore", "--from", self.path("to"), *data),
                                 "no backups in")):
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn(complaint, done.stderr)
        self.assertEqual(os.listdir(self.work), [])


class ByHandTest(OperatorTest):
    """What docs/relay-api.md shows."""

    def call(self, relay, name, request):
        tool = os.path.join(ROOT, "tools", "relay-call")
        return subprocess.run([tool, relay.address, name], input=request, capture_output=True,
                              text=True, timeout=60, check=False)

    def test_calls_are_answered_and_refused_as_shown(self):
        if shutil.which("curl") is None or shutil.which("protoc") is None:
            self.skipTest("curl or protoc is not here")
        relay = self.relay().start()
        info = self.call(relay, "GetInfo", "")
        self.assertEqual((info.returncode, info.stderr), (0, ""), info)
        self.assertIn("protocol_versions: 1\n", info.stdout)
        self.assertIn("max_entry_bytes: 1048576\n", info.stdout)
        read = self.call(relay, "Read",
                         'mailbox_id: "12345678901234567890123456789012" from: 1')
        self.assertEqual((read.returncode, read.stdout), (1, ""), read)
        with open(os.path.join(ROOT, "docs", "relay-api.md"), encoding="utf-8") as file:
            self.assertIn(read.stderr.strip(), file.read())


class VerifyTest(OperatorTest):
    def test_a_relay_that_has_served_a_case_is_right_and_damage_is_named(self):
        case = self.mediation()
        case.open()
        case.add(ANA)
        case["ana"].send("joint", "hello")
        data = case.relay.data
        running = self.program("verify", "--data", data)
        self.assertEqual((running.returncode, running.stdout), (1, ""), running)
        self.assertIn("stop it first", running.stderr)
        self.assertEqual(case.relay.stop(), 0)
        right = self.program("verify", "--data", data)
        self.assertEqual((right.returncode, right.stderr), (0, ""), right)
        self.assertRegex(right.stdout, r"1 sponsor, [1-9]\d* mailboxes, [1-9]\d* entries")
        self.assertIn("all of it is right", right.stdout)

        # Opened once more, all lies in tables, of which the largest has the entries.
        case.relay.start()
        self.assertEqual(case.relay.stop(), 0)
        store = os.path.join(data, "store")
        tables = [os.path.join(store, name) for name in os.listdir(store) if name.endswith(".sst")]
        table = max(tables, key=os.path.getsize)
        with open(table, "r+b") as file:
            file.seek(os.path.getsize(table) // 2)
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        wrong = self.program("verify", "--data", data)
        self.assertEqual(wrong.returncode, 1, wrong)
        self.assertIn(os.path.basename(table), wrong.stdout)
        self.assertIn("restore the latest backup", wrong.stdout)
        self.assertRegex(wrong.stderr, rf"^parley-relay: {re.escape(data)} has \d+ problems?\n$")

    def test_no_folder(self):
        done = self.program("verify", "--data", self.path("none"))
        self.assertEqual((done.returncode, done.stdout), (1, ""), done)
        self.assertIn("no relay's data folder", done.stderr)
        self.assertFalse(os.path.exists(self.path("none")))


if __name__ == "__main__":
    testing.main()
