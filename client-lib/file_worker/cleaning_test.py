#!/usr/bin/env python3
"""The file worker takes everything out of files that tells of their making, and leaves every byte of
the pictures and pages as it is. With the real program, in its sandbox."""
import argparse
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "data"))
import make_metadata  # noqa: E402  (beside the documents)

MARKER = "Wharfdale7"
KINDS = {"photo.jpg": "jpeg", "drawing.png": "png", "picture.webp": "webp", "scan.tif": "tiff",
         "paper.pdf": "pdf"}
READY, FAILED, DONE = 1, 3, 5
PLACE, CAMERA, XMP, IPTC, COMMENTS, SMALL, INFORMATION, REVISIONS, OTHER = (1 << i for i in range(9))
NOT_READABLE, ENCRYPTED, SIGNED, NO_ROOM = 1, 3, 4, 6
WORKER = None


def frames(answer):
    at, found = 0, []
    while at < len(answer):
        kind, size = struct.unpack(">BL", answer[at:at + 5])
        found.append((kind, answer[at + 5:at + 5 + size]))
        at += 5 + size
    return found


class Cleaning(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def clean(self, kind, content):
        """(the clean copy, or None when nothing was to be removed; what was removed)"""
        source, copy = os.path.join(self.folder, "in"), os.path.join(self.folder, "out")
        with open(source, "wb") as file:
            file.write(content)
        open(copy, "wb").close()
        run = subprocess.run(["bash", "-c", 'exec "$0" clean "$1" <"$2" 3<>"$3"', WORKER, kind, source,
                              copy], stdout=subprocess.PIPE, env={}, timeout=120, check=True)
        answer = frames(run.stdout)
        self.assertEqual([kind for kind, _ in answer][0], READY)
        with open(source, "rb") as file:
            self.assertEqual(file.read(), content, "the original was changed")
        self.assertEqual(len(answer), 2)
        if answer[1][0] == FAILED:
            return None, -answer[1][1][0]
        self.assertEqual(answer[1][0], DONE)
        _, removed, flags = struct.unpack(">QLB", answer[1][1])
        with open(copy, "rb") as file:
            return (None if flags else file.read()), removed

    def made(self, name):
        with open(make_metadata.make(self.folder, MARKER)[name], "rb") as file:
            return file.read()

    def test_nothing_planted_is_left(self):
        for name, kind in KINDS.items():
            with self.subTest(name):
                content = self.made(name)
                self.assertGreater(content.count(MARKER.encode()), 3)
                clean, removed = self.clean(kind, content)
                self.assertIsNotNone(clean, removed)
                self.assertNotIn(MARKER.encode(), clean)
                for fragment in (b"ns.adobe", b"xmpmeta", b"photographer", b"2026"):
                    self.assertNotIn(fragment, clean)
                self.assertTrue(removed & PLACE and removed & (CAMERA | XMP), bin(removed))

    def test_what_was_removed_is_said(self):
        said = {name: self.clean(kind, self.made(name))[1] for name, kind in KINDS.items()}
        self.assertEqual(said["photo.jpg"], PLACE | CAMERA | XMP | IPTC | COMMENTS | SMALL | OTHER)
        self.assertEqual(said["drawing.png"], PLACE | CAMERA | XMP | COMMENTS | SMALL | OTHER)
        self.assertEqual(said["picture.webp"], PLACE | CAMERA | XMP | SMALL | OTHER)
        self.assertEqual(said["scan.tif"], PLACE | CAMERA | XMP | COMMENTS | SMALL
                         | INFORMATION)
        self.assertEqual(said["paper.pdf"], PLACE | CAMERA | XMP | IPTC | COMMENTS | SMALL
                         | INFORMATION | REVISIONS | OTHER)

    def test_cleaning_again_finds_nothing(self):
        for name, kind in KINDS.items():
            with self.subTest(name):
                clean, _ = self.clean(kind, self.made(name))
                self.assertEqual(self.clean(kind, clean), (None, 0))

    def test_the_same_file_gives_the_same_copy(self):
        for name, kind in KINDS.items():
            content = self.made(name)
            self.assertEqual(self.clean(kind, content), self.clean(kind, content), name)

    def test_every_byte_of_the_picture_stays(self):
        photo = self.made("photo.jpg")
        with open(make_metadata.PHOTOGRAPH, "rb") as file:
            plain = file.read()
        # All from the first table to the end of the picture.
        picture = plain[plain.index(b"\xff\xdb"):]
        clean, _ = self.clean("jpeg", photo)
        self.assertTrue(clean.endswith(picture))
        self.assertIn(b"ICC_PROFILE\0\1\1a colour profile", clean)
        self.assertIn(b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x01\xff", clean)
        drawing = self.made("drawing.png")
        data = drawing[drawing.index(b"IDAT"):drawing.index(b"IEND") + 8]
        self.assertIn(data, self.clean("png", drawing)[0])
        web = self.made("picture.webp")
        pixel = web[web.index(b"VP8L"):web.index(b"EXIF")]
        self.assertIn(pixel, self.clean("webp", web)[0])
        scan, _ = self.clean("tiff", self.made("scan.tif"))
        for page in range(2):
            self.assertIn(bytes((page * 40 + i) % 256 for i in range(8 * 8 * 3)), scan)
        paper, _ = self.clean("pdf", self.made("paper.pdf"))
        self.assertIn(b"BT /F1 18 Tf 72 700 Td (The bearing failed.) Tj ET", paper)
        # As it is, and as what other filters were around: once each.
        self.assertEqual(paper.count(picture), 3)
        self.assertIn(b"/ColorTransform 1", paper)

    def test_a_picture_stays_the_right_way_up(self):
        block = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"
        for name in ("photo.jpg", "drawing.png", "picture.webp"):
            self.assertIn(block, self.clean(KINDS[name], self.made(name))[0], name)
        self.assertIn(struct.pack("<HHLH", 0x112, 3, 1, 6), self.clean("tiff", self.made("scan.tif"))[0])

    def test_nothing_lies_around_the_document(self):
        clean, _ = self.clean("pdf", self.made("paper.pdf"))
        hidden = b"%" + MARKER.encode() + b"\n"
        lost = b"20 0 obj\n<< /Author (" + MARKER.encode() + b") >>\nendobj\n"
        at = clean.rindex(b"startxref")
        table = int(clean[at:].split()[1])
        for name, file in {"behind": clean + hidden,
                           "in between": clean[:at] + hidden + clean[at:],
                           "an object without a place": clean[:table] + lost + clean[table:at]
                           + b"startxref\n%d\n%%%%EOF\n" % (table + len(lost))}.items():
            with self.subTest(name):
                again, removed = self.clean("pdf", file)
                self.assertEqual(removed, OTHER)
                self.assertEqual(again, clean)

    def test_a_file_cut_short_is_refused(self):
        for name, kind in KINDS.items():
            content = self.made(name)
            with open(make_metadata.PHOTOGRAPH, "rb") as file:
                whole = {"jpeg": file.read()}.get(kind, content)
            for part in (0.2, 0.6, 0.9):
                cut = whole[:int(len(whole) * part)]
                if kind == "png":  # what follows its end doesn't count
                    cut = cut[:content.index(b"IEND") - 20]
                if kind == "pdf" and cut.count(b"%%EOF"):
                    cut = cut[:cut.index(b"%%EOF") - 40]
                self.assertEqual(self.clean(kind, cut), (None, -NOT_READABLE), (name, part))

    def test_a_signed_or_locked_pdf_is_refused(self):
        paper = self.made("paper.pdf")
        # In the place of as many bytes, so that the table stays right.
        room = b"(" + MARKER.encode() + b")"
        signed = paper.replace(b"/PieceInfo << /Own " + room + b" >>",
                               b"/X << /ByteRange [0 1] >>".ljust(len(b"/PieceInfo << /Own " + room
                                                                     + b" >>")))
        self.assertEqual(len(signed), len(paper))
        self.assertEqual(self.clean("pdf", signed), (None, -SIGNED))

    def test_a_full_disk_is_called_one(self):
        source = make_metadata.make(self.folder, MARKER)["photo.jpg"]
        run = subprocess.run(["bash", "-c", 'exec "$0" clean jpeg <"$1" 3<>/dev/full', WORKER, source],
                             stdout=subprocess.PIPE, env={}, timeout=120, check=True)
        self.assertEqual(frames(run.stdout)[1], (FAILED, bytes([NO_ROOM])))

    def test_a_plain_file_is_left_alone(self):
        with open(make_metadata.PHOTOGRAPH, "rb") as file:
            clean, _ = self.clean("jpeg", file.read())
        if clean is not None:
            self.assertEqual(self.clean("jpeg", clean), (None, 0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", required=True)
    arguments, rest = parser.parse_known_args()
    WORKER = os.path.abspath(arguments.worker)
    unittest.main(argv=sys.argv[:1] + rest)
