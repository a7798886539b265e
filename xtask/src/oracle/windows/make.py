"""Makes the files of a small Windows: hives as text, which hivexregedit merges into empty ones, SAM
records, tasks, the boot menu: `make.py FOLDER`. Nothing of it comes from a real installation; the
layouts are the documented ones, which others read too (regipy, chntpw, hivex)."""

import os
import struct
import subprocess
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../registry"))

from hive import seal  # noqa: E402

MACHINE = (21, 1111111111, 2222222222, 3333333333)
ESP_PART = "1d8a3c5e-0000-4000-8000-00000000e5b0"
ROOT_PART = "c0ffee00-1234-4abc-9def-0123456789ab"
DISK = "deadbeef-0000-4000-8000-000000000001"


def utf16(text):
    return text.encode("utf-16-le")


def hexed(kind, data):
    head = "hex" if kind is None else f"hex({kind:x})"
    return f"{head}:" + ",".join(f"{byte:02x}" for byte in data)


def sz(text):
    # hivexregedit takes text for Latin-1.
    if not text.isascii():
        return hexed(1, utf16(text + "\0"))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def expand(text):
    return hexed(2, utf16(text + "\0"))


def multi(*texts):
    return hexed(7, utf16("".join(text + "\0" for text in texts) + "\0"))


def dword(number):
    return f"dword:{number:08x}"


def qword(number):
    return hexed(0xB, struct.pack("<Q", number))


def binary(data):
    return hexed(None, data)


def filetime(seconds):
    return (seconds + 11644473600) * 10_000_000


def empty():
    """A hive without keys, its root in the first cell: some readers look for it nowhere else."""
    descriptor = bytes.fromhex("010004800000000000000000000000001400000002000800000000000000")[:20]
    nil = 0xFFFFFFFF
    root = struct.pack("<2sHQ15IHH", b"nk", 0x2C, filetime(1_700_000_000), 0, 0, 0, 0, nil, nil, 0, nil, 0x80, nil, 0, 0, 0, 0, 0, 4, 0) + b"ROOT"
    security = struct.pack("<2sHIIII", b"sk", 0, 0x80, 0x80, 1, len(descriptor)) + descriptor
    block = struct.pack("<4sIIQ12x", b"hbin", 0, 4096, 0)
    for content, at in ((root, 0x20), (security, 0x80)):
        block += struct.pack("<i", at - {0x20: 0x80, 0x80: 0xB0}[at]) + content
        block += bytes({0x20: 0x80, 0x80: 0xB0}[at] - len(block))
    block += struct.pack("<i", 4096 - len(block))
    block += bytes(4096 - len(block))
    head = bytearray(4096)
    struct.pack_into("<4sIIQIIIIIII", head, 0, b"regf", 1, 1, filetime(1_700_000_000), 1, 5, 0, 1, 0x20, 4096, 1)
    seal(head)
    return bytes(head) + block


