"""What a caller hands in: stored files, data URLs, and public URLs; never another file, never a private network."""

import base64
import io
import os
import socket
import unicodedata
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import Clock, space_of

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"
Space = dict[str, Any]


@pytest.fixture
def space(texts: dict[str, str]) -> Space:
    """The globals of an emitted text that takes media in."""
    return space_of("venice_upscale_image", texts)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each host's name stands for; other names, and spellings of addresses, are left to the system."""
    known: dict[str, list[str]] = {"example.com": [PUBLIC], "other.example": [PUBLIC_6]}
    real = socket.getaddrinfo

    def look_up(host: str, port: Any, family: int = 0, kind: int = 0, proto: int = 0) -> list[Any]:
        if host in known:
            return [
                (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, 0))
                for one in known[host]
            ]
        return real(host, port, family, kind, proto, socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def refusal(space: Space, reference: str, most_mb: int = 1) -> str:
    """The one-line error that a reference ends with."""
    with pytest.raises(space["VeniceError"]) as failure:
        space["_read_media"](reference, most_mb=most_mb)
    assert 1 == len(str(failure.value).splitlines())
    assert len(str(failure.value)) < 600
    return str(failure.value)


# --- URLs ---

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0.0.0.0",  # noqa: S104 - no server is bound to it
    "0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a00:1]",
    "[::ffff:93.184.216.34]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.usefixtures("hosts")
def test_no_private_address_is_called(space: Space, host: str) -> None:
    """However a private address is written, no connection is opened to it."""
    with respx.mock() as router:
        # A leading zero is refused by httpx already.
        message = refusal(space, f"http://{host}/latest/meta-data")
        assert ("could not be fetched" if host == "0177.0.0.1" else "private network") in message
        assert 0 == len(router.calls)


@pytest.mark.parametrize(
    "address", [one.strip("[]") for one in PRIVATE if one.count(".") == 3 or ":" in one]
)
def test_no_name_of_a_private_address_is_called(
    space: Space, hosts: dict[str, list[str]], address: str
) -> None:
    """A public-looking name that stands for a private address is refused."""
    if address.startswith("0177"):
        address = "127.0.0.1"
    hosts["innocent.example"] = [address]
    with respx.mock() as router:
        assert "private network" in refusal(space, "https://innocent.example/picture.png")
        assert 0 == len(router.calls)


@given(inner=st.ip_addresses(v=4), host=st.sampled_from(["[::ffff:{}]", "[64:ff9b::{}]", "[::{}]"]))
def test_no_version_4_address_is_called_in_a_wrapper(
    space: Space, hosts: dict[str, list[str]], inner: Any, host: str
) -> None:
    """No IPv4 address gets through inside of an IPv6 one."""
    assert hosts
    assert "private network" in refusal(space, f"http://{host.format(inner)}/")


@given(address=st.ip_addresses())
def test_only_global_addresses_are_called(
    space: Space, hosts: dict[str, list[str]], address: Any
) -> None:
    """Whatever a name stands for, the address that is called is a global one, no multicast."""
    hosts["any.example"] = [str(address)]
    try:
        called = space["_public_address"]("any.example")
    except space["VeniceError"]:
        return
    assert str(address) == called
    assert address.is_global
    assert not address.is_multicast


def test_the_checked_address_is_the_one_called(space: Space, hosts: dict[str, list[str]]) -> None:
    """The name is looked up once; the connection goes to that address, under the host's name."""
    looked_up = []
    hosts["example.com"] = ["10.0.0.1", PUBLIC]
    with respx.mock() as router:
        route = router.get(f"https://{PUBLIC}/a.png").respond(content=b"picture")

        assert b"picture" == space["_read_media"]("https://example.com/a.png", most_mb=1)
        looked_up.append(route.calls.last.request)
    (request,) = looked_up
    assert ("example.com", "example.com") == (
        request.headers["host"],
        request.extensions["sni_hostname"],
    )


@pytest.mark.usefixtures("hosts")
def test_a_version_6_host_is_called(space: Space) -> None:
    """A plain IPv6 address is as good as any, and a port is kept."""
    with respx.mock() as router:
        route = router.get(f"http://[{PUBLIC_6}]:8080/b").respond(content=b"b")

        assert b"b" == space["_read_media"]("HTTP://other.example:8080/b", most_mb=1)
    assert "other.example:8080" == route.calls.last.request.headers["host"]


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1/", "http://[::1]/", "//10.0.0.1/x", "http://2130706433/"]
)
@pytest.mark.usefixtures("hosts")
def test_a_redirect_to_a_private_address_is_not_followed(space: Space, where: str) -> None:
    """Each redirect is checked as the first URL was."""
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/a").respond(302, headers={"location": where})

        assert "private network" in refusal(space, "https://example.com/a")
        assert 1 == len(router.calls)


