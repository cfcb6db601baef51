"""Nobody reaches through us what only we can reach."""

import socket
from dataclasses import replace

import pytest

from kernel.errors import Unavailable
from kernel.outbound import ANYWHERE, AddressRefused, Outbound, allowing

pytestmark = pytest.mark.unit


def leading_to(*addresses: str, allowed: tuple[str, ...] = ()) -> Outbound:
    places = allowing(allowed)
    return Outbound(hosts=places.hosts, networks=places.networks, resolve=lambda _host, _port: list(addresses))


def refusal(outbound: Outbound, url: str) -> str:
    with pytest.raises(AddressRefused) as refused:
        outbound.check(url)
    return refused.value.code


def test_an_address_on_the_internet_may_be_asked_over_https() -> None:
    leading_to("93.184.215.14", "2606:2800:21f::14").check("https://calendar.example/dav/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "2001:0:7f00:1::",
    ],
)
def test_an_internal_address_is_refused(address: str) -> None:
    assert refusal(leading_to(address), "https://calendar.example/") == "address-internal"


def test_one_internal_address_among_public_ones_is_enough_to_refuse() -> None:
    assert refusal(leading_to("93.184.215.14", "10.0.0.1"), "https://calendar.example/") == "address-internal"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
)
def test_however_this_machine_is_written_it_is_refused(host: str) -> None:
    def as_the_system_reads_it(name: str, _port: int) -> list[str]:
        if ":" in name:
            return [name]
        return ["127.0.0.1" if name == "localhost" else socket.inet_ntoa(socket.inet_aton(name))]

    assert refusal(Outbound(resolve=as_the_system_reads_it), f"https://{host}/") == "address-internal"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "calendar.example",
        "https://",
        "https:///dav/",
        "https://clinic:secret@calendar.example/",
        "https://calendar.example:port/",
        "https://calendar.example:99999/",
        "https://[::1/",
        "https://calendar.example/ dav",
        "https://calendar.example\\@10.0.0.1/",
        "https://calendar.example/\r\nX: y",
    ],
)
def test_what_is_no_clear_address_is_refused(url: str) -> None:
    assert refusal(leading_to("93.184.215.14"), url) == "address-unreadable"


@pytest.mark.parametrize("url", ["http://calendar.example/", "ftp://calendar.example/", "file:///etc/passwd"])
def test_only_https_goes_out(url: str) -> None:
    assert refusal(leading_to("93.184.215.14"), url) in {"address-not-secure", "address-unreadable"}


@pytest.mark.parametrize("place", ["calendar.lan", "10.0.0.0/8", "10.1.2.3"])
def test_what_the_operator_allows_may_be_asked_also_without_https(place: str) -> None:
    leading_to("10.1.2.3", allowed=(place,)).check("http://Calendar.lan./dav/")


def test_what_the_operator_allows_opens_nothing_else() -> None:
    outbound = leading_to("10.1.2.3", allowed=("other.lan", "10.1.0.0/24"))

    assert refusal(outbound, "https://calendar.lan/") == "address-internal"


def test_a_name_that_leads_nowhere_may_lead_somewhere_later() -> None:
    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(Unavailable):
        Outbound(resolve=fail).check("https://calendar.example/")


def test_a_connection_that_reached_somewhere_else_is_refused() -> None:
    with pytest.raises(AddressRefused):
        leading_to("93.184.215.14").check_peer("calendar.example", "169.254.169.254")


@pytest.mark.parametrize("place", ["10.0.0.1/8", "10.0.0", "1:2", "a/b"])
def test_a_place_that_is_none_is_named(place: str) -> None:
    with pytest.raises(ValueError, match=place):
        allowing([place])


def test_tools_may_ask_anywhere() -> None:
    replace(ANYWHERE, resolve=lambda _host, _port: ["127.0.0.1", "fd00::1"]).check("http://tools.lan:8000/")
