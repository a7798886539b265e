"""What regipy, chntpw, hivex and pefile say of a Windows: `theirs.py FOLDER BOOT-MENU`, a line for
each statement, in the form that our side prints."""

import ipaddress
import re
import subprocess
import sys
import uuid

import hivex
import pefile
from regipy.plugins.bcd.boot_entry_list import BootEntryListPlugin
from regipy.plugins.ntuser.installed_programs_ntuser import InstalledProgramsNTUserPlugin
from regipy.plugins.ntuser.persistence import NTUserPersistencePlugin
from regipy.plugins.sam.local_sid import LocalSidPlugin
from regipy.plugins.sam.samparse import SAMParsePlugin
from regipy.plugins.software.installed_programs import InstalledProgramsSoftwarePlugin
from regipy.plugins.software.persistence import SoftwarePersistencePlugin
from regipy.plugins.software.profilelist import ProfileListPlugin
from regipy.plugins.software.winver import WinVersionPlugin
from regipy.plugins.system.host_domain_name import HostDomainNamePlugin
from regipy.plugins.system.network_data import NetworkDataPlugin
from regipy.plugins.system.pagefile import PagefilePlugin
from regipy.plugins.system.processor_architecture import ProcessorArchitecturePlugin
from regipy.plugins.system.routes import RoutesPlugin
from regipy.plugins.system.services import ServicesPlugin
from regipy.plugins.system.timezone_data import TimezoneDataPlugin
from regipy.registry import RegistryHive

folder, menu = sys.argv[1], sys.argv[2]
config = f"{folder}/Windows/System32/config"
files = {name: f"{config}/{name}" for name in ("SYSTEM", "SOFTWARE", "SAM")}


def run(plugin, file):
    it = plugin(RegistryHive(file), as_json=True)
    it.run()
    return it.entries


def only(entries):
    (value,) = entries.values()
    return value


def named(values):
    return {value["name"]: value["value"] for value in values}


def say(*words):
    print("|".join(str(word) for word in words))


class Hivex:
    def __init__(self, file):
        self.hive = hivex.Hivex(file)

    def node(self, path):
        node = self.hive.root()
        for part in path.split("\\"):
            node = node and self.hive.node_get_child(node, part)
        return node

    def children(self, path):
        return [(self.hive.node_name(child), child) for child in self.hive.node_children(self.node(path))]

    def value(self, node, name):
        for value in self.hive.node_values(node):
            if self.hive.value_key(value) == name:
                kind, data = self.hive.value_value(value)
                if kind == 4:
                    return int.from_bytes(data, "little")
                return data if kind in (3, 0) else data.decode("utf-16-le").split("\0")[0]


def identity():
    version = only(run(WinVersionPlugin, files["SOFTWARE"]))
    software = Hivex(files["SOFTWARE"])
    current = software.node(r"Microsoft\Windows NT\CurrentVersion")
    say("name", version["ProductName"])
    say("edition", version["EditionID"])
    say("installation", version["InstallationType"])
    say("build", f'{version["CurrentBuild"]}.{software.value(current, "UBR")}')
    say("installed", version["InstallDate"].replace(" ", "T") + "Z")
    say("hostname", run(HostDomainNamePlugin, files["SYSTEM"])[0]["hostname"])
    say("zone", named(only(run(TimezoneDataPlugin, files["SYSTEM"])))["TimeZoneKeyName"])
    hardware = only(run(ProcessorArchitecturePlugin, files["SYSTEM"]))["PROCESSOR_ARCHITECTURE"]
    say("architecture", {"AMD64": "x86_64"}[hardware])
    say("machine", software.value(software.node(r"Microsoft\Cryptography"), "MachineGuid"))