def hive(path, keys):
    """An empty hive with these keys: paths, and names with values that are written already."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(empty())
    merge(path, keys)


def merge(path, keys):
    lines = ["Windows Registry Editor Version 5.00", ""]
    done = set()
    for key, values in keys.items():
        # hivexregedit makes no key whose parent is not there.
        parts = key.split("\\")
        for parent in ("\\".join(parts[:length]) for length in range(1, len(parts))):
            if parent not in done and parent not in keys:
                lines.append(f"[\\{parent}]\n")
            done.add(parent)
        done.add(key)
        lines.append(f"[\\{key}]")
        for name, value in values.items():
            lines.append((f'"{name}"' if name else "@").replace("\\", "\\\\") + "=" + value)
        lines.append("")
    with open(path + ".reg", "w", encoding="utf-8") as text:
        text.write("\n".join(lines) + "\n")
    subprocess.run(["hivexregedit", "--merge", path, path + ".reg"], check=True)
    os.remove(path + ".reg")


def sid(*parts):
    return struct.pack("<BB", 1, len(parts)) + (5).to_bytes(6, "big") + b"".join(struct.pack("<I", part) for part in parts)


def record(header, entries, fixed=()):
    head, data = bytearray(header), b""
    for at, content in entries:
        head[at:at + 8] = struct.pack("<II", len(data), len(content))
        data += content + bytes(-len(content) % 4)
    for at, number in fixed:
        head[at:at + 4] = struct.pack("<I", number)
    return bytes(head) + data


def account(relative, name, full, control, login, password_set, nt=b"", lm=b""):
    fixed = bytearray(80)
    struct.pack_into("<H", fixed, 0, 3)
    struct.pack_into("<QQQQQ", fixed, 8, login, 0, password_set, 0x7FFFFFFFFFFFFFFF, 0)
    struct.pack_into("<II", fixed, 0x30, relative, 513)
    struct.pack_into("<I", fixed, 0x38, control)
    struct.pack_into("<HH", fixed, 0x40, 0, 12)
    variable = record(0xCC, [(0, b"\1" * 24), (0x0C, utf16(name)), (0x18, utf16(full)), (0x24, utf16("a comment")), (0x9C, lm), (0xA8, nt)])
    return {"F": binary(bytes(fixed)), "V": binary(variable)}


def group(relative, name, members):
    content = b"".join(members)
    return {"C": binary(record(0x34, [(0x10, utf16(name)), (0x1C, utf16("what it is for")), (0x28, content)],
                               [(0, relative), (0x30, len(members))]))}


OLD_HASH = bytes((1, 0, 1, 0)) + b"\xA5" * 16
NEW_HASH = bytes((1, 0, 2, 0, 0x18, 0, 0, 0)) + b"\xB6" * 48
NO_OLD = bytes((1, 0, 1, 0))
NO_NEW = bytes((1, 0, 2, 0)) + bytes(20)


def sam():
    users = r"SAM\Domains\Account\Users"
    domain = bytearray(240)
    struct.pack_into("<I", domain, 0, 3)
    struct.pack_into("<qq", domain, 0x18, -42 * 864_000_000_000, -864_000_000_000)
    struct.pack_into("<qq", domain, 0x30, -18_000_000_000, -9_000_000_000)
    struct.pack_into("<II", domain, 0x48, 1003, 0x11)
    struct.pack_into("<HHH", domain, 0x50, 14, 24, 5)
    keys = {
        r"SAM\Domains\Account": {"F": binary(bytes(domain)), "V": binary(record(0x40, [(0, b"\1" * 12), (0x30, sid(*MACHINE))]))},
        users + r"\000001F4": account(500, "Administrator", "", 0x210, filetime(1_700_000_000), filetime(1_690_000_000), NEW_HASH, NO_NEW),
        users + r"\000001F5": account(501, "Guest", "", 0x215, 0, 0, NO_NEW, NO_NEW),
        users + r"\000003E9": account(1001, "joe", "Joe Größe", 0x10, filetime(1_701_000_000), filetime(1_695_000_000), OLD_HASH, OLD_HASH),
        users + r"\000003EA": account(1002, "open", "", 0x14, 0, filetime(1_695_000_000), NO_OLD, b""),
        r"SAM\Domains\Builtin\Aliases\00000220": group(0x220, "Administrators", [sid(*MACHINE, 500), sid(*MACHINE, 1001), sid(21, 7, 8, 9, 512)]),
        r"SAM\Domains\Builtin\Aliases\00000221": group(0x221, "Users", [sid(4), sid(11), sid(*MACHINE, 1002)]),
        r"SAM\Domains\Account\Aliases\000003EB": group(0x3EB, "Readers", [sid(*MACHINE, 1001)]),
    }
    for relative, name in ((500, "Administrator"), (501, "Guest"), (1001, "joe"), (1002, "open")):
        keys[users + "\\Names\\" + name] = {"": hexed(relative, b"")}
    return keys


def system():
    control, services = r"ControlSet001\Control", r"ControlSet001\Services"
    tcpip, net = services + r"\Tcpip\Parameters", "{4D36E972-E325-11CE-BFC1-08002BE10318}"
    one, two = "{11111111-2222-3333-4444-555555555555}", "{66666666-7777-8888-9999-AAAAAAAAAAAA}"
    firewall = services + r"\SharedAccess\Parameters\FirewallPolicy"
    letter = bytes.fromhex("00eeffc03412bc4a9def0123456789ab")
    keys = {
        "Select": {"Current": dword(1), "Default": dword(1), "Failed": dword(0), "LastKnownGood": dword(1)},
        "Setup": {"SystemSetupInProgress": dword(0), "OOBEInProgress": dword(0), "CmdLine": sz("")},
        "MountedDevices": {
            r"\DosDevices\C:": binary(b"DMIO:ID:" + letter),
            r"\DosDevices\D:": binary(struct.pack("<IQ", 0x12345678, 1 << 20)),
            r"\DosDevices\E:": binary(utf16(r"\??\SCSI#CdRom&Ven_QEMU#1")),
            r"\??\Volume{c0ffee00-1234-4abc-9def-0123456789ab}": binary(b"DMIO:ID:" + letter)},
        control + r"\ComputerName\ComputerName": {"ComputerName": sz("SRV22")},
        control + r"\TimeZoneInformation": {"TimeZoneKeyName": sz("W. Europe Standard Time"), "StandardName": sz("@tzres.dll,-322"), "Bias": dword(0xFFFFFFC4), "ActiveTimeBias": dword(0xFFFFFFC4)},
        control + r"\Session Manager": {"PendingFileRenameOperations": multi(r"\??\C:\old.dll", "", r"\??\C:\other.dll", r"!\??\C:\new.dll"), "SafeDllSearchMode": dword(1)},
        control + r"\Session Manager\Environment": {"PROCESSOR_ARCHITECTURE": sz("AMD64"), "OS": sz("Windows_NT")},
        control + r"\Session Manager\Memory Management": {"PagingFiles": multi(r"C:\pagefile.sys 0 0", r"D:\pagefile.sys 1024 4096"), "ClearPageFileAtShutdown": dword(0)},
        control + r"\Nls\Language": {"Default": sz("0407"), "InstallLanguage": sz("0409")},
        control + r"\Nls\CodePage": {"ACP": sz("1252"), "OEMCP": sz("850")},
        control + r"\ProductOptions": {"ProductType": sz("ServerNT")},
        control + r"\SecureBoot\State": {"UEFISecureBootEnabled": dword(1)},
        control + r"\Lsa": {"RunAsPPL": dword(1), "LmCompatibilityLevel": dword(5), "NoLMHash": dword(1)},
        control + r"\Terminal Server": {"fDenyTSConnections": dword(0)},
        control + r"\Terminal Server\WinStations\RDP-Tcp": {"UserAuthentication": dword(1), "PortNumber": dword(3389)},
        control + rf"\Network\{net}\{one}\Connection": {"Name": sz("Ethernet"), "PnpInstanceID": sz(r"PCI\VEN_1AF4")},
        control + rf"\Class\{net}\0001": {"NetCfgInstanceId": sz(one), "DriverDesc": sz("Red Hat VirtIO Ethernet Adapter"), "*IfType": dword(6), "NetworkAddress": sz("525400ABCDEF")},
        tcpip: {"NV Hostname": sz("srv22"), "Hostname": sz("srv22"), "Domain": sz("example.test"), "NV Domain": sz("example.test"), "SearchList": sz("a.test,b.test"), "DataBasePath": expand(r"%SystemRoot%\System32\drivers\etc")},
        tcpip + rf"\Interfaces\{one}": {"EnableDHCP": dword(0), "IPAddress": multi("192.0.2.10", "192.0.2.11"), "SubnetMask": multi("255.255.255.0", "255.255.255.0"), "DefaultGateway": multi("192.0.2.1"), "NameServer": sz("192.0.2.53,192.0.2.54"), "Domain": sz("lan.test")},
        tcpip + rf"\Interfaces\{two}": {"EnableDHCP": dword(1), "DhcpIPAddress": sz("198.51.100.20"), "DhcpSubnetMask": sz("255.255.252.0"), "DhcpDefaultGateway": multi("198.51.100.1"), "DhcpNameServer": sz("198.51.100.2"), "DhcpServer": sz("198.51.100.1"), "LeaseObtainedTime": dword(0x65000000)},
        tcpip + r"\PersistentRoutes": {"203.0.113.0,255.255.255.0,192.0.2.254,7": sz(""), "0.0.0.0,0.0.0.0,192.0.2.1,1": sz("")},
        services + r"\LanmanServer": {"Type": dword(0x20), "Start": dword(2), "ImagePath": expand(r"%SystemRoot%\system32\svchost.exe -k netsvcs -p"), "ObjectName": sz("LocalSystem"), "DisplayName": sz("@%systemroot%\\system32\\srvsvc.dll,-100")},
        services + r"\LanmanServer\Parameters": {"SMB1": dword(0), "RequireSecuritySignature": dword(1), "ServiceDll": expand(r"%SystemRoot%\system32\srvsvc.dll")},
        services + r"\wuauserv": {"Type": dword(0x20), "Start": dword(3), "ImagePath": expand(r"%systemroot%\system32\svchost.exe -k netsvcs -p"), "ObjectName": sz("LocalSystem")},
        services + r"\wuauserv\Parameters": {"ServiceDll": expand(r"%systemroot%\system32\wuaueng.dll")},
        services + r"\wuauserv\TriggerInfo\0": {"Type": dword(20), "Action": dword(1)},
        services + r"\W3SVC": {"Type": dword(0x20), "Start": dword(2), "DelayedAutostart": dword(1), "ImagePath": expand(r"%windir%\system32\svchost.exe -k iissvcs"), "ObjectName": sz("localSystem")},
        services + r"\MSSQL$PROD": {"Type": dword(0x10), "Start": dword(2), "ImagePath": sz(r'"C:\Program Files\Microsoft SQL Server\MSSQL15.PROD\MSSQL\Binn\sqlservr.exe" -sPROD'), "ObjectName": sz(r"NT Service\MSSQL$PROD"), "DisplayName": sz("SQL Server (PROD)")},
        services + r"\QEMU-GA": {"Type": dword(0x10), "Start": dword(2), "ImagePath": sz(r'"C:\Program Files\Qemu-ga\qemu-ga.exe" -d --retry-path'), "ObjectName": sz("LocalSystem"), "DisplayName": sz("QEMU Guest Agent")},
        services + r"\Off": {"Type": dword(0x10), "Start": dword(4), "ImagePath": sz(r"C:\off.exe"), "ObjectName": sz(r"NT AUTHORITY\LocalService")},
        services + r"\viostor": {"Type": dword(1), "Start": dword(0), "ImagePath": expand(r"System32\drivers\viostor.sys"), "Group": sz("SCSI miniport")},
        services + r"\netkvm": {"Type": dword(1), "Start": dword(3), "ImagePath": expand(r"\SystemRoot\System32\drivers\netkvm.sys")},
        services + r"\pvscsi": {"Type": dword(1), "Start": dword(0), "ImagePath": expand(r"System32\drivers\pvscsi.sys")},
        services + r"\storvsc": {"Type": dword(1), "Start": dword(4), "ImagePath": expand(r"System32\drivers\storvsc.sys")},
        services + r"\NoService\Performance": {"Library": sz("x.dll")},
        firewall + r"\DomainProfile": {"EnableFirewall": dword(1)},
        firewall + r"\StandardProfile": {"EnableFirewall": dword(1), "DefaultInboundAction": dword(1)},
        firewall + r"\PublicProfile": {"EnableFirewall": dword(0), "DefaultInboundAction": dword(0)},
        firewall + r"\FirewallRules": {"RDP": sz("v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort=3389|Name=RDP|"),
                                       "Off": sz("v2.31|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=1|Name=Off|"),
                                       "Any": sz("v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=161|Name=SNMP|")},
    }
    return keys


CURRENT = r"Microsoft\Windows NT\CurrentVersion"
WINDOWS = r"Microsoft\Windows\CurrentVersion"


def software():
    servicing = WINDOWS + r"\Component Based Servicing\Packages"
    tasks = CURRENT + r"\Schedule\TaskCache"
    high, low = divmod(filetime(1_705_000_000), 1 << 32)
    installed = {"InstallTimeHigh": dword(high), "InstallTimeLow": dword(low)}
    return {
        CURRENT: {"ProductName": sz("Windows Server 2022 Standard"), "EditionID": sz("ServerStandard"), "InstallationType": sz("Server Core"), "DisplayVersion": sz("21H2"), "ReleaseId": sz("2009"), "CurrentBuild": sz("20348"), "CurrentBuildNumber": sz("20348"), "UBR": dword(2113), "CurrentVersion": sz("6.3"), "CurrentMajorVersionNumber": dword(10), "CurrentMinorVersionNumber": dword(0), "InstallDate": dword(1_690_000_000), "InstallTime": qword(filetime(1_690_000_000)), "RegisteredOwner": sz("Größe"), "SystemRoot": sz(r"C:\Windows"), "ProductId": sz("00454-40000-00001-AA123"), "BuildLab": sz("20348.fe_release.210507-1500"), "PathName": sz(r"C:\Windows")},
        CURRENT + r"\Winlogon": {"Shell": sz("explorer.exe"), "AutoAdminLogon": sz("0"), "DefaultPassword": sz("a-secret-of-the-machine")},
        CURRENT + r"\ProfileList\S-1-5-18": {"ProfileImagePath": expand(r"%systemroot%\system32\config\systemprofile")},
        CURRENT + rf"\ProfileList\S-1-5-{'-'.join(map(str, MACHINE))}-1001": {"ProfileImagePath": expand(r"C:\Users\joe")},
        CURRENT + r"\ProfileList\S-1-5-21-7-8-9-1104": {"ProfileImagePath": expand(r"C:\Users\ann.EXAMPLE")},
        r"Microsoft\Cryptography": {"MachineGuid": sz("0a0b0c0d-1111-2222-3333-444455556666")},
        WINDOWS + r"\Setup\State": {"ImageState": sz("IMAGE_STATE_COMPLETE")},
        WINDOWS + r"\Policies\System": {"EnableLUA": dword(1), "ConsentPromptBehaviorAdmin": dword(5), "PromptOnSecureDesktop": dword(1)},
        WINDOWS + r"\Uninstall\{90160000-0011-0000-1000-0000000FF1CE}": {"DisplayName": sz("Microsoft SQL Server 2019 (64-bit)"), "DisplayVersion": sz("15.0.2000.5"), "Publisher": sz("Microsoft Corporation"), "InstallDate": sz("20230815"), "InstallLocation": sz(r"C:\Program Files\Microsoft SQL Server"), "EstimatedSize": dword(1234), "UninstallString": sz("MsiExec.exe /X{9}")},
        WINDOWS + r"\Uninstall\Qemu-ga": {"DisplayName": sz("QEMU guest agent"), "DisplayVersion": sz("107.0.1"), "Publisher": sz("RedHat"), "InstallDate": sz("20230816"), "UninstallString": sz("MsiExec.exe /X{8}")},
        WINDOWS + r"\Uninstall\Part": {"DisplayName": sz("A part of the system"), "SystemComponent": dword(1)},
        r"WOW6432Node" + "\\" + WINDOWS + r"\Uninstall\7-Zip": {"DisplayName": sz("7-Zip 23.01"), "DisplayVersion": sz("23.01"), "Publisher": sz("Igor Pavlov"), "UninstallString": sz("x")},
        servicing + r"\Package_for_KB5034439~31bf3856ad364e35~amd64~~20348.2201.1.2": {"CurrentState": dword(0x70), **installed},
        servicing + r"\Package_for_RollupFix~31bf3856ad364e35~amd64~~20348.2113.1.10": {"CurrentState": dword(0x70), **installed},
        servicing + r"\Package_for_RollupFix~31bf3856ad364e35~amd64~~20348.1607.1.5": {"CurrentState": dword(0x50), **installed},
        servicing + r"\Package_for_KB5000001~31bf3856ad364e35~amd64~~20348.1.1.1": {"CurrentState": dword(0x20)},
        servicing + r"\OpenSSH-Server-Package~31bf3856ad364e35~amd64~~10.0.20348.1": {"CurrentState": dword(0x70)},
        r"Microsoft\ServerManager\ServicingStorage\ServerComponentCache\Web-Server": {"InstallState": dword(1)},
        r"Microsoft\ServerManager\ServicingStorage\ServerComponentCache\DNS": {"InstallState": dword(0)},
        WINDOWS + r"\Appx\AppxAllUserStore\Applications\Microsoft.SecHealthUI_1000.20348.1.0_x64__8wekyb3d8bbwe": {"Path": sz(r"C:\Program Files\WindowsApps\x\AppxManifest.xml")},
        WINDOWS + r"\Run": {"SecurityHealth": expand(r"%windir%\system32\SecurityHealthSystray.exe")},
        tasks + r"\Tree\Microsoft": {"SD": binary(b"\1")},
        tasks + r"\Tree\Microsoft\Cleanup": {"Id": sz("{AAAAAAAA-0000-0000-0000-000000000001}"), "Index": dword(3)},
        tasks + r"\Tasks\{AAAAAAAA-0000-0000-0000-000000000001}": {"Path": sz(r"\Microsoft\Cleanup")},
        r"Microsoft\NET Framework Setup\NDP\v4\Full": {"Version": sz("4.8.04161"), "Release": dword(528449), "Install": dword(1), "InstallPath": sz("C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\")},
        r"Microsoft\InetStp": {"MajorVersion": dword(10), "MinorVersion": dword(0), "VersionString": sz("Version 10.0")},
        r"Microsoft\Microsoft SQL Server\Instance Names\SQL": {"PROD": sz("MSSQL15.PROD")},
        r"Microsoft\Microsoft SQL Server\MSSQL15.PROD\Setup": {"Version": sz("15.0.2000.5"), "PatchLevel": sz("15.0.4345.5"), "Edition": sz("Standard Edition"), "SQLPath": sz(r"C:\Program Files\Microsoft SQL Server\MSSQL15.PROD\MSSQL")},
        r"Policies\Microsoft\Windows\WindowsUpdate": {"WUServer": sz("http://wsus.example.test:8530")},
        r"Policies\Microsoft\Windows\WindowsUpdate\AU": {"UseWUServer": dword(1), "AUOptions": dword(4), "NoAutoUpdate": dword(0)},
    }


def guid(text):
    a, b, c, d, e = text.split("-")
    return struct.pack("<IHH", int(a, 16), int(b, 16), int(c, 16)) + bytes.fromhex(d + e)


def device(gpt=True):
    body = bytearray(88)
    struct.pack_into("<IIII", body, 16, 6, 0, 0x48, 0)
    if gpt:
        body[32:48] = guid(ROOT_PART)
        body[56:72] = guid(DISK)
    else:
        struct.pack_into("<Q", body, 32, 1 << 20)
        struct.pack_into("<II", body, 52, 1, 0x12345678)
    return bytes(body)


def menu(gpt=True):
    manager, entry, other = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}", "{11111111-1111-1111-1111-111111111111}", "{22222222-2222-2222-2222-222222222222}"
    loader = r"\Windows\system32\winload.efi" if gpt else r"\Windows\system32\winload.exe"
    element = lambda guid, number: rf"Objects\{guid}\Elements\{number}"
    keys = {
        "Description": {"KeyName": sz("BCD00000000"), "System": dword(1)},
        rf"Objects\{manager}\Description": {"Type": dword(0x10100002)},
        element(manager, "12000004"): {"Element": sz("Windows Boot Manager")},
        element(manager, "23000003"): {"Element": sz(entry)},
        element(manager, "24000001"): {"Element": multi(other, entry)},
    }
    for number, (guid_, title) in enumerate(((other, "Another Windows"), (entry, "Windows Server"))):
        keys[rf"Objects\{guid_}\Description"] = {"Type": dword(0x10200003)}
        keys[element(guid_, "11000001")] = {"Element": binary(device(gpt))}
        keys[element(guid_, "12000002")] = {"Element": sz(loader)}
        keys[element(guid_, "12000004")] = {"Element": sz(title)}
        keys[element(guid_, "22000002")] = {"Element": sz(r"\Windows")}
        keys[element(guid_, "16000049")] = {"Element": binary(bytes((number,)))}
    return keys


TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Cleans up</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals><Principal id="A"><UserId>S-1-5-18</UserId></Principal></Principals>
  <Settings><Enabled>false</Enabled></Settings>
  <Actions Context="A"><Exec><Command>%windir%\\system32\\cleanmgr.exe</Command><Arguments>/autoclean</Arguments></Exec></Actions>
</Task>
"""


