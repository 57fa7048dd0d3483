#!/usr/bin/env python3
"""Makes photographs and a PDF that tell of their making, in every place where files do.

    tests/data/make_metadata.py FOLDER --marker WORD

The marker stands, uncompressed, in each thing that is to go when the file is cleaned, and nowhere
else: a search for it finds what was left. The same arguments make the same bytes.
"""
import argparse
import base64
import os
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
PHOTOGRAPH = os.path.join(HERE, "conveyor.jpg")
ORIENTATION = 6  # lying on its side

ASCII, SHORT, LONG = 2, 3, 4


def directory(entries, at, following=0, image=b""):
    """A TIFF directory at the offset `at`, little-endian, with its values, and `image` after them.

    entries: (tag, type, value): bytes, a list of numbers, or a number."""
    start = at + 2 + 12 * len(entries) + 4
    table, values = b"", b""
    for tag, kind, value in sorted(entries):
        if isinstance(value, int):
            value = [value]
        if isinstance(value, list):
            data, count = struct.pack("<%d%s" % (len(value), "HL"[kind == LONG]), *value), len(value)
        else:
            data, count = value, len(value)
        if len(data) <= 4:
            table += struct.pack("<HHL", tag, kind, count) + data.ljust(4, b"\0")
        else:
            table += struct.pack("<HHLL", tag, kind, count, start + len(values))
            values += data + b"\0" * (len(data) % 2)
    return struct.pack("<H", len(entries)) + table + struct.pack("<L", following) + values + image


def place(marker, at):
    """A directory that says where."""
    return directory([(1, ASCII, b"N\0"), (27, 7, marker + b" 51.95 N 4.14 E")], at)


def exif(marker):
    """A block of Exif: camera, orientation, place, and a small picture."""
    head = b"II*\0" + struct.pack("<L", 8)
    entries = [(0x010F, ASCII, marker + b" camera\0"), (0x0112, SHORT, ORIENTATION),
               (0x013B, ASCII, marker + b" photographer\0"), (0x8825, LONG, 0)]
    where = 8 + len(directory(entries, 8))
    entries[3] = (0x8825, LONG, where)
    second = where + len(place(marker, where))
    small = directory([(0x0201, LONG, 0)], second, image=b"\xff\xd8" + marker + b" small\xff\xd9")
    return head + directory(entries, 8, following=second) + place(marker, where) + small


def xmp(marker):
    return b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><creator>" + marker + b"</creator></x:xmpmeta>"


def segment(code, payload):
    return b"\xff" + bytes([code]) + struct.pack(">H", len(payload) + 2) + payload


def photograph(marker):
    with open(PHOTOGRAPH, "rb") as file:
        picture = file.read()
    return (picture[:2] + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
            + segment(0xE0, b"JFXX\0\x10" + marker)
            + segment(0xE1, b"Exif\0\0" + exif(marker))
            + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(marker))
            + segment(0xE2, b"ICC_PROFILE\0\1\1a colour profile")
            + segment(0xE2, b"MPF\0" + marker)
            + segment(0xE4, marker + b" of the maker")
            + segment(0xED, b"Photoshop 3.0\0" + marker)
            + segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + marker)
            + segment(0xFE, marker + b" comment")
            + picture[2:] + b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + exif(marker)) + b"\xff\xd9")


def chunk(kind, data):
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def drawing(marker):
    rows = b"".join(b"\0" + bytes([x * 16, y * 16, 99] * 1) * 16 for y in range(16) for x in [y])
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">LLBBBBB", 16, 16, 8, 2, 0, 0, 0))
            + chunk(b"gAMA", struct.pack(">L", 45455))
            + chunk(b"tEXt", b"Author\0" + marker)
            + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(marker))
            + chunk(b"eXIf", exif(marker)) + chunk(b"prVt", marker)
            + chunk(b"tIME", struct.pack(">HBBBBB", 2026, 5, 4, 3, 2, 1))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"") + marker)


def riff(kind, data):
    return kind + struct.pack("<L", len(data)) + data + b"\0" * (len(data) % 2)


def web_picture(marker):
    pixel = b"\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07"  # one, lossless
    return riff(b"RIFF", b"WEBP" + riff(b"VP8X", b"\x2c\0\0\0\0\0\0\0\0\0")
                + riff(b"ICCP", b"a colour profile") + riff(b"VP8L", pixel)
                + riff(b"EXIF", exif(marker)) + riff(b"XMP ", xmp(marker)) + riff(b"SECR", marker))