def programs():
    for scope, entries in (("machine", run(InstalledProgramsSoftwarePlugin, files["SOFTWARE"])),
                           ("joe", run(InstalledProgramsNTUserPlugin, f"{folder}/Users/joe/NTUSER.DAT"))):
        for entry in entries:
            if not entry.get("SystemComponent"):
                day = entry.get("InstallDate", "")
                day = f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""
                say("program", entry["DisplayName"], entry.get("DisplayVersion", ""), entry.get("Publisher", ""), day, scope)
    software = Hivex(files["SOFTWARE"])
    for name, node in software.children(r"Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"):
        state = software.value(node, "CurrentState")
        if name.startswith("Package_for_") and state in (0x50, 0x70):
            time = software.value(node, "InstallTimeHigh") << 32 | software.value(node, "InstallTimeLow")
            say("update", name, {0x50: "superseded", 0x70: ""}[state], time // 10_000_000 - 11644473600)


def services():
    starts = {0: "boot", 1: "system", 2: "automatic", 3: "manual", 4: "disabled"}
    for service in only(run(ServicesPlugin, files["SYSTEM"]))["services"]:
        values = named(service["values"] or [])
        if "Type" in values:
            start = starts[values["Start"]] + ("-delayed" if values.get("DelayedAutostart") else "")
            user = values.get("ObjectName", "") if values["Type"] & 0x30 else ""
            say("service", service["name"], start, values.get("ImagePath", ""), user, values.get("DisplayName", ""))
    for plugin, file in ((SoftwarePersistencePlugin, files["SOFTWARE"]), (NTUserPersistencePlugin, f"{folder}/Users/joe/NTUSER.DAT")):
        for value in only(run(plugin, file))["values"]:
            say("autostart", value["name"], value["value"])


def network():
    def joined(addresses, masks):
        return ",".join(str(ipaddress.ip_interface(pair)) for pair in map("/".join, zip(addresses, masks)))
    for it in only(run(NetworkDataPlugin, files["SYSTEM"]))["interfaces"]:
        if it["dhcp_enabled"]:
            say("interface", it["interface_name"], "dhcp", joined([it["dhcp_ip_address"]], [it["dhcp_subnet_mask"]]), "", "")
        else:
            say("interface", it["interface_name"], "static", joined(it["ip_address"], it["subnet_mask"]), ",".join(it["default_gateway"]), it["name_server"])
    for value in only(run(RoutesPlugin, files["SYSTEM"]))["values"]:
        to, mask, gateway, metric = value["name"].split(",")
        to = str(ipaddress.ip_network(f"{to}/{mask}")).replace("0.0.0.0/0", "default")
        say("route", to, gateway, metric)
    for file in run(PagefilePlugin, files["SYSTEM"])[0]["paging_files"]:
        say("swap", file)


def users():
    machine = run(LocalSidPlugin, files["SAM"])[0]["machine_sid"]
    homes = {entry["sid"]: entry["path"] for entry in run(ProfileListPlugin, files["SOFTWARE"])}
    # The user's own word for whether there is a password.
    listed = subprocess.run(["chntpw", "-l", files["SAM"]], capture_output=True, text=True).stdout
    listed = re.findall(r"^\| ([0-9a-f]{4}) \| (.*?) +\|.*\| (.{8}) \|$", listed, re.M)
    chntpw = {int(relative, 16): (name, lock.strip()) for relative, name, lock in listed}
    for entry in run(SAMParsePlugin, files["SAM"]):
        name, lock = chntpw[entry["rid"]]
        state = {"": "Set", "dis/lock": "Locked", "*BLANK*": "Empty"}[lock]
        flags = {"Account Disabled": "disabled", "Account Auto Locked": "locked-out", "Password Not Required": "password-not-required", "Password Does Not Expire": "password-never-expires"}
        states = ",".join(flags[flag] for flag in entry["account_flags_parsed"] if flag in flags)
        id_ = f"{machine}-{entry['rid']}"
        login = (entry["last_login"] or "").replace("+00:00", "Z")
        say("account", id_, name, state, states, login, (entry["password_last_set"] or "")[:10], homes.get(id_, ""))
    for id_, home in homes.items():
        if id_.startswith("S-1-5-21-") and not id_.startswith(machine):
            say("elsewhere", id_, home)
    members = subprocess.run(["samusrgrp", "-L", files["SAM"]], capture_output=True, text=True).stdout
    for line in members.splitlines():
        if re.match(r"^[0-9a-f]+:[^:]+:\d+:", line):
            group, member = line.split(":")[1], line.split(":")[-1]
            say("member", group, member)


def boot():
    image = pefile.PE(f"{folder}/Windows/System32/ntoskrnl.exe").VS_FIXEDFILEINFO[0]
    high, low = image.FileVersionMS, image.FileVersionLS
    say("kernel", f"{high >> 16}.{high & 65535}.{low >> 16}.{low & 65535}")
    bcd = Hivex(menu)
    chosen = bcd.value(bcd.node(r"Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements\23000003"), "Element")
    for entry in run(BootEntryListPlugin, menu):
        if entry["guid"] == chosen:
            say("default", entry["name"], entry["image_path"], entry["gpt_partition"])
    system = Hivex(files["SYSTEM"])
    mounted = system.node("MountedDevices")
    data = system.value(mounted, r"\DosDevices\C:")
    say("letter", "C:", "partition " + str(uuid.UUID(bytes_le=data[8:])))


for section in (identity, programs, services, network, users, boot):
    section()
