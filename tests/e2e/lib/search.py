"""Looks for words in files and memory, in every form in which they could have leaked."""
import base64
import mmap
import os
import re
import shutil
import subprocess
import zlib
from dataclasses import dataclass

from lib.core_image import NoRight, write_core_image

# zlib and gzip streams by their first bytes.
COMPRESSED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")


@dataclass(frozen=True)
class Finding:
    word: str
    form: str
    place: str
    offset: int

    def __str__(self):
        return f'"{self.word}" as {self.form} in {self.place} at {self.offset}'


def forms(word):
    """The word's bytes in each form, by the form's name. A word may be text or bytes."""
    plain = word.encode() if isinstance(word, str) else word
    found = {"itself": plain, "hexadecimal": plain.hex().encode(),
             "upper-case hexadecimal": plain.hex().upper().encode()}
    if isinstance(word, str):
        found["UTF-16 (little-endian)"] = word.encode("utf-16-le")
        found["UTF-16 (big-endian)"] = word.encode("utf-16-be")
    for kind, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
        for shift in range(3):
            found[f"{kind} shifted by {shift}"] = base64_core(plain, shift, encode)
    return found


def base64_core(plain, shift, encode):
    """What base64 makes of `plain` at any place that is `shift` modulo 3, whatever stands around."""
    text = encode(b"\0" * shift + plain)
    first = (0, 2, 3)[shift]  # digits that also depend on what stands before
    bits = 8 * (shift + len(plain))
    return text[first:bits // 6]  # the next digit also depends on what follows


def label(word):
    return word if isinstance(word, str) else word.hex()


def search_bytes(data, words, place):
    """Findings of any of the words in the data; at most one for each word and form."""
    findings = []
    for word in words:
        tried = set()
        for form, pattern in forms(word).items():
            if pattern in tried:
                continue
            tried.add(pattern)
            offset = data.find(pattern)
            if offset >= 0:
                findings.append(Finding(label(word), form, place, offset))
    return findings


def search_file(path, words, place=None, decompress=False):
    place = place or path
    try:
        if os.path.getsize(path) == 0:
            return []
        with open(path, "rb") as file, \
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            findings = search_bytes(data, words, place)
            if decompress:
                findings += search_compressed(data, words, place)
    except FileNotFoundError:
        return []  # it was replaced meanwhile; its content is in another file
    return findings


def search_compressed(data, words, place):
    """Inflates whatever looks like a compressed stream, and searches that."""
    findings = []
    for match in COMPRESSED.finditer(data):
        inflater = zlib.decompressobj(wbits=47)
        try:
            plain = inflater.decompress(data[match.start():match.start() + (1 << 20)], 1 << 22)
        except zlib.error:
            continue
        if len(plain) > 8:
            findings += search_bytes(plain, words, f"{place}, inflated at {match.start()}")
    return findings


def files_below(folder):
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(parent, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def search_folder(folder, words, decompress=False):
    findings = []
    for path in files_below(folder):
        place = os.path.relpath(path, os.path.dirname(folder))
        findings += search_bytes(os.path.basename(path).encode(), words, f"the name of {place}")
        findings += search_file(path, words, place, decompress)
    return findings


# A line of sst_dump: 'KEY' seq:N, type:N => VALUE, in hexadecimal.
RECORD = re.compile(rb"^'([0-9A-F]*)' seq:\d+, type:\d+ => ([0-9A-F]*)$")


def have_table_reader():
    return shutil.which("sst_dump") is not None


def search_tables(folder, words):
    """Searches RocksDB's tables record by record, as RocksDB itself decompresses them. Returns the
    findings and the number of records read; OSError when a table can't be read."""
    findings = []
    records = 0
    for path in files_below(folder):
        if not path.endswith(".sst"):
            continue
        dump = subprocess.run(
            ["sst_dump", f"--file={path}", "--command=scan", "--output_hex"],
            capture_output=True, check=False, timeout=300)
        if dump.returncode != 0:
            if not os.path.exists(path):
                continue  # compacted away meanwhile; its records are in another table
            raise OSError(f"sst_dump can't read {path} (exit status {dump.returncode}): "
                          + dump.stderr.decode(errors="replace").strip())
        plain = bytearray()
        for line in dump.stdout.splitlines():
            match = RECORD.match(line)
            if match:
                records += 1
                plain += bytes.fromhex(match[1].decode()) + b"\n"
                plain += bytes.fromhex(match[2].decode()) + b"\n"
        findings += search_bytes(bytes(plain), words, f"the records of {os.path.basename(path)}")
    return findings, records


def search_memory(relay, words, work):
    """Findings in a core image of the running relay, and its size; None without the right to it."""
    image = os.path.join(work, "relay.core")
    try:
        write_core_image(relay.pid, image)
        return search_file(image, words, "the relay's memory"), os.path.getsize(image)
    except NoRight:
        return None, 0
    finally:
        if os.path.exists(image):
            os.remove(image)


def search_relay(relay, words, work):
    """Searches all of a running relay: files, records, log and memory. Returns a list of findings
    for each place (None for memory that may not be read), and the counts of what was searched."""
    memory, memory_size = search_memory(relay, words, work)
    files = search_folder(relay.data, words, decompress=True)
    records, count = search_tables(relay.data, words)
    log = search_file(relay.log, words, "the relay's log")
    counts = {"bytes of files": relay.stored_bytes(), "records": count,
              "bytes of log": os.path.getsize(relay.log), "bytes of memory": memory_size}
    return {"files": files, "records": records, "log": log, "memory": memory}, counts
