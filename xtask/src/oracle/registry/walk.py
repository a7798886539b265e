"""Prints every key and value of a hive as hivex reads it: `walk.py FILE`."""

import sys

import hivex

from hive import line_of_key, line_of_value


def hivex_lines(file):
    hive = hivex.Hivex(file)
    def walk(node, path):
        yield line_of_key(path, hive.node_timestamp(node))
        for value in hive.node_values(node):
            kind, data = hive.value_value(value)
            yield line_of_value(path, hive.value_key(value), kind & 0xFFFFFFFF, data)
        for child in hive.node_children(node):
            yield from walk(child, path + (hive.node_name(child),))
    return walk(hive.root(), ())


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    print("\n".join(hivex_lines(sys.argv[1])))
