"""A small HTTP client on kept connections, as a proxy in front of the site has them."""

import asyncio
import gzip
import time
from dataclasses import dataclass

SECONDS_IDLE = 3.0  # the site closes a connection on which it has heard nothing for ten


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: str

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def cookies(self) -> dict[str, str]:
        pairs = (value.partition(";")[0].partition("=") for key, value in self.headers if key == "set-cookie")
        return {name: value for name, _, value in pairs}


class Pool:
    """As many connections as requests are under way at once, up to `most`; the rest wait for one."""

    def __init__(self, port: int, most: int) -> None:
        self.port, self.free = port, asyncio.Semaphore(most)
        self.idle: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, method: str, address: str, headers: dict[str, str], body: str = "") -> Answer:
        lines = [f"{method} {address} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
        message = "\r\n".join([*lines, "", body]).encode()
        async with self.free:
            reader, writer = await self._connection()
            writer.write(message)
            answer = await _read(reader)
            self.idle.append((time.monotonic(), reader, writer))
            return answer

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self.idle:
            since, reader, writer = self.idle.pop()
            if time.monotonic() - since < SECONDS_IDLE:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        for _, _, writer in self.idle:
            writer.close()
        self.idle.clear()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    named = dict(headers)
    if named.get("transfer-encoding") == "chunked":
        raw = await _chunks(reader)
    else:
        raw = await reader.readexactly(int(named.get("content-length", 0)))
    text = gzip.decompress(raw) if named.get("content-encoding") == "gzip" else raw
    return Answer(int(head[0].split()[1]), headers, text.decode(errors="replace"))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
