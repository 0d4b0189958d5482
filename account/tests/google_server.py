"""Google's three addresses on loopback: log in, code for token with its proof key, and who it is."""

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import requests

REQUEST = requests.request


class GoogleServer:
    """Answers as `profile` says; `client` is the id and secret of the site that it knows, in this process or another."""

    def __init__(self, client: tuple[str, str], *, in_process: bool = True) -> None:
        self.client, self.profile = client, {}
        self.codes: dict[str, dict[str, str]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        # Nothing of ours or of social-auth is replaced: its requests go to this server instead of Google's.
        self.patch = patch("social_core.backends.base.requests.request", self._redirected)
        if in_process:
            self.patch.start()

    def close(self) -> None:
        self.patch.stop()
        self.server.shutdown()
        self.server.server_close()

    def _redirected(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        return REQUEST(method, self.here(url), **kwargs)

    def here(self, url: str) -> str:
        parts = urlsplit(url)
        assert parts.hostname in ("accounts.google.com", "www.googleapis.com", "oauth2.googleapis.com"), url
        return urlunsplit(("http", urlsplit(self.base).netloc, parts.path, parts.query, ""))

    def consent(self, url: str) -> str:
        """Do as the browser that is sent to Google, whose person agrees; return where Google sends it back."""
        answer = REQUEST("GET", self.here(url), allow_redirects=False, timeout=200)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def authorize(self, query: dict[str, str]) -> str:
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_right = (
            asked
            and asked["code_challenge_method"].upper() == "S256"
            and asked["code_challenge"] == proof
            and asked["redirect_uri"] == form["redirect_uri"]
            and (form["client_id"], form["client_secret"]) == self.client
        )
        return {"access_token": "secret-token", "token_type": "Bearer", "expires_in": 3600} if is_right else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        google = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if "userinfo" in self.path:
                    is_known = self.headers["Authorization"] == "Bearer secret-token"
                    self._answer(google.profile if is_known else None)
                else:
                    query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                    self.send_response(302)
                    self.send_header("Location", google.authorize(query))
                    self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(google.token({name: values[0] for name, values in parse_qs(body).items()}))

            def _answer(self, data: Any) -> None:
                body = json.dumps(data if data is not None else {"error": "invalid_grant"}).encode()
                self.send_response(200 if data is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler
