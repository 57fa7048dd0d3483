"""Every byte that a stopped relay has stored, field by field, by a reader of its own: it knows the formats from
storage/README.md and docs, not from the relay's code, and refuses what it doesn't know."""
import os
import re
import struct
import subprocess
from dataclasses import dataclass

# A record's fields, after its format version: the size of bytes, or a kind of `Reader`.
KEYS = [("read_key", 32), ("control_key", 32), ("append_keys", "keys")]
RECORDS = {
    b"m": ("mailbox", [("id", 32)],
           [("sponsor", 16), ("generation", "u64"), ("first_position", "u64"), ("head", "u64"),
            ("allowed_entries", "u64"), ("allowed_bytes", "u64"), ("used_entries", "u64"),
            ("used_bytes", "u64"), ("stored_bytes", "u64"), ("most_stored_bytes", "u64"),
            ("reserved_bytes", "u64"), ("closed_bytes", "u64"), ("expires_at", "u64"),
            ("creation_hash", 32)]),
    b"g": ("generation", [("mailbox", 32), ("generation", "u64")],
           [("first_position", "u64"), ("last_position", "u64"), *KEYS]),
    b"a": ("append", [("mailbox", 32), ("append_id", 16)], [("position", "u64")]),
    b"b": ("blob", [("id", 32)],
           [("sponsor", 16), ("read_key", 32), ("write_key", 32), ("reserved_bytes", "u64"),
            ("expires_at", "u64"), ("sealed", "u8"), ("creation_hash", 32)]),
    b"p": ("upload", [("blob", 32)], [("chunks", "u64"), ("bytes", "u64")]),
    b"s": ("sponsor", [("id", 16)],
           [("name", "text"), ("token_hash", 32), ("quota_bytes", "u64"), ("quota_objects", "u64"),
            ("used_bytes", "u64"), ("used_objects", "u64"), ("removed", "u8"),
            ("voucher_epoch", "u64")]),
    b"n": ("sponsor name", [("name", "rest")], [("sponsor", 16)]),
    b"t": ("sponsor token", [("token_hash", 32)], [("sponsor", 16)]),
    b"v": ("voucher", [("id", 16)], [("expires_at", "u64")]),
    b"e": ("entry", [("mailbox", 32), ("position", "u64")],
           [("generation", "u64"), ("append_id", 16), ("closes", "u8"), ("closing", "closing"),
            ("payload", "rest")]),
}
FAMILIES = {"default": b"mgabpsntvxf", "entries": b"e", "chunks": b"c"}
VALUE, BLOB_INDEX = 1, 17  # types of RocksDB's records; others delete


class Unknown(AssertionError):
    """Bytes that nobody has said the meaning of."""


@dataclass(frozen=True)
class Field:
    place: str   # the kind of record
    name: str
    value: object  # a number, or bytes
    owner: bytes   # the mailbox or blob that the record is about; empty where there is none


class Reader:
    def __init__(self, data, what):
        self.data = data
        self.what = what

    def take(self, size):
        if len(self.data) < size:
            raise Unknown(f"{self.what} ends early")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def vector(self):
        """RFC 9420, section 2.1.2."""
        first = self.number(1)
        size = {0: 0, 1: 1, 2: 3}[first >> 6]
        return self.take((first & 0x3F) << 8 * size | (self.number(size) if size else 0))

    def fields(self, shape):
        """[(name, value)] of a shape; a list of keys is several of that name."""
        found = []
        for name, kind in shape:
            if kind == "u64":
                found.append((name, self.number(8)))
            elif kind == "u8":
                found.append((name, self.number(1)))
            elif kind == "text":
                found.append((name, self.vector()))
            elif kind == "rest":
                found.append((name, self.take(len(self.data))))
            elif kind == "keys":
                keys = Reader(self.vector(), self.what)
                while keys.data:
                    found.append((name, keys.take(32)))
            elif kind == "closing":
                if found[-1][1]:
                    found += self.fields([*KEYS, ("control_signature", 64)])
            else:
                found.append((name, self.take(kind)))
        return found

    def end(self):
        if self.data:
            raise Unknown(f"{self.what} has {len(self.data)} bytes that are no known field's: "
                          + self.data.hex())


def read_expiry(key):
    reader = Reader(key[1:], "an expiry")
    (_, time), (_, kind) = reader.fields([("expires_at", "u64"), ("kind", "u8")])
    identity = reader.take({1: 32, 2: 32, 3: 16}[kind])
    reader.end()
    owner = identity if kind != 3 else b""
    return [Field("expiry", "expires_at", time, owner), Field("expiry", "kind", kind, owner),
            Field("expiry", "id", identity, owner)]


def read_key(key):
    """The fields of a key that a record lies at, and the shape of its value (None: it has none)."""
    letter = key[:1]
    if letter == b"x":
        return read_expiry(key), None
    if letter == b"c":
        reader = Reader(key[1:], "a chunk's key")
        found = reader.fields([("blob", 32), ("index", "u64")])
        reader.end()
        return [Field("chunk", name, value, found[0][1]) for name, value in found], "chunk"
    if key == b"format":
        return [], "format"
    if letter not in RECORDS:
        raise Unknown(f"a record of an unknown kind: {key.hex()}")
    place, shape, _ = RECORDS[letter]
    reader = Reader(key[1:], f"the key of a {place}")
    found = reader.fields(shape)
    reader.end()
    owner = found[0][1] if letter in b"mgabpe" else b""
    return [Field(place, name, value, owner) for name, value in found], letter


