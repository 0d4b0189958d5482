import gzip
import ipaddress
import socket
from threading import Event

import pytest

from content import fetch as fetch_module
from content.fetch import FetchRefused, fetch, is_public
from core.tests.sink import Sink, drip, endless_chunks, http_answer, redirect

from .picture_files import picture_bytes

PUBLIC = "93.184.216.34"

REFUSED = r"""
//127.0.0.1:PORT/a.png
http://168.63.129.16/
file:///etc/passwd
http://192.88.99.1/
http://017700000001:PORT/
http://[::ffff:7f00:1]:PORT/
http://SITE_HOST/admin/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/
http://127.0.0.1:PORT#@example.com/
http://example.com\@127.0.0.1:PORT/
http://172.31.255.255/
http://127。0。0。1:PORT/
http://0177.0.0.1:PORT/
http://169.254.169.254/latest/meta-data/iam/
http://192.168.0.1/
http://0.0.0.0:PORT/
http://1.1.1.1 &@127.0.0.1:PORT# @3.3.3.3/
http://0xA9FEA9FE/
ftp://127.0.0.1/a.png
http://%31%32%37.0.0.1:PORT/
http://example.com:22/a.png
http+unix://%2Fvar%2Frun%2Fdocker.sock/info
http://user:pass@example.com/a.png
gopher://127.0.0.1:6379/_FLUSHALL
http://:80/
http://[::ffff:169.254.169.254]/
data:image/png;base64,AAAA
http://127.0.0.1:PORT\@example.com/
http://[64:ff9b::7f00:1]:PORT/
http://239.255.255.250:1900/
http://239.255.255.250/
http://255.255.255.255/
http://127.0.1:PORT/
http://[::1%25lo]:PORT/
http://[::]:PORT/
http://240.0.0.1/
http://[64:ff9b:1::7f00:1]:PORT/
http://127.0.0.1:PORT/
http://0x7f.1:PORT/
http://127.1:PORT/
http://[fd00:ec2::254]/latest/meta-data/
http://127.0.0.1%2e:PORT/
http://example.com:5672/a.png
http://[2002:7f00:1::]:PORT/
http://example.com:-1/a.png
http://127.255.255.254:PORT/
http://example.com:99999/a.png
http://metadata.google.internal/computeMetadata/v1/
http://LOCALHOST.:PORT/
dict://127.0.0.1:6379/INFO
http://①②⑦.⓪.⓪.①:PORT/
http://172.16.0.1/
http://.
http://redis:6379/
http:/127.0.0.1:PORT/
http://[fc00::1]/
http://[::127.0.0.1]:PORT/
http://[fec0::1]/
http://100.64.0.1/
http://[::ffff:0:7f00:1]:PORT/
javascript:alert(1)
http://
https://exa mple.com/
http://[::1
""".strip().splitlines()


@pytest.fixture
def sink():
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def over():
    """Hold what hangs until the test is over."""
    over = Event()
    yield over
    over.set()


@pytest.fixture
def connected(monkeypatch):
    """Record every connection instead of making it: one that the filter missed must not reach the real place."""
    made = []

    def connect(address, port, seconds):
        made.append((str(address), port))
        raise OSError("not in a test")

    monkeypatch.setattr(fetch_module, "_connect", connect)
    return made


@pytest.fixture
def public(monkeypatch, sink):
    """Make every *.test name a public host that is really the sink; return what each name resolves to."""
    names: dict[str, list[list[str]]] = {}
    real_look_up = fetch_module._look_up

    def look_up(host, port):
        if not host.endswith(".test"):
            return real_look_up(host, port)
        answers = names.get(host, [[PUBLIC]])
        return [ipaddress.ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0])]

    def connect(address, port, seconds):
        assert str(address) == PUBLIC, f"connected to {address}"
        return socket.create_connection(("127.0.0.1", sink.port), timeout=seconds)

    monkeypatch.setattr(fetch_module, "_look_up", look_up)
    monkeypatch.setattr(fetch_module, "_connect", connect)
    return names


