"""Fills a hive with hivex, which is a writer of its own: `edit.py FILE STAGE COUNT`. Each stage
adds `COUNT` keys, and changes what the ones before it left."""

import hashlib
import struct
import sys

import hivex

file, stage, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
hive = hivex.Hivex(file, write=True)
text = lambda words: words.encode("utf-16-le")
noise = lambda size: hashlib.sha256(f"{stage} {size}".encode()).digest() * (size // 32) + b"." * (size % 32)

root = hive.root()
top = hive.node_add_child(root, f"Stage {stage}")
hive.node_set_values(top, [{"key": "", "t": 1, "value": text("default\0")},
                           {"key": "größe", "t": 4, "value": struct.pack("<I", stage)},
                           {"key": "名前", "t": 1, "value": text("日本 😀\0")}]
                     + [{"key": f"type {kind}", "t": kind, "value": noise(kind * 3)} for kind in range(13)]
                     + [{"key": f"size {size}", "t": 3, "value": noise(size)} for size in (4, 5, 4000, 16344, 16400, 60_000)])
for name in ("Plain", "Größe", "名前", "n" * 255):
    hive.node_add_child(top, name)
many = hive.node_add_child(top, "Many")
for number in range(count):
    child = hive.node_add_child(many, f"{number * 7919 % 10007} of stage {stage}")
    hive.node_set_value(child, {"key": "number", "t": 4, "value": struct.pack("<I", number)})
# What an earlier stage made changes too.
for earlier in range(stage):
    node = hive.node_get_child(root, f"Stage {earlier}")
    hive.node_set_value(node, {"key": "changed", "t": 1, "value": text(f"by stage {stage}\0")})
    plain = hive.node_get_child(node, "Plain")
    if plain:
        hive.node_delete_child(plain)
hive.commit(file)
