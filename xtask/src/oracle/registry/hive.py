"""Writes hives of the forms that Windows writes and no tool here does: every version, every kind of
list of subkeys, data in pieces. Also what both sides print of a hive, so that they can be compared."""

import hashlib
import struct

NIL = 0xFFFFFFFF


def checksum(block):
    total = 0
    for (word,) in struct.iter_unpack("<I", bytes(block[:508])):
        total ^= word
    return {0: 1, NIL: NIL - 1}.get(total, total)


def seal(block):
    block[508:512] = struct.pack("<I", checksum(block))


def name_hash(name):
    total = 0
    units = "".join(c.upper() if len(c.upper()) == 1 else c for c in name).encode("utf-16-le")
    for (unit,) in struct.iter_unpack("<H", units):
        total = (37 * total + unit) & NIL
    return total


def stored(name):
    """How a name is stored, and whether with one byte a character."""
    try:
        return name.encode("latin-1"), 1
    except UnicodeEncodeError:
        return name.encode("utf-16-le"), 0


class Key:
    def __init__(self, name, values=(), subkeys=(), lists="lh", klass=None, time=0):
        self.name, self.values, self.subkeys = name, list(values), list(subkeys)
        self.lists, self.klass, self.time = lists, klass, time


class Writer:
    def __init__(self, minor=5):
        self.minor, self.bins, self.bin, self.last = minor, bytearray(), None, NIL

    def finish_bin(self):
        if self.bin is None:
            return
        rest = -len(self.bin) % 4096
        if rest:
            free = struct.pack("<i", rest)
            if self.minor == 1:
                free += struct.pack("<I", self.last)
            self.bin += free + bytes(rest - len(free))
        self.bin[8:12] = struct.pack("<I", len(self.bin))
        self.bins += self.bin
        self.bin = None

    def cell(self, content):
        old = self.minor == 1
        header, step = (8, 16) if old else (4, 8)
        size = -(-(len(content) + header) // step) * step
        if self.bin is not None and len(self.bin) % 4096 + size > 4096:
            self.finish_bin()
        if self.bin is None:
            self.bin = bytearray(struct.pack("<4sII20x", b"hbin", len(self.bins), 0))
            self.last = NIL
        start = len(self.bin)
        offset = len(self.bins) + start
        self.bin += struct.pack("<i", -size)
        if old:
            self.bin += struct.pack("<I", self.last)
            self.last = start
        self.bin += content
        self.bin += bytes(start + size - len(self.bin))
        if len(self.bin) % 4096 == 0:
            self.finish_bin()
        return offset

    def patch(self, offset, content):
        at = offset + (8 if self.minor == 1 else 4)
        if at >= len(self.bins):
            self.bin[at - len(self.bins):at - len(self.bins) + len(content)] = content
        else:
            self.bins[at:at + len(content)] = content

    def data(self, data):
        if len(data) <= 16344 or self.minor < 4:
            return self.cell(data)
        pieces = [self.cell(data[at:at + 16344]) for at in range(0, len(data), 16344)]
        listed = self.cell(struct.pack(f"<{len(pieces)}I", *pieces))
        return self.cell(struct.pack("<2sHII", b"db", len(pieces), listed, 0))

    def value(self, name, kind, data):
        raw, compressed = stored(name)
        if len(data) <= 4:
            size, place = len(data) | 1 << 31, struct.unpack("<I", data.ljust(4, b"\0"))[0]
        else:
            size, place = len(data), self.data(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), size, place, kind, compressed, 0) + raw)

    def leaf(self, kind, keys):
        body = b""
        for name, offset in keys:
            body += struct.pack("<I", offset)
            if kind == "lh":
                body += struct.pack("<I", name_hash(name))
            elif kind == "lf":
                body += stored(name)[0][:4].ljust(4, b"\0")
        return self.cell(struct.pack("<2sH", kind.encode(), len(keys)) + body)

    def list(self, kinds, keys):
        """`kinds` is the kinds of lists from the top, as in "ri ri lh"."""
        kind, _, beneath = kinds.partition(" ")
        if kind != "ri":
            return self.leaf(kind, keys)
        step = max(1, len(keys) // 5)
        parts = [self.list(beneath, keys[at:at + step]) for at in range(0, len(keys), step)]
        return self.cell(struct.pack("<2sH", b"ri", len(parts)) + struct.pack(f"<{len(parts)}I", *parts))

    def key(self, key, parent, security, flags=0):
        raw, compressed = stored(key.name)
        klass = key.klass.encode("utf-16-le") if key.klass else b""
        record = bytearray(76)
        struct.pack_into("<2sHQ", record, 0, b"nk", flags | compressed << 5, key.time)
        struct.pack_into("<I", record, 16, parent)
        struct.pack_into("<IIIIIIII", record, 20, len(key.subkeys), 0, NIL, NIL, len(key.values), NIL, security, NIL)
        struct.pack_into("<HH", record, 72, len(raw), len(klass))
        offset = self.cell(bytes(record) + raw)
        if klass:
            self.patch(offset + 48, struct.pack("<I", self.cell(klass)))
        if key.values:
            values = [self.value(*value) for value in key.values]
            self.patch(offset + 40, struct.pack("<I", self.cell(struct.pack(f"<{len(values)}I", *values))))
        if key.subkeys:
            order = sorted(key.subkeys, key=lambda subkey: subkey.name.upper())
            subkeys = [(subkey.name, self.key(subkey, offset, security)) for subkey in order]
            self.patch(offset + 28, struct.pack("<I", self.list(key.lists, subkeys)))
        return offset

    def hive(self, root):
        descriptor = bytes.fromhex("010004801400000024000000000000003400000001020000000000052000000020020000"
                                   "010200000000000520000000200200000200080000000000")
        security = self.cell(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 1, len(descriptor)) + descriptor)
        self.patch(security + 4, struct.pack("<II", security, security))
        made = self.key(root, 0, security, flags=0x0C)
        self.finish_bin()
        block = bytearray(4096)
        struct.pack_into("<4sIIQIIIIIII", block, 0, b"regf", 1, 1, 0, 1, self.minor, 0, 1, made, len(self.bins), 1)
        seal(block)
        return bytes(block + self.bins)