@pytest.mark.usefixtures("hosts")
def test_redirects_are_followed_three_times(space: Space) -> None:
    """Relative and absolute ones are followed, three of them and no more."""
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/start").respond(301, headers={"location": "/a"})
        router.get(f"https://{PUBLIC}/a").respond(301, headers={"location": "/b"})
        router.get(f"https://{PUBLIC}/b").respond(
            307, headers={"location": "https://other.example/c"}
        )
        router.get(f"https://[{PUBLIC_6}]/c").respond(302, headers={"location": "/d"})
        router.get(f"https://[{PUBLIC_6}]/d").respond(content=b"d")

        assert b"d" == space["_read_media"]("https://example.com/a", most_mb=1)
        assert "redirects too often" in refusal(space, "https://example.com/start")


def test_no_proxy_of_the_environment_is_asked(
    space: Space, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would look names up itself, and call what we did not check."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    here = httpx.URL(venice.base_url)

    with (
        pytest.raises(space["VeniceError"], match="answered 404"),
        space["_open_public"](f"{here}/no-such-file", trusted=here.netloc),
    ):
        pass


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://[::"])
@pytest.mark.usefixtures("hosts")
def test_a_redirect_elsewhere_is_an_error(space: Space, where: str) -> None:
    """Only the web is fetched."""
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/a").respond(302, headers={"location": where})

        assert "Check the URL" in refusal(space, "https://example.com/a")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/x", "gopher://example.com/x", "http://example.com:99999999/"]
)
@pytest.mark.usefixtures("hosts")
def test_an_odd_scheme_or_port_is_an_error(space: Space, url: str) -> None:
    """What no connection can be opened for, as a redirect might name it, ends in one line."""
    with pytest.raises(space["VeniceError"], match="could not be fetched"):
        space["_fetch"](url, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "http://[::1",
        "http://nowhere.invalid/",
        f"http://{'a' * 70}.com/",
        "http://a..b/",
        "http://\N{FOX FACE}/",
        "https://exa mple.com/",
        f"https://{'x' * 3000}/",
    ],
)
@pytest.mark.usefixtures("hosts")
def test_a_bad_url_is_an_error(space: Space, url: str) -> None:
    """What is no URL of a host ends in one line."""
    with respx.mock():
        assert "Check the URL" in refusal(space, url)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
@pytest.mark.usefixtures("hosts")
def test_a_bad_answer_is_an_error(space: Space, status: int) -> None:
    """The status is told."""
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/a").respond(status)

        assert f"answered {status}" in refusal(space, "https://example.com/a")


@pytest.mark.usefixtures("hosts")
def test_a_lost_connection_is_an_error(space: Space) -> None:
    """A failure on the way is told as one."""
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/a").mock(side_effect=httpx.ReadTimeout)

        assert "could not be fetched" in refusal(space, "https://example.com/a")