def scanned_pages(marker):
    """A TIFF of two pages, and a small picture of one."""
    out = b"II*\0" + struct.pack("<L", 8)
    for page in (0, 2, 1):
        pixels = bytes((page * 40 + i) % 256 for i in range(8 * 8 * 3))
        if page == 2:
            pixels = marker.ljust(len(pixels), b"\0")
        entries = [(0xFE, LONG, int(page == 2)), (0x100, LONG, 8), (0x101, LONG, 8),
                   (0x102, SHORT, [8, 8, 8]), (0x103, SHORT, 1),
                   (0x106, SHORT, 2), (0x111, LONG, 0), (0x112, SHORT, ORIENTATION),
                   (0x115, SHORT, 3), (0x116, LONG, 8), (0x117, LONG, len(pixels)),
                   (0x10E, ASCII, marker + b" description\0"), (0x10F, ASCII, marker + b" scanner\0"),
                   (0x131, ASCII, marker + b" program\0"), (0x13B, ASCII, marker + b" author\0"),
                   (700, 1, xmp(marker)), (0x8825, LONG, 0), (65000, ASCII, marker + b" own\0")]
        strip = len(out) + len(directory(entries, len(out)))
        where = strip + len(pixels)
        following = where + len(place(marker, where)) if page != 1 else 0
        entries = [(tag, kind, {0x111: strip, 0x8825: where}.get(tag, value))
                   for tag, kind, value in entries]
        out += directory(entries, len(out), following, pixels) + place(marker, where)
    return out


def stream(dictionary, data):
    return b"<< " + dictionary + b" /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def objects(numbered, at):
    """The objects, at the offset `at`, and their table."""
    out, offsets = b"", {}
    for number, body in numbered.items():
        offsets[number] = at + len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"xref\n"
    for number, offset in offsets.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, offset)
    return out, table


def image(filters, data):
    """A photograph of a page."""
    return stream(b"/Type /XObject /Subtype /Image /Width 320 /Height 240 /ColorSpace /DeviceRGB"
                  b" /BitsPerComponent 8 /Filter " + filters, data)


def paper(marker, page=b"BT /F1 18 Tf 72 700 Td (The bearing failed.) Tj ET", revised=True):
    """A PDF with a page and a photograph in three wrappings, that says who wrote it, and what it
    was before."""
    photo = photograph(marker)
    first = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Metadata 7 0 R /PieceInfo << /Own (" + marker + b") >> >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Thumb 8 0 R"
           b" /LastModified (D:2026 " + marker + b") /Resources << /Font << /F1 4 0 R >>"
           b" /XObject << /Im1 6 0 R /Im2 10 0 R /Im3 11 0 R >> >> >>",
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        5: stream(b"", page if not revised else page + b" % " + marker + b" before"),
        6: image(b"/DCTDecode", photo),
        7: stream(b"/Type /Metadata /Subtype /XML", xmp(marker)),
        8: stream(b"/Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", marker),
        9: b"<< /Author (" + marker + b") /Producer (" + marker + b" writer) >>",
        10: image(b"[/ASCII85Decode /DCTDecode]", base64.a85encode(photo) + b"~>"),
        11: image(b"[/FlateDecode /DCTDecode] /DecodeParms [null << /ColorTransform 1 >>]",
                  zlib.compress(photo)),
    }
    out = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"
    body, table = objects(first, len(out))
    start = len(out + body)
    out += (body + table.replace(b"xref\n", b"xref\n0 1\n0000000000 65535 f \n")
            + b"trailer\n<< /Size 12 /Root 1 0 R /Info 9 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)
    if revised:
        body, table = objects({5: stream(b"", page)}, len(out))
        out += (body + table + b"trailer\n<< /Size 12 /Root 1 0 R /Info 9 0 R /Prev %d >>\n" % start
                + b"startxref\n%d\n%%%%EOF\n" % (len(out) + len(body)))
    return out


def make(folder, marker):
    """Writes them all; gives their paths by name."""
    word = marker.encode()
    files = {"photo.jpg": photograph(word), "drawing.png": drawing(word),
             "picture.webp": web_picture(word), "scan.tif": scanned_pages(word),
             "paper.pdf": paper(word)}
    paths = {}
    for name, content in files.items():
        paths[name] = os.path.join(folder, name)
        with open(paths[name], "wb") as file:
            file.write(content)
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--marker", required=True)
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    for name, path in make(arguments.folder, arguments.marker).items():
        print(f"{name}: {path}")


if __name__ == "__main__":
    main()
