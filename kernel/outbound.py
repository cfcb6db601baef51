"""Addresses that people outside gave us: where we may send a request, so that nobody uses us to reach what only we can reach.

An address is judged by where its name leads, however it is written, and again by whom a connection really reached: a name may
lead elsewhere a moment later. Everything on the internet may be asked, over https; internal addresses only where the operator
said so.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kernel.errors import Malformed, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Set aside, too, though not every version of the standard library knows it.
_SET_ASIDE = [ipaddress.ip_network(one) for one in ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")]
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # NAT64: an IPv4 address is in the last four bytes


class AddressRefused(Malformed):
    """We do not send requests there. `code` says why: address-unreadable, address-internal or address-not-secure."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _resolve(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Outbound:
    """Where we may send requests: `hosts` and `networks` are internal ones that may be asked, also without https."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    resolve: Callable[[str, int], list[str]] = field(default=_resolve, repr=False, compare=False)

    def check(self, url: str) -> None:
        """Return if a request may be sent to `url`. Asks the name service. Raises AddressRefused, Unavailable."""
        scheme, host, port = _parts(url)
        try:
            addresses = self.resolve(host, port)
        except socket.gaierror:
            raise Unavailable("no such name, or the name service does not answer") from None
        except (OSError, UnicodeError):
            raise AddressRefused("address-unreadable") from None
        if not addresses:
            raise Unavailable("the name leads nowhere")
        for address in addresses:
            self.check_peer(host, address)
        # In plain sight only where it stays inside; a name may have public and internal addresses.
        if scheme == "http" and not all(self._is_allowed(host, _read(address)) for address in addresses):
            raise AddressRefused("address-not-secure")

    def check_peer(self, host: str, address: str) -> None:
        """Return if a connection to `host` may be one to `address`. Raises AddressRefused."""
        found = _read(address)
        if not self._is_allowed(host, found) and not all(map(_is_public, _meant(found))):
            raise AddressRefused("address-internal")

    def _is_allowed(self, host: str, address: Address) -> bool:
        return host in self.hosts or all(
            any(one.version == network.version and one in network for network in self.networks)
            for one in _meant(address)
        )


def allowing(places: Iterable[str]) -> Outbound:
    """Return where requests may go when these internal `places` are allowed: names, addresses or networks (10.0.0.0/8).

    Raises ValueError with the place that is none of them.
    """
    hosts, networks = set(), []
    for place in filter(None, (one.strip().lower() for one in places)):
        try:
            networks.append(ipaddress.ip_network(place))
        except ValueError:
            if "/" in place or ":" in place or place.replace(".", "").isdigit():
                raise ValueError(place) from None
            hosts.add(place.rstrip("."))
    return Outbound(hosts=frozenset(hosts), networks=tuple(networks))


PUBLIC_ONLY = Outbound()
# For what is not given by people outside: tests and tools.
ANYWHERE = allowing(["0.0.0.0/0", "::/0"])


def _parts(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        raise AddressRefused("address-unreadable") from None
    # A log-in in the address would end up in lists and logs; blanks and the like are read differently by different programs.
    if not host or parts.username is not None or any(character <= " " or character in "\\\x7f" for character in url):
        raise AddressRefused("address-unreadable")
    if parts.scheme not in {"https", "http"}:
        raise AddressRefused("address-not-secure" if parts.scheme else "address-unreadable")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


def _read(address: str) -> Address:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        raise AddressRefused("address-unreadable") from None


def _is_public(address: Address) -> bool:
    is_set_aside = any(address.version == network.version and address in network for network in _SET_ASIDE)
    return address.is_global and not address.is_multicast and not is_set_aside


def _meant(address: Address) -> list[Address]:
    """Return the addresses that a packet to `address` may end at: some IPv6 addresses carry an IPv4 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner = [address.sixtofour, *(address.teredo or ())]
    if address in _TRANSLATED:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *(one for one in inner if one is not None)]
