"""Replays logs as somebody else does: `replay.py TOOL OUTPUT LOG...`, of the file `hive`."""

import shutil
import sys

from hive import seal


def python_registry(output, logs):
    from Registry import RegistryLog
    shutil.copy("hive", output)
    with open(output, "r+b") as primary:
        opened = []
        for log in logs:
            primary.seek(0)
            opened.append(RegistryLog.RegistryLog(primary, log))
        opened = [log for log in opened if log.is_eligible_log()]
        if len(opened) == 2 and not opened[0].is_starting_log(opened[1]):
            opened.reverse()
        last = opened[0].recover_hive()
        if len(opened) == 2:
            opened[1].reload_primary_regf()
            opened[1].recover_hive_continue(last + 1 & 0xFFFFFFFF)


def regipy(output, logs):
    from regipy.recovery import apply_transaction_logs
    apply_transaction_logs("hive", logs[0], restored_hive_path=output)
    # It leaves the checksum as it was.
    data = bytearray(open(output, "rb").read())
    data[8:12] = data[4:8]
    seal(data)
    open(output, "wb").write(data)


if __name__ == "__main__":
    {"python-registry": python_registry, "regipy": regipy}[sys.argv[1]](sys.argv[2], sys.argv[3:])