def main(folder):
    config = f"{folder}/Windows/System32/config"
    hive(f"{config}/SYSTEM", system())
    hive(f"{config}/SOFTWARE", software())
    hive(f"{config}/SAM", sam())
    hive(f"{config}/DEFAULT", {r"Control Panel\International": {"LocaleName": sz("de-DE")}})
    hive(f"{folder}/Users/joe/NTUSER.DAT", {
        r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Editor": {"DisplayName": sz("An editor of Joe's"), "DisplayVersion": sz("1.85.0"), "UninstallString": sz("x")},
        r"Software\Microsoft\Windows\CurrentVersion\Run": {"Chat": sz(r"C:\Users\joe\chat.exe")}})
    hive(f"{folder}/Users/joe/AppData/Local/Microsoft/Windows/UsrClass.dat", {
        r"Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages\Vendor.Game_2.0.0.0_x64__abcdefghjkmnp": {"PackageRootFolder": sz(r"C:\Program Files\WindowsApps\g")}})
    hive(f"{folder}/Users/ann.EXAMPLE/NTUSER.DAT", {"Software": {}})
    hive(f"{folder}/Users/ann.EXAMPLE/AppData/Local/Microsoft/Windows/UsrClass.dat", {"Local Settings": {}})
    files = {
        "Windows/System32/Tasks/Microsoft/Cleanup": ("\ufeff" + TASK).encode("utf-16-le"),
        "Windows/System32/drivers/etc/hosts": b"# hosts\r\n192.0.2.99 db db.example.test\r\n",
        "Windows/System32/drivers/viostor.sys": b"MZ", "Windows/System32/drivers/netkvm.sys": b"MZ", "Windows/System32/drivers/storvsc.sys": b"MZ",
    }
    for version, number in (("20348.2113.1.10", "KB5032198"), ("20348.1607.1.5", "KB5023705")):
        manifest = f'<?xml version="1.0" encoding="utf-8"?><assembly xmlns="urn:schemas-microsoft-com:asm.v3"><package identifier="{number}" releaseType="Security Update"/></assembly>'
        files[f"Windows/servicing/Packages/Package_for_RollupFix~31bf3856ad364e35~amd64~~{version}.mum"] = manifest.encode()
    for path, content in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "wb") as file:
            file.write(content)


if __name__ == "__main__":
    if sys.argv[1] == "menu":
        hive(sys.argv[2], menu(sys.argv[3] == "gpt"))
    elif sys.argv[1] == "edition":
        merge(sys.argv[2], {CURRENT: {"ProductName": sz(sys.argv[3])}})
    else:
        main(sys.argv[1])
