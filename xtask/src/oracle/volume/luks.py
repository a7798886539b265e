# An implementation of LUKS payloads and of LUKS1 headers that shares nothing with the reader under
# test: single blocks by libgcrypt, everything around them in plain Python.
#
#   luks.py payload CIPHER KEYFILE SECTOR FIRST CLEAR OUT OFFSET    encrypts CLEAR into OUT at OFFSET
#   luks.py luks1 CIPHER HASH KEYFILE PASSPHRASE CLEAR OUT          writes a whole LUKS1 image
import ctypes, hashlib, os, struct, sys

gcrypt = ctypes.CDLL('libgcrypt.so.20')
gcrypt.gcry_check_version(None)
ALGORITHMS = {('aes', 16): 7, ('aes', 24): 8, ('aes', 32): 9, ('twofish', 16): 303, ('twofish', 32): 10,
              ('serpent', 16): 304, ('serpent', 24): 305, ('serpent', 32): 306,
              ('camellia', 16): 310, ('camellia', 24): 311, ('camellia', 32): 312}

class Ecb:
    def __init__(self, name, key):
        self.handle = ctypes.c_void_p()
        assert not gcrypt.gcry_cipher_open(ctypes.byref(self.handle), ALGORITHMS[name, len(key)], 1, 0)
        assert not gcrypt.gcry_cipher_setkey(self.handle, key, ctypes.c_size_t(len(key)))
    def encrypt(self, data):
        out = ctypes.create_string_buffer(len(data))
        size = ctypes.c_size_t(len(data))
        assert not gcrypt.gcry_cipher_encrypt(self.handle, out, size, data, size)
        return out.raw

def xor(one, other):
    size = len(one)
    return (int.from_bytes(one, 'big') ^ int.from_bytes(other, 'big')).to_bytes(size, 'big')

def multiply(a, b):
    product = 0
    while b:
        if b & 1: product ^= a
        a <<= 1
        if a >> 128: a ^= (1 << 128) | 0x87
        b >>= 1
    return product

def encryptor(spec, key):
    name, mode, ivname = (spec.split('-', 2) + [''])[:3]
    ivname, _, option = ivname.partition(':')
    if ivname == 'essiv':
        essiv = Ecb(name, hashlib.new(option, key).digest())
    def iv(number):
        if ivname == 'plain': return struct.pack('<I12x', number & 0xffffffff)
        if ivname == 'plain64': return struct.pack('<Q8x', number)
        if ivname == 'plain64be': return struct.pack('>8xQ', number)
        if ivname == 'benbi': return struct.pack('>8xQ', number * 32 + 1)
        if ivname == 'essiv': return essiv.encrypt(struct.pack('<Q8x', number))
        return bytes(16)
    if mode == 'xts':
        half = len(key) // 2
        data_cipher, tweak_cipher = Ecb(name, key[:half]), Ecb(name, key[half:])
        def sector(number, data):
            tweak = int.from_bytes(tweak_cipher.encrypt(iv(number)), 'little')
            tweaks = []
            for _ in range(len(data) // 16):
                tweaks.append(tweak.to_bytes(16, 'little'))
                tweak <<= 1
                if tweak >> 128: tweak ^= (1 << 128) | 0x87
            mask = b''.join(tweaks)
            return xor(data_cipher.encrypt(xor(data, mask)), mask)
    elif mode == 'cbc':
        cipher = Ecb(name, key)
        def sector(number, data):
            before, out = iv(number), []
            for at in range(0, len(data), 16):
                before = cipher.encrypt(xor(data[at:at + 16], before))
                out.append(before)
            return b''.join(out)
    elif mode == 'lrw':
        cipher, tweak = Ecb(name, key[:-16]), int.from_bytes(key[-16:], 'big')
        def sector(number, data):
            first = int.from_bytes(iv(number), 'big')
            mask = b''.join(multiply(tweak, first + n).to_bytes(16, 'big') for n in range(len(data) // 16))
            return xor(cipher.encrypt(xor(data, mask)), mask)
    else:
        cipher = Ecb(name, key)
        sector = lambda number, data: cipher.encrypt(data)
    def encrypt(data, size, first):
        parts = (sector(first + at // 512, data[at:at + size]) for at in range(0, len(data), size))
        return b''.join(parts)
    return encrypt

def af_split(key, stripes, name):
    digest = hashlib.new(name).digest_size
    def diffuse(block):
        chunks = [block[at:at + digest] for at in range(0, len(block), digest)]
        return b''.join(hashlib.new(name, struct.pack('>I', n) + c).digest()[:len(c)] for n, c in enumerate(chunks))
    state, out = bytes(len(key)), []
    for _ in range(stripes - 1):
        random = os.urandom(len(key))
        out.append(random)
        state = diffuse(xor(state, random))
    return b''.join(out) + xor(state, key)

if sys.argv[1] == 'payload':
    spec, key, size, first, clear, out, offset = sys.argv[2:]
    encrypt = encryptor(spec, open(key, 'rb').read())
    with open(out, 'r+b') as file:
        file.seek(int(offset))
        file.write(encrypt(open(clear, 'rb').read(), int(size), int(first)))
else:
    spec, hash_name, key, passphrase, clear, out = sys.argv[2:]
    key, passphrase = open(key, 'rb').read(), passphrase.encode()
    salt, mk_salt, rounds = os.urandom(32), os.urandom(32), 1000
    split = af_split(key, 4000, hash_name)
    split += bytes(-len(split) % 512)
    slot_key = hashlib.pbkdf2_hmac(hash_name, passphrase, salt, rounds, len(key))
    material = encryptor(spec, slot_key)(split, 512, 0)
    payload = -(-(4096 + len(material)) // 4096) * 8
    name, mode = spec.split('-', 1)
    header = b'LUKS\xba\xbe\0\1' + struct.pack('>32s32s32sII20s32sI40s', name.encode(), mode.encode(),
        hash_name.encode(), payload, len(key), hashlib.pbkdf2_hmac(hash_name, key, mk_salt, 500, 20), mk_salt, 500,
        b'01234567-89ab-cdef-0123-456789abcdef')
    for slot in range(8):
        # The third slot is the one in use.
        state = 0x00AC71F3 if slot == 2 else 0x0000DEAD
        header += struct.pack('>II32sII', state, rounds, salt, 8, 4000)
    with open(out, 'wb') as file:
        file.write(header)
        file.seek(4096)
        file.write(material)
        file.seek(payload * 512)
        file.write(encryptor(spec, key)(open(clear, 'rb').read(), 512, 0))
