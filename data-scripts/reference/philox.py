# SPDX-License-Identifier: Apache-2.0
"""Random numbers that are the same everywhere.

Philox4x32-10 (Salmon et al. 2011): ten rounds turn a key of 64 bits and a
counter of 128 bits into four words of 32 bits.
"""

MASK = 2 ** 32 - 1


def fnv1a(text):
    """The 64-bit FNV-1a hash of a text in UTF-8."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 % 2 ** 64
    return value


def philox(key, position, stream):
    """Block `position` of a stream; both are halves of the counter."""
    x = [position & MASK, position >> 32, stream & MASK, stream >> 32]
    k = [key & MASK, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [b >> 32 ^ x[1] ^ k[0], b & MASK, a >> 32 ^ x[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return x


def words(seed, name):
    """64-bit numbers of the stream that belongs to a name."""
    stream, position = fnv1a(name), 0
    while True:
        a, b, c, d = philox(seed, position, stream)
        yield a | b << 32
        yield c | d << 32
        position += 1


def integer(numbers, bound):
    """A uniform number in 0 ..< bound without bias (Lemire 2019)."""
    while True:
        product = next(numbers) * bound
        low = product % 2 ** 64
        if low >= bound or low >= 2 ** 64 % bound:
            return product >> 64
