"""Makes filesystems and changes them where no tool would."""
import os, re, struct, subprocess
def run(s): return subprocess.run(["bash","-euc",s],check=True,stdout=subprocess.PIPE,stderr=subprocess.PIPE,text=True).stdout
def make(path, size="16M", options="-O ^metadata_csum,^has_journal"):
    size_option = "" if "-b " in options else "-b 1024"
    run(f"rm -f {path}; truncate -s {size} {path}; mke2fs -q -F -t ext4 {size_option} {options} {path}")
def debugfs(path, commands):
    p = subprocess.run(["debugfs","-w","-f","-",path],input="\n".join(commands)+"\n",stdout=subprocess.PIPE,stderr=subprocess.STDOUT,text=True)
    return p.stdout
def inode_at(path, name):
    out = debugfs(path,[f"imap {name}"])
    m = re.search(r"located at block (\d+), offset 0x([0-9a-f]+)", out)
    return int(m[1])*1024+int(m[2],16)
def number(path, name):
    out = debugfs(path,[f"stat {name}"])
    return int(re.search(r"Inode: (\d+)", out)[1])
def block(path, name, n=0):
    out = debugfs(path,[f"bmap {name} {n}"])
    return int(out.strip().split()[-1])
def patch(path, at, data):
    with open(path,"r+b") as f: f.seek(at); f.write(data)
def read(path, at, n):
    with open(path,"rb") as f: f.seek(at); return f.read(n)
def i_block(path, name, data): patch(path, inode_at(path,name)+40, data)
def extent_header(entries, maximum, depth): return struct.pack("<HHHHI", 0xF30A, entries, maximum, depth, 0)
def rename(path, directory, old, new):
    """Puts another name of at most the same record into a directory's first block."""
    at = block(path, directory)*1024
    b = bytearray(read(path, at, 1024)); i = b.index(old.encode())-8
    assert len(new) + 8 <= struct.unpack_from("<H", b, i+4)[0], (new, b[i:i+16])
    b[i+6] = len(new); b[i+8:i+8+len(new)] = new
    patch(path, at, bytes(b))
def mounted(path, script):
    """Runs a script in the mounted image."""
    run(f"mkdir -p mnt; mount -o loop {path} mnt; trap 'cd ..; umount mnt' EXIT; cd mnt; {script}")

CRC = []
for n in range(256):
    for _ in range(8): n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
    CRC.append(n)
def crc32c(data):
    c = 0xFFFFFFFF
    for b in data: c = c >> 8 ^ CRC[(c ^ b) & 255]
    return c ^ 0xFFFFFFFF

def btrfs(path, change, size=16384):
    """Hands every block of a tree to `change(owner, level, block)`, and seals those it changed."""
    fsid = read(path, 65536 + 32, 16)
    count = 0
    with open(path, "r+b") as f:
        for at in range(1 << 20, os.path.getsize(path), size):
            f.seek(at); block = bytearray(f.read(size))
            if block[32:48] != fsid or len(block) < size: continue
            owner, = struct.unpack_from("<Q", block, 88)
            if change(owner, block[100], block):
                struct.pack_into("<I", block, 0, crc32c(block[32:]))
                f.seek(at); f.write(block); count += 1
    assert count, "nothing was changed"

def items(block):
    """The items of a leaf: object, type, offset, where its data is."""
    for i in range(struct.unpack_from("<I", block, 96)[0]):
        objectid, kind, offset, at, length = struct.unpack_from("<QBQII", block, 101 + 25 * i)
        yield objectid, kind, offset, 101 + at, length

def fresh(path, size): run(f"rm -f {path}; truncate -s {size} {path}")
def copy(source, path): run(f"cp --sparse=always {source} {path}")
