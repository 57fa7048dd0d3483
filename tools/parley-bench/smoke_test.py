#!/usr/bin/env python3
"""Runs parley-bench for a few seconds and checks that every row is there and well-formed.

  smoke_test.py PARLEY_BENCH attack|client|mls|relay|scale

The figures of such a run mean nothing and aren't looked at.
"""
import json
import math
import subprocess
import sys

FIELDS = ["name", "value", "unit", "baseline", "ratio"]
UNITS = {"us", "KiB", "per s", "MB/s", "cores"}

EXPECTED = {
    "attack": [f"honest/append/1KiB/{kind}" for kind in ("alone", "cancels", "challenges",
                                                         "sessions", "unread")],
    "client": ["profile/read_all", "profile/keep_text"] +
              [f"{what}/{kind}" for what in ("profile/read_found", "client/search",
                                             "client/search_for_all")
               for kind in ("1", "2", "3", "rare", "beginning", "letter")] +
              ["limits/fill", "limits/first_look", "limits/open/channels", "limits/open/status"] +
              [f"limits/open/{what}/{channel}" for what in ("read", "documents")
               for channel in ("joint", "caucus")] +
              [f"limits/{way}/{who}/{channel}" for way in ("queue", "send", "send_processor")
               for who in ("neutral", "party") for channel in ("joint", "caucus")],
    "mls": ["primitive/sign/1KiB", "primitive/kem_encap", "mls/0xF001/protect/1KiB",
            "mls/0xF001/unprotect/64KiB", "mls/0xF001/key_package"] +
           [f"mls/0xF001/{step}/{size}" for size in (2, 3, 8)
            for step in ("create", "join", "commit/blank_tree", "process/blank_tree",
                         "process_with_bytes/blank_tree", "commit/full_tree", "process/full_tree")],
    "scale": ["scale/open", "scale/relay/memory", "scale/append/1KiB/64",
              "scale/append_p99/1KiB/64", "scale/append_subscribed/1KiB/64",
              "scale/subscriber/memory", "scale/rate/1", "scale/median/16", "scale/p99/16"],
    "relay": [f"bare/echo/1KiB/{count}" for count in (1, 16, 64)] +
             [f"relay/append/1KiB/{count}" for count in (1, 16, 64)] +
             [f"{what}/1KiB/{count}" for count in (1, 16, 64)
              for what in ("bare/stream_echo", "bare/rocksdb_put", "relay/append_beside_rocksdb",
                           "relay/append_stream")] +
             [f"{what}{many}" for many in ("", "/4")
              for what in ("relay/upload/raw_beside_slower", "relay/download/raw_beside_slower")] +
             ["relay/delivery_latency/1KiB/1", "bare/file_write/1MiB", "bare/file_read/1MiB",
              "bare/stream_up/1MiB/4", "bare/stream_down/1MiB/4", "relay/upload/sealed_beside_raw",
              "relay/download/sealed_beside_raw"] +
             ["bare/fdatasync/1KiB", "relay/append_latency/1KiB/1", "bare/stream_up/1MiB",
              "bare/stream_down/1MiB", "relay/upload/raw", "relay/download/raw",
              "relay/upload/sealed_file", "relay/download/sealed_file"],
}
ARGUMENTS = {"mls": ["--suite", "0xF001", "--members", "2,3,8"], "relay": [], "client": [],
             "attack": [], "scale": []}


def run(program, *arguments):
    return subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True, timeout=120)


def check_row(row):
    assert list(row) == FIELDS, f"not the fields {FIELDS}: {row}"
    assert row["unit"] in UNITS, row
    # What becomes of attackers' calls: there may be none of a kind.
    if row["name"].startswith("attackers/") and row["value"] == 0:
        return
    for field in ("value", "baseline", "ratio"):
        assert math.isfinite(row[field]) and row[field] > 0, row
    assert math.isclose(row["ratio"], row["value"] / row["baseline"], rel_tol=1e-9), row


def main():
    program, command = sys.argv[1:]
    as_json = run(program, command, "--quick", "--json", *ARGUMENTS[command])
    assert as_json.returncode == 0, as_json
    rows = [json.loads(line) for line in as_json.stdout.splitlines()]
    for row in rows:
        check_row(row)
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names), f"a name comes twice: {names}"
    missing = set(EXPECTED[command]) - set(names)
    assert not missing, f"rows are missing: {sorted(missing)}"

    as_table = run(program, command, "--quick")
    lines = as_table.stdout.splitlines()
    assert as_table.returncode == 0 and len(lines) > 1, as_table
    assert all(word in lines[0] for word in FIELDS), lines[0]

    wrong = subprocess.run([program, command, "--suite", "99"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=60)
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1, wrong


if __name__ == "__main__":
    main()
