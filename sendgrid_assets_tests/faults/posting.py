"""SendGrid's side: signed POSTs from many clients at once, and what was answered to each.

Belongs here: HTTP as a client speaks it, and keeping count. Does not: the receiver.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sendgrid_assets_tests.webhook.conftest import Signer

from .invariant import Told
from .traffic import Batch


@dataclass
class Answers:
    """What came of the POSTs.

    Attributes:
        statuses: how often each status was answered.
        seconds: how long each 2xx took.
        unanswered: batches to which no 2xx came: a sender sends them again.
        first: when the first 2xx came (`time.monotonic`); None if none did.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    unanswered: list[Batch] = field(default_factory=list)
    first: float | None = None


class Sender:
    """Posts to one receiver's port, and notes in `told` what was sent and acknowledged."""

    def __init__(self, port: int, signer: Signer, told: Told) -> None:
        self._port, self._signer, self._told = port, signer, told
        self._ending = False

    def pour(self, batches: Iterator[Batch], *, clients: int, seconds: float) -> Answers:
        """Posts from so many clients until the batches end, the time is over, or nobody answers any more."""
        return asyncio.run(self.pouring(batches, clients=clients, seconds=seconds))

    async def pouring(self, batches: Iterator[Batch], *, clients: int, seconds: float) -> Answers:
        """As `pour`, within a loop."""
        answers, until = Answers(), time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(clients):
                group.create_task(self._client(batches, answers, until))
        return answers

    async def _client(self, batches: Iterator[Batch], answers: Answers, until: float) -> None:
        stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for batch in batches:
            begun = time.monotonic()
            answered = 0
            try:
                stream = stream or await asyncio.open_connection("127.0.0.1", self._port)
                self._told.send(batch.keys)
                async with asyncio.timeout(30):
                    answered, lasts = await self._post(stream, batch)
            except (OSError, EOFError, TimeoutError):
                # The receiver is dead: there is nobody to send the rest to.
                answers.unanswered.append(batch)
                break
            now = time.monotonic()
            answers.statuses[answered] += 1
            if 200 <= answered < 300:
                self._told.acknowledge(batch.keys)
                answers.seconds.append(now - begun)
                answers.first = answers.first or now
            else:
                answers.unanswered.append(batch)
            if not lasts:
                stream[1].close()
                stream = None
            if now > until:
                break
        if stream:
            stream[1].close()

    async def _post(
        self, stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], batch: Batch
    ) -> tuple[int, bool]:
        reader, writer = stream
        headers = self._signer.headers(batch.body) | {
            "Host": "127.0.0.1",
            "Content-Length": str(len(batch.body)),
            "Content-Type": "application/json",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST /webhooks/sendgrid HTTP/1.1\r\n{head}\r\n".encode() + batch.body)
        await writer.drain()
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "content-length: " in answer:
            await reader.readexactly(int(answer.split("content-length: ")[1].split("\r\n")[0]))
        return int(answer.split(" ", 2)[1]), "connection: close" not in answer