@pytest.mark.parametrize("port", ["PORT", "80", ""])
@pytest.mark.parametrize("line", REFUSED)
def test_address_that_leads_inside_is_refused_without_a_connection(line, port, sink, connected, settings):  # D25
    settings.SITE_URL = "https://atelier.example"
    url = line.replace("SITE_HOST", "atelier.example")
    url = url.replace(":PORT", f":{port}" if port else "").replace("PORT", str(sink.port))

    with pytest.raises(FetchRefused) as refusal:
        fetch(url, max_seconds=5)

    assert connected == []
    assert sink.connections == 0
    assert str(refusal.value) == str(fetch_module.TEXT)


@pytest.mark.parametrize("network", [*fetch_module.EXTRA_BLOCKED_NET_RANGES, *fetch_module.MORE_BLOCKED])
def test_first_and_last_address_of_each_closed_network_are_not_public(network):
    assert not is_public(network[0])
    assert not is_public(network[-1])


def test_ordinary_addresses_are_public():
    for text in [PUBLIC, "1.1.1.1", "2606:4700::1111", "2a00:1450:4001:81b::200e"]:
        assert is_public(ipaddress.ip_address(text))


# --- What the name resolves to ---


def test_name_is_looked_up_once_so_that_a_second_answer_changes_nothing(public, sink):
    public["rebind.test"] = [[PUBLIC], ["127.0.0.1"]]
    sink.answers["/"] = http_answer(b"x")

    assert fetch("http://rebind.test/").content == b"x"
    assert public["rebind.test"] == [["127.0.0.1"]]


@pytest.mark.parametrize(
    "answers",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        ["::ffff:127.0.0.1"],
        [PUBLIC] * 49 + ["10.0.0.1"],
        [],
    ],
)
def test_name_with_one_closed_address_is_refused(answers, public, sink):
    public["mixed.test"] = [answers]

    with pytest.raises(FetchRefused):
        fetch("http://mixed.test/")
    assert sink.connections == 0


def test_resolver_that_hangs_is_given_up(monkeypatch, over):
    monkeypatch.setattr(fetch_module, "_look_up", lambda host, port: over.wait())

    with pytest.raises(FetchRefused):
        fetch("http://slow.test/", max_seconds=0.3)


# --- Redirects ---


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://[::ffff:7f00:1]/",
        "http://169.254.169.254/latest/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "gopher://public.test/",
        "http://user@public.test/",
        "http://public.test:22/",
        "/self",
        "",
        "/" + "x" * 10_000,
        "/a\rb",
    ],
)
def test_redirect_is_checked_like_the_first_address(location, public, sink):  # D26
    sink.answers["/self"] = redirect(location)

    with pytest.raises(FetchRefused):
        fetch("http://public.test/self")
    assert sink.connections <= 4


def test_three_redirects_pass_and_four_do_not(public, sink):
    for number in range(4):
        sink.answers[f"/{number}"] = redirect(f"http://cdn{number}.test/{number + 1}")
    sink.answers["/4"] = http_answer(b"there")

    assert fetch("http://public.test/1").content == b"there"
    assert fetch("http://public.test/1").url == "http://cdn3.test/4"
    with pytest.raises(FetchRefused):
        fetch("http://public.test/0")


def test_redirect_never_leaves_https():
    with pytest.raises(FetchRefused):
        fetch_module._next(fetch_module.parse("https://public.test/"), "http://public.test/")
    assert fetch_module._next(fetch_module.parse("http://public.test/"), "https://public.test/x").scheme == "https"


# --- Bodies ---


