"""Stripe's form encoding, nested by brackets, and its errors."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ApiError(Exception):
    """An answer other than 200, in the shape the SDK turns into its own exceptions."""

    def __init__(
        self, status: int, message: str, *, kind: str = "invalid_request_error", code: str = "", param: str = ""
    ) -> None:
        self.status = status
        self.body: dict[str, Any] = {"error": {"type": kind, "message": message}}
        if code:
            self.body["error"]["code"] = code
        if param:
            self.body["error"]["param"] = param
        super().__init__(message)


def parse(encoded: str) -> dict[str, Any]:
    """Return `a[b][0][c]=d` as {"a": {"b": [{"c": "d"}]}}."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        match = KEY.fullmatch(key)
        if match is None:
            raise ApiError(400, f"Invalid parameter name: {key}", param=key)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ApiError(400, f"Invalid {match[1]}", param=match[1])
        # `expand[]=x` counts up; everything else names its index or key.
        node[path[-1] or str(len(node))] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def required(params: dict[str, Any], name: str) -> Any:
    if not params.get(name):
        raise ApiError(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    return params[name]


def integer(value: Any, param: str, *, least: int = 0) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", str(value)):
        raise ApiError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    if int(value) < least:
        raise ApiError(
            400,
            f"This value must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=param,
        )
    return int(value)


def address(value: Any, param: str) -> str:
    """Refuse what is neither https nor on this machine, as Stripe does in live mode."""
    parts = urlsplit(str(value))
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return str(value)
    raise ApiError(400, "Not a valid URL", code="url_invalid", param=param)


def refuse_unknown(params: dict[str, Any], known: frozenset[str]) -> None:
    for name in params:
        if name not in known:
            raise ApiError(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def known(table: dict[str, dict[str, Any]], kind: str, identity: str) -> dict[str, Any]:
    try:
        return table[identity]
    except KeyError:
        raise ApiError(404, f"No such {kind}: '{identity}'", code="resource_missing", param="id") from None
