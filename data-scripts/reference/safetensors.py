# SPDX-License-Identifier: Apache-2.0
"""Writing files in the safetensors format."""

import json
import struct


def write_safetensors(path, metadata, tensors):
    """Integers become I64, the rest F32; header padded to 8 bytes.

    Layout: u64 header size, JSON header, data; the largest type comes first,
    then by name, as the format's reference writer does.
    """
    header, data = {"__metadata__": metadata}, b""
    items = sorted(tensors.items(), key=lambda t: (t[1].dtype.kind != "i",
                                                   t[0]))
    for name, array in items:
        integers = array.dtype.kind == "i"
        raw = array.astype("<i8" if integers else "<f4").tobytes()
        header[name] = {"dtype": "I64" if integers else "F32",
                        "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def named(group, tensors):
    """Put `group.` in front of every name."""
    return {f"{group}.{name}": value for name, value in tensors.items()}