def refused_answers() -> dict[str, object]:
    big = b"x" * (fetch_module.MAX_BYTES + 1)
    many_headers = {f"X-{number}": "y" for number in range(10_000)}
    return {
        "eleven megabytes": http_answer(big),
        "eleven megabytes unannounced": http_answer(big, length=False),
        "announces too much": http_answer(b"x", length=fetch_module.MAX_BYTES + 1),
        "less than announced": http_answer(b"x", length=500),
        "endless chunks": endless_chunks,
        "gzip bomb": http_answer(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"),
        "ten thousand headers": http_answer(b"x", **many_headers),
        "no content": http_answer(status="204 No Content"),
        "part": http_answer(b"x", status="206 Partial Content", Content_Range="bytes 0-0/9"),
        "asks for a password": http_answer(status="401 Unauthorized", WWW_Authenticate="Basic"),
        "not found": http_answer(status="404 Not Found"),
        "error": http_answer(b"x", status="500 Oh"),
        "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
        "nothing": b"",
        "half a header": b"HTTP/1.1 200",
    }


@pytest.mark.parametrize("name", refused_answers())
def test_answer_we_cannot_use_is_refused(name, public, sink):  # D27, D28
    sink.answers["/"] = refused_answers()[name]

    with pytest.raises(FetchRefused):
        fetch("http://public.test/")


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX: ", http_answer(b"", length=5000)])
def test_dripping_server_is_left(before, public, sink):  # D29
    sink.answers["/"] = drip(before)

    with pytest.raises(FetchRefused):
        fetch("http://public.test/", max_seconds=0.5)


def test_silent_server_is_left(public, sink, over):  # D29
    sink.answers["/"] = lambda client: over.wait()

    with pytest.raises(FetchRefused):
        fetch("http://public.test/", max_seconds=0.5)


@pytest.mark.parametrize("length", [-5, "nonsense"])
def test_senseless_length_is_read_to_the_end(length, public, sink):
    sink.answers["/"] = http_answer(b"body", length=length)

    assert fetch("http://public.test/").content == b"body"


# --- What must work ---


@pytest.mark.parametrize(
    "url", ["http://public.test/a?b=c&d=%20e", "HTTP://PUBLIC.TEST/a?b=c&d=%20e", "http://public.test:80/a?b=c&d=%20e"]
)
def test_ordinary_addresses_work(url, public, sink):
    sink.answers["/a?b=c&d=%20e"] = http_answer(b"fine", Content_Type="image/png; x=y")

    fetched = fetch(url)

    assert (fetched.content, fetched.content_type) == (b"fine", "image/png")


def test_international_name_and_path_work(public, sink):
    sink.answers["/%C3%BCber"] = http_answer(b"fine")

    assert fetch("http://bücher.test/über").url == "http://xn--bcher-kva.test/%C3%BCber"


def test_four_megabyte_picture_without_extension_works(public, sink):  # D32
    picture = picture_bytes("JPEG", (2400, 2400), quality=95)
    sink.answers["/picture"] = http_answer(picture)

    assert fetch("http://public.test/picture").content == picture
    assert len(picture) > 2_000_000


def test_request_says_who_we_are_and_nothing_more(public, sink, settings):
    settings.SITE_NAME, settings.SITE_URL = "Atelier\r\nX: y", "https://atelier.example"
    sink.answers["/"] = http_answer(b"x")

    with pytest.raises(FetchRefused):
        fetch("http://public.test/")
    settings.SITE_NAME = "Atelier"
    fetch("http://public.test/", referer="https://page.example/")

    assert "Accept-Encoding: identity" in sink.requests[-1]
    assert "Referer: https://page.example/" in sink.requests[-1]
    assert "User-Agent: Atelier (+https://atelier.example)" in sink.requests[-1]
    assert "Cookie" not in sink.requests[-1]


def test_proxies_of_the_environment_are_ignored(public, sink, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    sink.answers["/"] = http_answer(b"x")

    assert fetch("http://public.test/").content == b"x"


def test_loopback_server_is_reached_only_when_settings_name_it(sink, settings):
    sink.answers["/"] = http_answer(b"x")
    url = f"http://127.0.0.1:{sink.port}/"
    with pytest.raises(FetchRefused):
        fetch(url)

    settings.FETCH_TEST_ORIGINS = [f"127.0.0.1:{sink.port}"]

    assert fetch(url).content == b"x"
