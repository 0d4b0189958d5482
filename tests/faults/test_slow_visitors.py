"""What one visitor does to the site of everybody else, seen from outside."""

import http.client
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests import processes

CONNECTIONS = 100
HALF = (
    b"POST /account/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername="
)
LARGE = (
    b"POST /images/create/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\nCookie: sessionid=abcdefgh\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
)


@pytest.fixture
def address(transactional_db):
    with processes.site() as running:
        place = urlsplit(running.url)
        yield place.hostname, place.port


def connected(address, stack, data):
    connection = stack.enter_context(socket.create_connection(address, timeout=60))
    connection.sendall(data)
    return connection


def status_of(address, path):
    connection = http.client.HTTPConnection(*address, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_forms_that_never_end_hold_up_nobody(address):
    with ExitStack() as stack:
        for _number in range(CONNECTIONS):
            connected(address, stack, HALF)
            connected(address, stack, b"GET / HTTP/1.1\r\nHost: ")
        time.sleep(0.5)  # long enough for each to take a thread, if it could

        assert [status_of(address, path) for path in ("/blog/", "/healthz", "/blog/", "/shop/?page=2")] == [200] * 4


def test_an_upload_by_a_stranger_is_refused_unread_and_with_words(address):
    with ExitStack() as stack:
        connection = connected(address, stack, LARGE)
        answer = http.client.HTTPResponse(connection)
        answer.begin()

        assert answer.status == 413
        assert "only members may send one" in answer.read().decode()
