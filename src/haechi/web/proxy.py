"""Who really asks when a proxy stands before the server: believed of the proxies that the options name only.

``X-Forwarded-For`` is read from its right end, where the proxy that is nearest wrote: the first address that
is no trusted proxy's is the sender's. Whatever stands further left the sender may have made up.
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from haechi.server_options import Network

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def unwrapped(scope: Scope, trusted: tuple[Network, ...]) -> Scope:
    """The request as the nearest trusted proxy received it: address of the sender and scheme."""
    peer = _address(scope["client"][0]) if scope.get("client") else None
    if peer is None or not _among(peer, trusted):
        return scope
    headers, sender = Headers(scope=scope), peer
    for entry in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
        address = _address(entry.strip())
        if address is None:
            break
        sender = address
        if not _among(address, trusted):
            break
    proto = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip().lower()
    scheme = proto if proto in ("http", "https") else scope["scheme"]
    return {**scope, "client": (str(sender), 0), "scheme": scheme}


def _among(address: _Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> _Address | None:
    """An address, also with brackets and a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
