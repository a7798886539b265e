import os, shutil, subprocess

def run(command): subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True)

def ext(path, files, size="24M", options=""):
    """An ext4 image of these files: a name ending with a slash is a directory, a link is a tuple."""
    top = path + ".files"
    os.makedirs(top)
    for name, content in files.items():
        place = os.path.join(top, name)
        os.makedirs(place if name.endswith("/") else os.path.dirname(place), exist_ok=True)
        if isinstance(content, tuple): os.symlink(content[0], place)
        elif not name.endswith("/"): open(place, "w").write(content)
    run(f"mke2fs -q -F -t ext4 {options} -d {top} {path} {size}")
    shutil.rmtree(top)

def root(path, fstab, files={}, **more):
    ext(path, {"etc/os-release": "ID=x\n", "usr/": "", "var/": "", "etc/fstab": fstab, **files}, **more)

def partitioned(path, content, size="64M", tail=""):
    run(f"truncate -s {size} {path}; printf 'label: gpt\\nstart=2048,name=data\\n' | sfdisk -q {path}; "
        f"dd if={content} of={path} bs=1M seek=1 conv=notrunc status=none; {tail}")

def luks(path, content):
    run(f"for n in $(seq 60); do [ $n -lt 5 ] || sleep 0.3; qemu-img convert -O luks --object secret,id=s,data=word -o key-secret=s,iter-time=10 "
        f"{content} {path} 2>/dev/null && exit 0; rm -f {path}; done; exit 1")