def line_of_key(path, time):
    return "K " + "/".join(name.encode().hex() for name in path) + f" {time}"


def line_of_value(path, name, kind, data):
    where = "/".join(part.encode().hex() for part in path)
    return f"V {where} {name.encode().hex() or '-'} {kind} {len(data)} {hashlib.sha256(data).hexdigest()}"


def lines(key, path=()):
    """What is to be printed of a hive that was written from `key`."""
    yield line_of_key(path, key.time)
    for name, kind, data in key.values:
        yield line_of_value(path, name, kind, data)
    for subkey in key.subkeys:
        yield from lines(subkey, path + (subkey.name,))


def sample(scale=1):
    """A hive with everything in it, and a part of its many keys."""
    text = lambda words: words.encode("utf-16-le")
    noise = lambda size, seed: b"".join(hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range(size // 32 + 1))[:size]
    values = [("", 1, text("default\0")), ("Größe", 4, b"\1\2\3\4"), ("名前", 1, text("日本語 😀\0")),
              ("empty", 1, b""), ("none", 0, b""), ("no end", 2, text("%SystemRoot%\\x")), ("odd", 1, text("odd\0") + b"x"),
              ("big-endian", 5, b"\0\0\1\2"), ("link", 6, text("\\Registry\\x")), ("many", 7, text("a\0b\0\0c\0\0")),
              ("resources", 8, noise(40, 1)), ("descriptor", 9, noise(41, 2)), ("requirements", 10, noise(42, 3)),
              ("qword", 11, b"12345678"), ("strange", 0xFFFF0007, noise(9, 4)), ("short", 3, b"ab"), ("n" * 255, 3, b"abc")]
    sized = lambda sizes: [(f"size {size}", 3, noise(size, size)) for size in sizes if size < 4_000_000 // scale]
    long = sized([4, 5, 4095, 16343, 16344, 16400, 32688, 32800, 100_000, 999_999])
    # hivex leaves out the last four bytes of a piece's cell, and what comes after a million bytes.
    beyond = sized([16345, 16346, 32689, 1_000_001])
    name = lambda n: f"Key {n:05}" + ("é" if n % 3 == 0 else "") + ("語" if n % 7 == 0 else "")
    many = lambda count, lists: [Key(name(n), [("n", 4, struct.pack("<I", n))], time=n * 10**12) for n in range(count)]
    groups = [Key(lists, [], many(count // scale, lists), lists) for lists, count in
              [("li", 300), ("lf", 500), ("lh", 505), ("ri lh", 5000), ("ri lf", 700), ("ri li", 1000)]]
    deep = Key("bottom", [("", 1, text("here\0"))])
    for level in range(60):
        deep = Key(f"level {level}", [], [deep])
    return Key("ROOT", values, groups + [Key("long", long), Key("beyond hivex", beyond), Key("deep", [], [deep]), Key("class", klass="Class of it"),
                                         Key("x" * 255), Key("ключ"), Key("Käse")], "lf", time=131_000_000_000_000_000)


if __name__ == "__main__":
    import sys
    form, path = sys.argv[1], sys.argv[2]
    forms = {"empty": lambda: (Key("ROOT"), 5), "small": lambda: (sample(50), 5)}
    root, minor = forms.get(form, lambda: (sample(), int(form)))()
    with open(path, "wb") as file:
        file.write(Writer(minor).hive(root))
    print("\n".join(lines(root)))
