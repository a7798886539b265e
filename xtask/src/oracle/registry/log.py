"""Writes transaction logs of what changed between states of a hive, and leaves the hive as a crash
would: `log.py CASE BEFORE AFTER...` makes `hive`, `hive.LOG1` and `hive.LOG2`."""

import struct
import sys

from hive import seal

MASK = 0xFFFFFFFF
SEED = 0x82EF4D887A4E55C5


def marvin(data):
    low, high = SEED & MASK, SEED >> 32
    rotate = lambda word, by: (word << by | word >> (32 - by)) & MASK
    rest = len(data) % 4
    words = [word for (word,) in struct.iter_unpack("<I", data[:len(data) - rest])]
    words.append(int.from_bytes(data[len(data) - rest:] + b"\x80", "little"))
    for word in words + [0]:
        low = (low + word) & MASK
        high ^= low
        low = (rotate(low, 20) + high) & MASK
        high = rotate(high, 9) ^ low
        low = (rotate(low, 27) + high) & MASK
        high = rotate(high, 19)
    return high << 32 | low


def changed(before, after):
    """The pages that differ, joined where they are neighbours."""
    runs = []
    for at in range(4096, len(after), 4096):
        if before[at:at + 4096] != after[at:at + 4096]:
            if runs and runs[-1][1] == at:
                runs[-1][1] = at + 4096
            else:
                runs.append([at, at + 4096])
    return runs


def head(hive, kind, sequence):
    block = bytearray(hive[:512])
    struct.pack_into("<II", block, 4, sequence & MASK, sequence & MASK)
    struct.pack_into("<I", block, 28, kind)
    seal(block)
    return bytes(block)


def entry(before, after, sequence):
    runs = changed(before, after)
    body = b"".join(struct.pack("<II", start - 4096, end - start) for start, end in runs)
    body += b"".join(after[start:end] for start, end in runs)
    body += bytes(-(40 + len(body)) % 512)
    start = struct.pack("<4sIIIIIQ", b"HvLE", 40 + len(body), 0, sequence & MASK, len(after) - 4096, len(runs), marvin(body))
    return start + struct.pack("<Q", marvin(start)) + body


def new_log(states, first, sequence):
    """A log of the steps from one state to the next."""
    log = head(states[first], 6, sequence)
    for number, (before, after) in enumerate(zip(states[first:], states[first + 1:]), sequence):
        log += entry(before, after, number)
    return log


def old_log(before, after):
    bitmap, pages = bytearray((len(after) - 4096) // 4096), b""
    for start, end in changed(before, after):
        for at in range(start, end, 4096):
            bitmap[at // 4096 - 1] = 0xFF
        pages += after[start:end]
    vector = b"DIRT" + bytes(bitmap)
    return head(after, 1, 7) + vector + bytes(-len(vector) % 512) + pages


def dirty(hive, sequence):
    block = bytearray(hive)
    struct.pack_into("<II", block, 4, (sequence + 1) & MASK, sequence & MASK)
    seal(block)
    return bytes(block)


def torn(before, after):
    """Some pages of the new state are written, and some of them halfway."""
    hive = bytearray(before)
    for number, (start, _) in enumerate(changed(before, after)):
        if start + 4096 <= len(hive) and number % 2:
            hive[start:start + (512 if number % 4 == 1 else 4096)] = after[start:start + (512 if number % 4 == 1 else 4096)]
    return bytes(hive)


if __name__ == "__main__":
    case, states = sys.argv[1], [open(name, "rb").read() for name in sys.argv[2:]]
    before, last = states[0], states[-1]
    logs, first = [], 100
    hive = torn(before, last)
    if case == "one":
        logs = [new_log(states, 0, first + 1)]
    elif case == "pair":
        logs = [new_log(states[:2], 0, first + 1), new_log(states, 1, first + 2)]
    elif case == "pair-reversed":
        logs = [new_log(states, 1, first + 2), new_log(states[:2], 0, first + 1)]
    elif case == "overflow":
        first = MASK - 2
        logs = [new_log(states[:2], 0, first + 1), new_log(states, 1, first + 2)]
    elif case == "remnants":
        log = new_log(states, 0, first + 1)
        logs = [log + entry(last, before, first - 7), new_log(states, 0, first - 20)]
    elif case == "torn-entry":
        # The last entry was being written; nothing of it is in the hive yet.
        hive, log = torn(before, states[1]), bytearray(new_log(states, 0, first + 1))
        log[-5000:-4000] = bytes(byte ^ 1 for byte in log[-5000:-4000])
        logs = [bytes(log)]
    elif case == "gap":
        hive, logs = torn(before, states[1]), [new_log(states[:2], 0, first + 1), new_log(states, 1, first + 3)]
    elif case == "header":
        logs = [new_log(states, 0, first + 1)]
    elif case == "old":
        # The file has its new size before anything is written to it.
        hive += bytes(len(last) - len(hive))
        block = bytearray(hive)
        struct.pack_into("<I", block, 40, len(last) - 4096)
        hive = bytes(block)
        logs = [old_log(before, last)]
    elif case == "padded":
        hive += bytes(len(last) - len(hive))
        logs = [new_log(states, 0, first)]
    hive = bytearray(dirty(hive, first))
    if case == "header":
        hive[508] ^= 0x55
    open("hive", "wb").write(hive)
    for number, log in enumerate(logs, 1):
        open(f"hive.LOG{number}", "wb").write(log)