@pytest.mark.usefixtures("hosts")
def test_a_slow_host_is_given_up_in_time(space: Space) -> None:
    """Half a minute of the call is left for Venice, and half a file is never taken for a whole one."""
    clock = Clock()
    clock.start = 1000.0  # sums of it are exact
    space["time"] = clock
    with respx.mock() as router:
        router.get(f"https://{PUBLIC}/a").respond(content=b"all")

        space["_DEADLINE"] = clock.monotonic() + 30
        assert b"all" == space["_read_media"]("https://example.com/a", most_mb=1)
        clock.sleep(0.5)
        assert "took too long" in refusal(space, "https://example.com/a")


# --- URLs that Venice is to fetch ---

NOWHERE_PUBLIC = [
    "localhost",
    "router",
    "router:8080",
    "printer.local",
    "nas.LAN.",
    "wiki.corp",
    "metadata.google.internal",
    "127.0.0.1.",
    "10.0.0.1:8080",
]


@pytest.fixture
def handing_on(texts: dict[str, str]) -> Space:
    """The globals of an emitted text that hands web addresses on to Venice."""
    return space_of("venice_edit_image", texts)


@pytest.mark.parametrize("host", [*PRIVATE, *NOWHERE_PUBLIC])
def test_venice_is_not_asked_for_a_private_address(handing_on: Space, host: str) -> None:
    """What we would not fetch is not handed on for Venice to fetch, however it is written."""
    # A leading zero is refused by httpx already.
    why = "is no web address" if host == "0177.0.0.1" else "is in a private network"
    with pytest.raises(handing_on["VeniceError"], match=why):
        handing_on["_is_for_venice"](f"http://{host}/latest/meta-data")


@pytest.mark.parametrize(
    "url",
    [
        "https://?fox",
        "https://[::1",
        "https://exa mple.com/a",
        "https://example.com%2f.other.example/a",
        "https://example.com\\.other.example/",
        "https://example.com\\@other.example?a=b",
    ],
)
def test_venice_is_not_asked_for_a_doubtful_address(handing_on: Space, url: str) -> None:
    """A host that others may read in another way than we do is not handed on."""
    with pytest.raises(handing_on["VeniceError"], match="is no web address"):
        handing_on["_is_for_venice"](url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com/a b",
        "HTTPS://Example.COM:8443/a%20b?c=%31#d\\e",
        "https://example.com?to=//a%20b",
        "https://example.com#a b/c",
        "https://example.com./fox.png",
        "https://münchen.de/fox.png",
        f"http://{PUBLIC}/fox.png",
        f"http://[{PUBLIC_6}]:8080/fox.png",
        "https://localhost.com/",
        "https://netflix.com/",
    ],
)
def test_venice_is_asked_for_a_public_address(handing_on: Space, url: str) -> None:
    """The web is Venice's to fetch, whatever stands behind the host."""
    assert handing_on["_is_for_venice"](url)


@pytest.mark.parametrize("name", ["fox.png", "httpfox.png", "ftp://example.com/a", "data:,", ""])
def test_venice_is_not_asked_for_what_is_no_web_address(handing_on: Space, name: str) -> None:
    """A stored file or a data URL is read here."""
    assert not handing_on["_is_for_venice"](name)


# --- size ---


@pytest.mark.parametrize("kind", ["url", "data", "stored"])
def test_the_size_limit_is_exact(
    space: Space, media: Path, hosts: dict[str, list[str]], kind: str
) -> None:
    """A megabyte is taken where a megabyte is allowed, and not one byte more; nor is nothing."""
    assert hosts

    def read(size: int) -> bytes:
        (media / "file.bin").write_bytes(bytes(size))
        reference = {
            "url": "https://example.com/a",
            "data": f"data:image/png;base64,{base64.b64encode(bytes(size)).decode()}",
            "stored": "file.bin",
        }[kind]
        with respx.mock(assert_all_called=False) as router:
            router.get(f"https://{PUBLIC}/a").respond(content=bytes(size))
            content: bytes = space["_read_media"](reference, most_mb=1)
        return content

    assert bytes(2**20) == read(2**20)
    with pytest.raises(space["VeniceError"], match="more than 1 MB"):
        read(2**20 + 1)
    if kind != "url":
        with pytest.raises(space["VeniceError"], match="is empty"):
            read(0)