def read_record(key, value):
    """The fields of a record; a value of None is that of a deletion."""
    fields, shape = read_key(key)
    if value is None:
        return fields
    owner = fields[0].owner if fields else b""
    if shape == "chunk":
        return fields + [Field("chunk", "data", value, owner)]
    if shape == "format":
        if not re.fullmatch(rb"\d+", value):
            raise Unknown(f"the format is {value!r}")
        return [Field("format", "version", int(value), b"")]
    reader = Reader(value, f"the record at {key[:1]!r}")
    if shape is None:
        reader.end()
        return fields
    if reader.number(1) != 1:
        raise Unknown(f"another format of the record at {key[:1]!r}")
    place, _, value_shape = RECORDS[shape]
    found = [Field(place, name, value, owner) for name, value in reader.fields(value_shape)]
    reader.end()
    return fields + found


def run(*command):
    done = subprocess.run(command, capture_output=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.stderr.decode(errors='replace')}")
    return done.stdout


# A line of sst_dump: 'KEY' seq:N, type:N => VALUE, in hexadecimal.
LINE = re.compile(rb"^'([0-9A-F]*)' seq:\d+, type:(\d+) => ([0-9A-F]*)$")


class Table:
    """One of RocksDB's tables (.sst): its properties by name, and its records."""

    def __init__(self, path):
        self.properties = {}
        text = run("sst_dump", f"--file={path}", "--show_properties").decode()
        for line in text.splitlines():
            match = re.fullmatch(r"  (?:# )?([^:]+): ?(.*)", line)
            if match:
                self.properties[match[1]] = match[2]
        self.family = self.properties["column family name"]
        self.records = []  # (key, type, value)
        for line in run("sst_dump", f"--file={path}", "--command=scan", "--output_hex").splitlines():
            match = LINE.match(line)
            if match:
                self.records.append((bytes.fromhex(match[1].decode()), int(match[2]),
                                     bytes.fromhex(match[3].decode())))
        if len(self.records) != int(self.properties["entries"]):
            raise Unknown(f"{path} has {self.properties['entries']} records, and "
                          f"{len(self.records)} of them can be read")
        if self.properties["range deletions"] != "0":
            raise Unknown(f"{path} has ranges that were deleted; purge first")

    def fields(self):
        if self.family not in FAMILIES:
            raise Unknown(f"an unknown column family, {self.family}")
        found = []
        for key, kind, value in self.records:
            if key[0] not in FAMILIES[self.family]:
                raise Unknown(f"a record at {key[:1]!r} in {self.family}")
            if kind == BLOB_INDEX:  # where in a .blob file the value lies, which is read there
                value = None
            elif kind != VALUE:
                raise Unknown(f"a record of RocksDB's type {kind}; purge first")
            found += read_record(key, value)
        return found


def read_blob_file(path):
    """The chunks in one of RocksDB's .blob files: header, records and footer, every byte of it."""
    with open(path, "rb") as file:
        data = file.read()
    magic, version, family, flags, compression, first, last = struct.unpack("<IIIBBQQ", data[:30])
    known = magic == 2395959 and (version, flags, compression, first, last) == (1, 0, 0, 0, 0)
    at, end, found = 30, len(data) - 32, []
    while at < end:
        key_size, value_size, expiration = struct.unpack("<QQQ", data[at:at + 24])
        known = known and expiration == 0
        at += 32  # with two checksums
        found += read_record(data[at:at + key_size],
                             data[at + key_size:at + key_size + value_size])
        at += key_size + value_size
    magic, count, first, last, _ = struct.unpack("<IQQQI", data[end:])
    known = known and magic == 2395959 and (first, last) == (0, 0)
    if not known or at != end or count * 3 != len(found):
        raise Unknown(f"{path} (family {family}) is another kind of file than is known")
    return found


class Store:
    """All files of a stopped relay's store."""

    def __init__(self, folder):
        self.folder = folder
        self.tables = []
        self.fields = []
        self.others = {}  # name: bytes
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if re.fullmatch(r"\d{6}\.sst", name):
                self.tables.append(Table(path))
                self.fields += self.tables[-1].fields()
            elif re.fullmatch(r"\d{6}\.blob", name):
                self.fields += read_blob_file(path)
            else:
                with open(path, "rb") as file:
                    self.others[name] = file.read()

    def file_times(self):
        """The times in RocksDB's list of its files."""
        (name,) = [name for name in self.others if name.startswith("MANIFEST-")]
        text = run("ldb", "manifest_dump", "--verbose", "--hex",
                   "--path=" + os.path.join(self.folder, name)).decode()
        return [int(time) for time in re.findall(r"_time:(\d+)", text)]


def series(text):
    """What /metrics answers: [(name without its kind's ending, {label: value}, number)]."""
    found = []
    for line in text.splitlines():
        if line.startswith("#") or not line:
            continue
        match = re.fullmatch(r'([a-z_]+)(?:\{(.*)\})? (\S+)', line)
        if not match:
            raise Unknown(f"a line of metrics: {line}")
        labels = dict(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)",?', match[2] or ""))
        if ",".join(f'{name}="{value}"' for name, value in labels.items()) != (match[2] or ""):
            raise Unknown(f"labels of metrics: {line}")
        name = re.sub("_(bucket|sum|count)$", "", match[1])
        found.append((name, labels, float(match[3])))
    return found
