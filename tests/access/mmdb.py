"""Writes a small MMDB file (MaxMind DB format 2.0, IPv6 tree), to try the city look-up without anybody's data."""

import struct
from ipaddress import ip_network
from pathlib import Path
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"
STRING, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def encode(value: Any) -> bytes:
    if isinstance(value, str):
        raw = value.encode()
        return control(STRING, len(raw)) + raw
    if isinstance(value, dict):
        return control(MAP, len(value)) + b"".join(encode(key) + encode(each) for key, each in value.items())
    if isinstance(value, list):
        return control(ARRAY, len(value)) + b"".join(encode(each) for each in value)
    kind, number = value
    raw = number.to_bytes(8, "big").lstrip(b"\0")
    return bytes(control(kind, len(raw)) + raw)


def control(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])


def write(path: Path, cities: dict[str, str]) -> None:
    """A file in which each network (IPv4 or IPv6) lies in a city."""
    nodes: list[list[int | None]] = [[None, None]]
    data, offsets = b"", {}
    leaves: list[tuple[int, int, str]] = []
    for text, city in cities.items():
        if city not in offsets:
            offsets[city] = len(data)
            data += encode({"city": {"names": {"en": city}}, "country": {"iso_code": "US"}})
        network = ip_network(text)
        bits = f"{int(network.network_address):0{128}b}"[: network.prefixlen + (96 if network.version == 4 else 0)]
        node = 0
        for bit in bits[:-1]:
            child = nodes[node][int(bit)]
            if child is None:
                nodes.append([None, None])
                child = nodes[node][int(bit)] = len(nodes) - 1
            node = child
        leaves.append((node, int(bits[-1]), city))
    count = len(nodes)
    for node, side, city in leaves:
        nodes[node][side] = count + 16 + offsets[city]
    tree = b"".join(struct.pack(">II", *(count if child is None else child for child in node)) for node in nodes)
    meta = encode(
        {
            "binary_format_major_version": (UINT16, 2),
            "binary_format_minor_version": (UINT16, 0),
            "build_epoch": (UINT64, 1_790_000_000),
            "database_type": "Test-City",
            "description": {"en": "test"},
            "ip_version": (UINT16, 6),
            "languages": ["en"],
            "node_count": (UINT32, count),
            "record_size": (UINT16, 32),
        }
    )
    path.write_bytes(tree + b"\0" * 16 + data + MARKER + meta)
