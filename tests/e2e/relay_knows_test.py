#!/usr/bin/env python3
"""What the relay knows: after a mediation every byte that it has stored, logged and exported as metrics is in the
table of docs/security.md, and of the class that stands there."""
import os
import re
import urllib.request

from lib import testing
from lib.inventory import Field, Store, Unknown, read_key, read_record, series
from lib.mediation import ANA, BEN, LEE
from lib.relay import free_port

SECURITY = os.path.normpath(os.path.join(testing.HERE, "..", "..", "..", "docs", "security.md"))
CLASSES = {"id", "public key", "signature", "generation", "size", "time", "sponsor", "hash", "sealed",
           "own", "count"}
# What sealing adds to a padded size: a box (a random nonce and a tag), and an inbox's KEM with its tag.
BOX, INBOX = 24 + 16, 32 + 1088 + 16
FILE_CHUNK = 24 + 32
LOG_LINES = (r"metrics on http://127\.0\.0\.2:\d+/metrics", r"listening on 127\.0\.0\.2:\d+",
             r"fingerprint ([0-9a-f]{4} ?){10}",
             r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info (the relay is (up|down)|"
             r"sponsor add: done|SIGTERM: draining)")
LABELS = {"call": r"[A-Z][A-Za-z]+", "outcome": r"[a-z_]+", "le": r"[0-9.e+-]+|\+Inf",
          "limit": r"[a-z-]+", "part": r"[a-z]+", "sponsor": r"sponsor"}
EXPOSER = r"exposer_(transferred_bytes_total|scrapes_total|request_latencies)"


def known():
    """{(where, what): class} of the table."""
    with open(SECURITY, encoding="utf-8") as file:
        section = file.read().split("## What the relay keeps, byte by byte\n")[1].split("\n## ")[0]
    table = {}
    for where, names, kind in re.findall(r"(?m)^\| `([^`|]+)` \| (.*?) \| ([a-z ]+) \|$", section):
        for name in re.findall(r"`([^`]+)`", names):
            if (where, name) in table:
                raise AssertionError(f"{where}: {name} stands there twice")
            table[where, name] = kind
    return table


def is_padded(size):
    """Whether padding leaves a size as it is (docs/protocol.md: Padmé, at least 256)."""
    if size < 256:
        return False
    exponent = size.bit_length() - 1
    return size & ((1 << exponent - exponent.bit_length()) - 1) == 0


class RelayKnowsTest(testing.ProgramTest):
    def setUp(self):
        super().setUp()
        self.table = known()
        self.seen = set()

    def class_of(self, where, what):
        if (where, what) not in self.table:
            self.fail(f"{where}: {what} is kept, and nobody has said what it tells: docs/security.md")
        self.seen.add((where, what))
        return self.table[where, what]

    def mediate(self):
        """Plays a mediation; returns its relay, which has ended, and what its metrics were."""
        case = self.mediation()
        relay = case.relay
        # Clients come from 127.0.0.1.
        relay.address = f"127.0.0.2:{free_port()}"
        relay.options = ["--metrics", "127.0.0.2:0"]
        case.open()
        case.add(ANA, BEN, LEE)
        case["ana"].send("joint", "hello")
        case["ana"].send("caucus:Harbor", "between us")
        for name, size in (("large.bin", 1_500_000), ("middle.bin", 20_000), ("small.bin", 5)):
            case["lee"].share("caucus:Harbor", self.write(name, os.urandom(size)))
        document = case["mira"].objects("documents", case.case, "caucus:Harbor")[0]["document"]
        case["mira"].fetch("caucus:Harbor", document, self.path("fetched"))
        case["mira"].run("case", "remove", case.case, BEN.name)
        for person in case.people.values():
            person.run("sync")
        at = re.search(r"metrics on (http://\S+)", relay.log_text())[1]
        with urllib.request.urlopen(at, timeout=10) as answer:
            metrics = answer.read().decode()
        # Started once more, it writes what its log has to tables.
        self.assertEqual(relay.stop(), 0)
        relay.start()
        self.assertEqual(relay.stop(), 0)
        return relay, metrics

    def test_every_byte_is_of_a_class(self):
        relay, metrics = self.mediate()
        store = Store(os.path.join(relay.data, "store"))
        self.check_fields(store.fields)
        self.check_links(store.fields)
        self.check_tables(store)
        self.check_files(relay, store)
        self.check_log(relay)
        self.check_metrics(metrics)
        self.check_addresses(relay, store, metrics)
        rare = {("file", "purged"), ("log", "metrics on"), ("table", "parley.deleted")}
        unused = set(self.table) - self.seen - rare
        self.assertEqual(unused, set(), "the table has what nobody keeps")
        self.assertTrue(set(self.table.values()) <= CLASSES)

    def check_fields(self, fields):
        self.assertGreater(len([one for one in fields if one.place == "entry"]), 100)
        for field in fields:
            kind, value = self.class_of(field.place, field.name), field.value
            if kind == "time":
                self.assertEqual(value % 60, 0, field)
            elif kind in ("id", "public key", "signature", "hash"):
                self.assertIn(len(value), (16, 32, 64), field)
            elif kind in ("generation", "size"):
                self.assertIsInstance(value, int, field)
            elif field.name == "name":
                self.assertEqual(value, b"sponsor")
        self.check_sizes(fields)

    def check_sizes(self, fields):
        """What is sealed is padded."""
        of_blob = {}
        boxes = inboxes = 0
        for field in fields:
            if (field.place, field.name) == ("entry", "payload") and field.value:
                size = len(field.value)
                boxes += is_padded(size - BOX)
                inboxes += is_padded(size - INBOX)
                self.assertTrue(is_padded(size - BOX) or is_padded(size - INBOX), size)
            elif (field.place, field.name) == ("chunk", "data"):
                of_blob.setdefault(field.owner, []).append(len(field.value) - FILE_CHUNK)
        self.assertTrue(boxes and inboxes)
        self.assertEqual(len(of_blob), 3)
        for sizes in of_blob.values():
            self.assertTrue(is_padded(sum(sizes)), sizes)

    def check_links(self, fields):
        """Nothing but the sponsor stands with two mailboxes or blobs, nor in their sealed bytes."""
        owners = {}
        for field in fields:
            of_class = self.table[field.place, field.name]
            if of_class in ("id", "public key", "signature", "hash"):
                # A voucher or a sponsor is itself what it is about.
                owners.setdefault(field.value, set()).add(field.owner or field.value)
        self.assertGreater(len(set().union(*owners.values())), 15)
        for value, found in owners.items():
            self.assertEqual(len(found), 1, f"{value.hex()} links {found}")
        for field in fields:
            if self.table[field.place, field.name] == "sealed":
                for value in owners:
                    self.assertFalse(value in field.value, (field.place, value.hex()))

    def check_tables(self, store):
        self.assertEqual({table.family for table in store.tables}, {"default", "entries", "chunks"})
        for table in store.tables:
            for name, value in table.properties.items():
                if self.class_of("table", name) == "time":
                    self.assertEqual(int(value or 0) % 60, 0, name)
            self.assertEqual(table.properties["DB host id"], "")
        times = store.file_times()
        self.assertTrue(times)
        self.assertEqual([time for time in times if time % 60], [])

    def check_files(self, relay, store):
        shapes = {"CURRENT": rb"MANIFEST-\d{6}\n", "IDENTITY": rb"[0-9a-f-]{36}", "LOCK": b"",
                  "MANIFEST": None, "OPTIONS": None, "SYNCED": rb"[\x00-\xff]{40}", "log": b""}
        for name, content in store.others.items():
            plain = "log" if name.endswith(".log") else name.split("-")[0]
            self.class_of("file", "store/" + plain)
            if shapes[plain] is not None:
                self.assertRegex(content, b"^" + shapes[plain] + b"$", name)
        options = next(text for name, text in store.others.items() if name.startswith("OPTIONS"))
        self.assertTrue(options and b"hostname" not in options)
        sizes = {"address": len(relay.address), "lock": 0, "purged": 0, "keys/identity.seed": 32,
                 "keys/relay.secret": 32}
        for folder, _, names in os.walk(relay.data):
            if folder == os.path.join(relay.data, "store"):
                continue
            for name in names:
                path = os.path.join(folder, name)
                place = os.path.relpath(path, relay.data)
                self.class_of("file", place)
                if place in sizes:
                    self.assertEqual(os.path.getsize(path), sizes[place], place)

    def check_log(self, relay):
        self.assertGreater(len(relay.log_text().splitlines()), 8)
        for line in relay.log_text().splitlines():
            self.assertTrue(any(re.fullmatch(shape, line) for shape in LOG_LINES), line)
            what = [name for where, name in self.table if where == "log" and name in line]
            self.assertEqual(len(what), 1, line)
            self.class_of("log", what[0])

    def check_metrics(self, text):
        found = series(text)
        self.assertGreater(len(found), 100)
        for name, labels, _ in found:
            if re.fullmatch(EXPOSER, name) and not set(labels) - {"quantile"}:
                continue  # of the scrapes themselves
            self.assertTrue(name.startswith("parley_relay_"), name)
            self.class_of("metrics", name[len("parley_relay_"):])
            for label, value in labels.items():
                self.assertRegex(value, f"^({LABELS[label]})$", (name, label))

    def check_addresses(self, relay, store, metrics):
        said = metrics + relay.log_text()
        for address in ("127.0.0.1", "::1", "ipv4:", "ipv6:"):
            self.assertNotIn(address, said)
        for folder, _, names in os.walk(relay.data):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                for address in (b"127.0.0.1", b"ipv4:", b"ipv6:"):
                    self.assertFalse(address in content, (name, address))
        # Four bytes stand by chance among many that are random.
        for field in store.fields:
            value = field.value if isinstance(field.value, bytes) else b"%16x" % field.value
            if self.table[field.place, field.name] != "sealed":
                self.assertFalse(b"\x7f\0\0\1" in value or b"7f000001" in value, field)


class ReaderTest(testing.ProgramTest):
    """A reader that takes everything proves nothing."""

    MAILBOX = b"\1" + bytes(16 + 12 * 8 + 32)

    def test_reads_what_it_knows(self):
        fields = read_record(b"m" + b"i" * 32, self.MAILBOX)
        self.assertIn(Field("mailbox", "id", b"i" * 32, b"i" * 32), fields)
        self.assertEqual(len(fields), 1 + 14)
        self.assertEqual(read_key(b"x" + bytes(8) + b"\3" + b"v" * 16)[0][0].place, "expiry")

    def test_refuses_what_it_does_not(self):
        for key, value in ((b"m" + bytes(32), self.MAILBOX + b"\0"),  # a field more
                           (b"m" + bytes(32), self.MAILBOX[:-1]),
                           (b"m" + bytes(32), b"\2" + self.MAILBOX[1:]),
                           (b"m" + bytes(33), self.MAILBOX), (b"q" + bytes(32), b"\1"),
                           (b"v" + bytes(16), b"\1" + bytes(8) + b"192.0.2.7"),
                           (b"x" + bytes(8) + b"\1" + bytes(32), b"since"), (b"format", b"3x")):
            with self.assertRaises(Unknown, msg=(key, value)):
                read_record(key, value)
        for text in ("parley_relay_calls_total{call=Append} 1", "parley_relay calls 1",
                     'parley_relay_calls_total{call="Append",peer:"x"} 1'):
            with self.assertRaises(Unknown, msg=text):
                series(text)

    def test_knows_what_is_padded(self):
        self.assertEqual([size for size in range(250, 330) if is_padded(size)],
                         [256, 272, 288, 304, 320])
        self.assertFalse(is_padded(20_000))
        self.assertTrue(is_padded(20_480))


if __name__ == "__main__":
    testing.main()