# --- data URLs ---


@given(
    content=st.binary(min_size=1, max_size=300),
    head=st.sampled_from(["data:image/png;base64,", "DATA:;base64,"]),
)
def test_a_data_url_is_read(space: Space, content: bytes, head: str) -> None:
    """What is in a data URL comes out."""
    assert content == space["_read_media"](head + base64.b64encode(content).decode(), most_mb=1)


@pytest.mark.parametrize(
    "rest", ["image/png;base64,!!!", "image/png;base64,abc", ",\N{FOX FACE}", "text/plain,a b c"]
)
def test_a_bad_data_url_is_an_error(space: Space, rest: str) -> None:
    """What is no base64 is said to be none."""
    assert "not valid base64" in refusal(space, f"data:{rest}")


# --- the media store ---


def test_a_stored_file_is_read_by_name_and_path(space: Space, media: Path) -> None:
    """A bare name, a path within, and the path that a tool's answer gave are all the same file."""
    (media / "deep").mkdir()
    (media / "deep" / "fox.png").write_bytes(b"fox")

    for name in ("deep/fox.png", "./deep/../deep/fox.png", str(media / "deep" / "fox.png")):
        assert b"fox" == space["_read_media"](name, most_mb=1)


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_a_name_is_the_same_in_any_spelling(
    space: Space, media: Path, stored: Literal["NFC", "NFD"], asked: Literal["NFC", "NFD"]
) -> None:
    """Macs write an ö as an o and two dots, models as one letter."""
    name = "F\u00fcchse \u00d6.png"
    (media / unicodedata.normalize(stored, name)).write_bytes(b"foxes")

    for path in (name, str(media / name)):
        assert b"foxes" == space["_read_media"](unicodedata.normalize(asked, path), most_mb=1)


def test_a_file_with_a_second_name_is_not_opened(space: Space, media: Path, tmp_path: Path) -> None:
    """A hard link may lead to any file of the disk, such as a private key, and looks like a file of its own."""
    (tmp_path / "key.txt").write_text("the operator's own")
    (media / "notes.txt").hardlink_to(tmp_path / "key.txt")

    assert "'notes.txt' is not opened. It has a second name on the disk (a hard link)" in refusal(
        space, "notes.txt"
    )
    (tmp_path / "key.txt").unlink()
    assert b"the operator's own" == space["_read_media"]("notes.txt", most_mb=1)


@pytest.fixture
def outside(media: Path, tmp_path: Path) -> Path:
    """A file that is nobody's business, with ways to it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the operator's own")
    (tmp_path / "media-2").mkdir()
    (tmp_path / "media-2" / "x").write_text("a neighbour's")
    (media / "link.png").symlink_to(secret)
    (media / "folder").symlink_to(tmp_path)
    (media / "circle").symlink_to(media / "circle")
    (media / ".private").mkdir(mode=0o700)
    (media / ".private" / "key").write_text("a key")
    (media / ".hidden").write_text("hidden")
    return secret


@pytest.mark.parametrize(
    "name",
    [
        "../secret.txt",
        "{secret}",
        "link.png",
        "folder/secret.txt",
        "circle",
        "../media-2/x",
        ".private/key",
        ".hidden",
        "./.private/../.hidden",
        "file://{secret}",
        "~/.bashrc",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "..",
        ".",
        "",
        "a\0b",
        "x" * 5000,
        "\N{FOX FACE}" * 200,
        "folder",
    ],
)
def test_nothing_outside_of_the_store_is_read(space: Space, outside: Path, name: str) -> None:
    """No path, link or odd name leads out of the store, or to what is hidden in it."""
    assert "No stored file is called" in refusal(space, name.format(secret=outside))


@given(
    name=st.lists(
        st.sampled_from(
            ["..", ".", "/", "folder", "secret.txt", "media", ".private", "key", "~", "\\"]
        )
    )
)
@example(["folder", "/", "media", "/", ".private", "/", "key"])
def test_no_path_leads_out(
    texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory, name: list[str]
) -> None:
    """Whatever is put together from steps and names, nothing in the store's surroundings is opened."""
    root = tmp_path_factory.getbasetemp() / "no-path-leads-out"
    (root / "media" / ".private").mkdir(parents=True, exist_ok=True)
    (root / "secret.txt").write_text("secret")
    (root / "media" / ".private" / "key").write_text("key")
    if not (root / "media" / "folder").is_symlink():
        (root / "media" / "folder").symlink_to(root)
    space = space_of("venice_upscale_image", texts)
    space["_media_folder"] = lambda: root / "media"

    with pytest.raises(space["VeniceError"]):
        space["_read_media"]("".join(name), most_mb=1)


