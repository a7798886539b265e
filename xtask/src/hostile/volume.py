"""Makes partition tables, LVM physical volumes and LUKS headers."""
import base64, hashlib, json, os, struct, zlib
def mbr(path, entries, size=1<<24, at=0):
    b=bytearray(512); b[510:]=b"\x55\xaa"
    for i,(kind,start,n) in enumerate(entries): struct.pack_into("<B3sB3sII",b,446+16*i,0,b"\0\xff\xff"[:3],kind,b"\0\xff\xff",start,n)
    mode="r+b" if os.path.exists(path) else "w+b"
    with open(path,mode) as f: f.truncate(max(size,f.seek(0,2))); f.seek(at); f.write(b)
# GPT with 2^32-1 entries, crc right over header
def gpt(path, n, size_of_entry=128, disk=1<<24):
    h=bytearray(92); last=disk//512-1
    struct.pack_into("<8sIIIIQQQQ16sQIII",h,0,b"EFI PART",0x10000,92,0,0,1,last,34,last-34,os.urandom(16),2,n,size_of_entry,0)
    struct.pack_into("<I",h,16,zlib.crc32(bytes(h)))
    with open(path,"w+b") as f:
        f.truncate(disk); f.seek(512); f.write(h); f.seek(last*512); struct.pack_into("<Q",h,24,last);struct.pack_into("<Q",h,32,1); struct.pack_into("<II",h,12,92,0); struct.pack_into("<I",h,16,zlib.crc32(bytes(h))); f.write(h)
    mbr(path,[(0xEE,1,last)],disk)
# LVM
def crc(data):
    table=[]; c=0xf597a6cf
    for b in data:
        c^=b
        for _ in range(8): c=c>>1 ^ (0xEDB88320 if c&1 else 0)
    return c
def pv(path, text, offset=512, size=None, mda=1<<20, area=4096, disk=1<<24, wrap=False):
    uuid=b"a"*32
    label=bytearray(512)
    body=uuid+struct.pack("<Q",disk)+struct.pack("<QQ",2<<20,0)+bytes(16)+struct.pack("<QQ",area,mda)+bytes(16)
    label[0:8]=b"LABELONE"; struct.pack_into("<Q",label,8,1); struct.pack_into("<I",label,20,32); label[24:32]=b"LVM2 001"; label[32:32+len(body)]=body
    struct.pack_into("<I",label,16,crc(label[20:]))
    m=bytearray(512); m[4:20]=b" LVM2 x[5A%r0N*>"; struct.pack_into("<IQQ",m,20,1,area,mda)
    n=len(text) if size is None else size
    struct.pack_into("<QQII",m,40,offset,n,crc(text),0)
    struct.pack_into("<I",m,0,crc(m[4:]))
    with open(path,"w+b") as f: f.truncate(disk); f.seek(512); f.write(label); f.seek(area); f.write(m); f.seek(area+offset if offset<mda else 0); offset<mda and f.write(text)
head='id = "%s"\nseqno = 1\nstatus = ["READ","WRITE"]\nflags = []\nextent_size = 8192\nmax_lv = 0\nmax_pv = 0\n'%("aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa")
pvs='physical_volumes { pv0 { id = "aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"\ndevice="/dev/x"\nstatus=["ALLOCATABLE"]\nflags=[]\ndev_size=32768\npe_start=4096\npe_count=3 } }\n'
def lv(name, body): return name+' { id = "%s"\nstatus=["READ","VISIBLE"]\nflags=[]\nsegment_count=1\nsegment1 { start_extent=0\nextent_count=1\n%s } }\n'%((name*32)[:6]+"-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa",body)
def vg(lvs): return ("vg { "+head+pvs+"logical_volumes { "+lvs+"} }\ncontents = \"Text Format Volume Group\"\nversion = 1\n\0").encode()
# LUKS
def luks2(path, text, hdr=16384):
    if hdr < 4096+len(text): hdr=1<<max(14,(4096+len(text)).bit_length())
    out=b""
    for i,magic in enumerate((b"LUKS\xba\xbe",b"SKUL\xba\xbe")):
        h=bytearray(4096); struct.pack_into(">6sHQQ48s32s64s40s48sQ",h,0,magic,2,hdr,1,b"",b"sha256",b"s"*64,b"6c3a3c9a-0a5c-4a67-9d0c-7a6d3f1f0000",b"",i*hdr)
        area=bytes(h)+text+bytes(hdr-4096-len(text)); d=hashlib.sha256(area).digest(); h[448:448+32]=d
        out+=bytes(h)+area[4096:]
    with open(path,"wb") as f: f.write(out); f.truncate(1<<24 if len(out)<1<<24 else len(out)*2)
def keyslot(memory,time=4,cpus=4): return {"type":"luks2","key_size":64,"af":{"type":"luks1","stripes":4000,"hash":"sha256"},"area":{"type":"raw","offset":"32768","size":"258048","encryption":"aes-xts-plain64","key_size":64},"kdf":{"type":"argon2id","time":time,"memory":memory,"cpus":cpus,"salt":base64.b64encode(b"s"*32).decode()}}
def header(memory,**k): return json.dumps({"keyslots":{"0":keyslot(memory,**k)},"tokens":{},"segments":{"0":{"type":"crypt","offset":"1048576","iv_tweak":"0","size":"dynamic","encryption":"aes-xts-plain64","sector_size":512}},"digests":{"0":{"type":"pbkdf2","keyslots":["0"],"segments":["0"],"hash":"sha256","iterations":1000,"salt":base64.b64encode(b"s"*32).decode(),"digest":base64.b64encode(b"d"*32).decode()}},"config":{"json_size":"12288","keyslots_size":"258048"}}).encode()
