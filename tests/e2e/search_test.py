#!/usr/bin/env python3
"""The search finds a word in every form in which it could leak: a search that can't find proves
nothing."""
import base64
import os
import subprocess
import sys
import zlib

from lib import search, testing
from lib.core_image import write_core_image

WORD = "CANARYHARBOR"


class SearchTest(testing.ProgramTest):
    def assert_found(self, data, form):
        path = self.write("some.bin", data)
        findings = search.search_file(path, [WORD], decompress=True)
        self.assertTrue(any(form in finding.form for finding in findings),
                        f"{form}: {[str(finding) for finding in findings]}")

    def test_finds_every_form_at_every_place(self):
        for before in range(7):
            around = os.urandom(before), os.urandom(5)
            plain = around[0] + WORD.encode() + around[1]
            self.assert_found(plain, "itself")
            self.assert_found(plain.hex().encode(), "hexadecimal")
            self.assert_found(base64.b64encode(plain), "base64")
            self.assert_found(base64.urlsafe_b64encode(plain), "base64")
            self.assert_found(around[0] + WORD.encode("utf-16-le"), "UTF-16 (little")
            self.assert_found(around[0] + WORD.encode("utf-16-be"), "UTF-16 (big")
            self.assert_found(around[0] + zlib.compress(plain * 3), "itself")

    def test_finds_nothing_where_nothing_is(self):
        path = self.write("some.bin", os.urandom(1 << 20))
        self.assertEqual(search.search_file(path, [WORD], decompress=True), [])
        self.assertEqual(search.search_file(self.write("empty", b""), [WORD]), [])

    def test_finds_in_folders_and_file_names(self):
        os.makedirs(self.path("folder", "deep"))
        self.write("folder/deep/a", b"..." + WORD.encode())
        self.write(f"folder/{WORD}.pdf", b"nothing")
        places = {finding.place for finding in search.search_folder(self.path("folder"), [WORD])}
        self.assertEqual(places, {"folder/deep/a", f"the name of folder/{WORD}.pdf"})

    def test_finds_in_the_tables_of_a_relay(self):
        relay = self.relay().start()
        relay.add_sponsor(name=WORD)
        # A relay that starts again writes what its log holds into tables, compressed.
        relay.stop()
        relay.start()
        findings, records = search.search_tables(relay.data, [WORD, "NOTTHERE"])
        self.assertGreater(records, 0)
        self.assertEqual({finding.word for finding in findings}, {WORD})
        self.assertTrue(all(".sst" in finding.place for finding in findings))

    def test_a_table_that_cant_be_read_is_no_proof(self):
        self.write("000001.sst", b"nothing like a table" * 100)
        with self.assertRaises(OSError):
            search.search_tables(self.path(""), [WORD])

    def test_finds_in_a_running_process(self):
        # The word is put together in memory only: it stands on no command line.
        code = f"w = '{WORD[::-1]}'[::-1] + 'x'; print(len(w), flush=True); input()"
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        try:
            process.stdout.readline()
            image = write_core_image(process.pid, self.path("image"))
            self.assertTrue(search.search_file(image, [WORD]))
        finally:
            process.communicate(b"\n")


if __name__ == "__main__":
    testing.main()