def test_near_names_are_told(space: Space, media: Path) -> None:
    """A name that is slightly wrong is answered with those that exist; hidden ones are not told."""
    for name in ("red-fox-0123456789.webp", "zebra.png", ".red-fox.webp"):
        (media / name).write_bytes(b"x")
    message = refusal(space, "red-fox.webp")

    assert "red-fox-0123456789.webp" in message
    assert "zebra" not in message
    assert "Near it: none" in refusal(space, "qqq")
    assert ".red-fox" not in message.replace("'red-fox.webp'", "")


def test_three_near_names_are_told(space: Space, media: Path) -> None:
    """Of many files that are called alike, the three that are most like the name are told."""
    for number in range(5):
        (media / f"fox-{number}.png").write_bytes(b"x")

    assert 3 == refusal(space, "fox.png").count("fox-")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_an_error(space: Space, media: Path) -> None:
    """What the operator locked is told as such."""
    (media / "locked.png").write_bytes(b"x")
    (media / "locked.png").chmod(0)

    assert "cannot be read" in refusal(space, "locked.png")


# --- pictures ---


def picture(kind: str, size: tuple[int, int]) -> bytes:
    """A picture as a file, made by Pillow."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_comes_with_its_size(space: Space, media: Path, kind: str) -> None:
    """A whole picture within the limits comes as base64, with its type and its size."""
    (media / "fox").write_bytes(picture(kind, (300, 250)))
    encoded, media_type, width, height = space["_check_picture"](
        "fox", (media / "fox").read_bytes(), least=75_000, most=75_000
    )

    assert f"image/{kind.lower()}" == media_type
    assert (300, 250) == (width, height)
    assert (media / "fox").read_bytes() == base64.b64decode(encoded)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (picture("PNG", (255, 256)), "has 255x256 = 65,280 pixels; 65,536 to 100,000 are allowed"),
        (picture("JPEG", (400, 251)), "has 400x251 = 100,400 pixels"),
        (
            picture("GIF", (300, 300)),
            "no whole PNG, JPEG or WebP picture. It is of the format GIF.* turn it into PNG",
        ),
        (picture("BMP", (300, 300)), "It is of the format BMP.* turn it into PNG"),
        (picture("TIFF", (300, 300)), "It is of the format TIFF.* turn it into PNG"),
        (picture("PNG", (300, 300))[:-20], "no whole PNG, JPEG or WebP"),
        (b"<svg/>", "no whole PNG, JPEG or WebP"),
        (b"\0\0\0\x18ftypavif", "can't be measured here. Turn it into JPEG, and give that"),
    ],
    ids=["small", "large", "gif", "bmp", "tiff", "half", "svg", "avif"],
)
def test_an_unfit_picture_is_an_error(space: Space, content: bytes, message: str) -> None:
    """What Venice would not take is not sent."""
    with pytest.raises(space["VeniceError"], match=message):
        space["_check_picture"]("fox", content, least=65_536, most=100_000)
