#!/usr/bin/env python3
"""Makes the documents that a mediation really sees, each with a marker word inside it.

    tests/data/make_documents.py FOLDER --marker WORD [--scan-bytes N]

The marker stands uncompressed in each file, so that a search for it finds any copy that leaked.
The same arguments make the same bytes.
"""
import argparse
import os
import random
import struct
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
PHOTOGRAPH = os.path.join(HERE, "conveyor.jpg")
SCAN_BYTES = 25 * 1000 * 1000

JAPANESE_NAME = "調停陳述書（原告）.txt"


def pdf(objects):
    """A PDF of these objects (bytes each, numbered from 1 on; the first is the catalog)."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def stream(dictionary, data):
    return b"<< " + dictionary + b" /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def brief(title, lines):
    """A one-page position paper as PDF, its text uncompressed."""
    text = [b"BT /F1 18 Tf 72 760 Td (" + pdf_text(title) + b") Tj ET"]
    for number, line in enumerate(lines):
        text.append(b"BT /F1 11 Tf 72 %d Td (" % (720 - 16 * number) + pdf_text(line) + b") Tj ET")
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        stream(b"", b"\n".join(text)),
    ])


def pdf_text(text):
    for character in "\\()":
        text = text.replace(character, "\\" + character)
    return text.encode("latin-1", "replace")


def scan(marker, size=SCAN_BYTES, seed=1):
    """A scanned page as PDF of about `size` bytes: one uncompressed image full of noise."""
    width = 2480
    height = max(1, size // (3 * width))
    noise = random.Random(f"{seed} {marker}")
    pixels = bytearray(noise.randbytes(3 * width * height))
    word = marker.encode()
    for place in range(0, len(pixels) - len(word), 1 << 20):  # in each piece of the transfer
        pixels[place:place + len(word)] = word
    image = stream(b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB"
                   b" /BitsPerComponent 8" % (width, height), bytes(pixels))
    return pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /XObject << /Im1 4 0 R >> >> >>",
        image,
        stream(b"", b"q 595 0 0 842 0 0 cm /Im1 Do Q"),
    ])


def xml(body):
    return '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + body


def sheet_row(number, cells):
    row = []
    for column, cell in zip("ABCDEFGH", cells):
        if isinstance(cell, str):
            escaped = cell.replace("&", "&amp;").replace("<", "&lt;")
            row.append(f'<c r="{column}{number}" t="inlineStr"><is><t>{escaped}</t></is></c>')
        else:
            row.append(f'<c r="{column}{number}"><v>{cell}</v></c>')
    return f'<row r="{number}">{"".join(row)}</row>'


def write_spreadsheet(path, rows):
    """A workbook (XLSX) with one sheet of these rows of texts and numbers."""
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    data = "".join(sheet_row(number, row) for number, row in enumerate(rows, 1))
    parts = {
        "[Content_Types].xml":
            f'<Types xmlns="{package}/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
            '</Types>',
        "_rels/.rels":
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml":
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Damages" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels":
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml":
            f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as book:
        for name, body in parts.items():
            book.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), xml(body))


def photograph(marker):
    """The photograph in this folder with the marker in a comment segment."""
    with open(PHOTOGRAPH, "rb") as file:
        picture = file.read()
    comment = marker.encode()
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return picture[:2] + segment + picture[2:]


def chart(marker):
    """A small PNG with the marker in a text chunk."""
    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body +
                struct.pack(">I", zlib.crc32(kind + body)))
    width, height = 64, 32
    rows = b"".join(b"\0" + bytes(255 if y < x // 2 else 40 for x in range(width))
                    for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" +
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"tEXt", b"Comment\0" + marker.encode("latin-1", "replace")) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def make_documents(folder, marker, scan_bytes=SCAN_BYTES):
    """Writes all documents to `folder` and returns their paths by kind."""
    os.makedirs(folder, exist_ok=True)

    def place(name):
        return os.path.join(folder, name)

    paths = {
        "brief": write(place("position paper.pdf"), brief("Position paper", [
            f"Confidential, for the mediators alone: {marker}.",
            "The conveyor stopped on 14 March; eleven days of output were lost.",
            "Damages claimed: 1.84 million dollars."])),
        "spreadsheet": place("damages.xlsx"),
        "photograph": write(place("conveyor.jpg"), photograph(marker)),
        "chart": write(place("chart.png"), chart(marker)),
        "scan": write(place("scanned contract.pdf"), scan(marker, scan_bytes)),
        "empty": write(place("signature page (blank).txt"), b""),
        "japanese": write(place(JAPANESE_NAME),
                          f"当方の最低額については口外しないこと。 {marker}\n".encode()),
    }
    write_spreadsheet(paths["spreadsheet"], [
        ["Item", "Amount", marker],
        ["Lost output, 11 days", 1210000], ["Spoiled goods", 402500],
        ["Overtime", 187300], ["Expert", 40200]])
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--marker", required=True)
    parser.add_argument("--scan-bytes", type=int, default=SCAN_BYTES)
    options = parser.parse_args()
    for kind, path in make_documents(options.folder, options.marker, options.scan_bytes).items():
        print(f"{kind}: {path}")


if __name__ == "__main__":
    main()
