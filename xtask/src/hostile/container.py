"""Makes containers."""
import os, struct, subprocess, zlib

def qcow2(path, size, clusters=(), version=3, backing=None, backing_format=None, compression=0, bits=16, raw=()):
    """A qcow2 image. clusters: (guest cluster, bytes, descriptor length) that are compressed."""
    cluster = 1 << bits
    back = (backing or "").encode()
    ext = b""
    if backing_format:
        f = backing_format.encode()
        ext += struct.pack(">II", 0xE2792ACA, len(f)) + f + bytes(-len(f) % 8)
    ext += bytes(8)
    per_l2 = cluster // 8
    l1_entries = max(1, -(-size // (cluster * per_l2)))
    at = 112 + len(ext)
    header = struct.pack(">4sIQIIQIIQQIIQQQQII", b"QFI\xfb", version, at if back else 0, len(back), bits, size, 0,
        l1_entries, cluster, 3 * cluster, 1, 0, 0, 8 if compression else 0, 0, 0, 4, 112) + bytes([compression]) + bytes(7)
    with open(path, "wb") as f:
        f.write(header + ext + back)
        f.seek(cluster); f.write(struct.pack(">Q", 2 * cluster | 1 << 63 if clusters else 0))
        data = 4 * cluster
        l2 = bytearray(cluster)
        shift = 62 - (bits - 8)
        for guest, content, sectors in clusters:
            f.seek(data); f.write(content)
            struct.pack_into(">Q", l2, guest * 8, 1 << 62 | sectors << shift | data)
            data = -(-(data + len(content)) // cluster) * cluster
        if clusters:
            f.seek(2 * cluster); f.write(l2)
        f.truncate(max(data, 4 * cluster))

def deflate(data):
    c = zlib.compressobj(9, zlib.DEFLATED, -12)
    return c.compress(data) + c.flush()

def zstd(data):
    return subprocess.run(["zstd", "-19", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
def tar(name, size, kind=b"0", content=b""):
    h = bytearray(512); n=name.encode(); h[:len(n)] = n
    h[100:108]=b"0000644\0"; h[108:116]=b"0000000\0"; h[116:124]=b"0000000\0"
    if size < 1<<33: h[124:136]=b"%011o\0" % size
    else: h[124:136] = (1<<95 | size).to_bytes(12,"big")
    h[136:148]=b"%011o\0" % 0; h[148:156]=b" "*8; h[156:157]=kind; h[257:265]=b"ustar\x0000"
    h[148:156]=b"%06o\0 " % sum(h)
    return bytes(h)+content+bytes(-len(content)%512)
