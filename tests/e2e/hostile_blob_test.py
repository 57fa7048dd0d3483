#!/usr/bin/env python3
"""A relay that lies about a document's chunks: the fetch fails, names the document, and leaves nothing
under the final name; when the relay behaves again, the same command gives the document."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "hostile")]

# pylint: disable=wrong-import-position
import testing
from lib.mediation import ANA

CHUNK = 1 << 20


class BlobTest(testing.SceneTest):
    parts = (ANA,)
    fresh = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.content, cls.document, cls.blob = {}, {}, {}
        for name, size in (("brief.pdf", 4 * CHUNK + 4321), ("other.bin", 4 * CHUNK + 4321)):
            path = os.path.join(cls.work, name)
            cls.content[name] = os.urandom(size)
            with open(path, "wb") as file:
                file.write(cls.content[name])
            cls.scene.relays["mira"].blobs()
            cls.document[name] = cls.scene["mira"].share("joint", path)
            (cls.blob[name],) = cls.scene.relays["mira"].blobs()
        cls.scene.sync("ana")
        # So that the liar knows the other document's chunks.
        cls.scene["ana"].fetch("joint", cls.document["other.bin"],
                               os.path.join(cls.work, "got-other.bin"))

    def fetch_behind(self, kind, **arguments):
        liar = self.scene.relays["ana"]
        target = os.path.join(self.work, f"{self.id()}.pdf")
        liar.rule(kind, blob=self.blob["brief.pdf"], **arguments)
        told = self.scene["ana"].refused("fetch", self.scene.case, "joint",
                                         self.document["brief.pdf"], "-o", target)
        self.assertGreater(liar.hits(), 0, "the lie was not told")
        self.assertFalse(os.path.exists(target), "a damaged document lies under its final name")
        print(f"    {kind}: {told}", file=sys.stderr)
        liar.clear()
        self.scene["ana"].fetch("joint", self.document["brief.pdf"], target)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), self.content["brief.pdf"])

    def test_alter_first_chunk(self):
        self.fetch_behind("alter-chunk", chunk=0)

    def test_alter_nonce(self):
        self.fetch_behind("alter-chunk", chunk=1, at=3)

    def test_alter_last_chunk_tag(self):
        self.fetch_behind("alter-chunk", chunk=4, at=4_000_000_000)

    def test_swap_chunks(self):
        self.relay_has_seen_all()
        self.fetch_behind("swap-chunk", chunk=1)

    def test_foreign_chunk(self):
        self.fetch_behind("foreign-chunk", chunk=2, of_blob=self.blob["other.bin"])

    def test_short_chunk(self):
        self.fetch_behind("short-chunk", chunk=3)

    def test_cut(self):
        self.fetch_behind("cut-blob", chunk=3)

    def test_cut_before_the_first(self):
        self.fetch_behind("cut-blob", chunk=0)

    def relay_has_seen_all(self):
        target = os.path.join(self.work, f"{self.id()}.first")
        self.scene["ana"].fetch("joint", self.document["brief.pdf"], target)


if __name__ == "__main__":
    testing.main()
