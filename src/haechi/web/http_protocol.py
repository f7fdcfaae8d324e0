"""The HTTP protocol of uvicorn with a clock: who opens a connection must soon send a whole request head."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 15.0
MOST_HEAD_BYTES = 16 * 1024
MOST_CONNECTIONS = 500  # well below the 1,024 files that many systems allow a process


class TimedProtocol(H11Protocol):
    """Closes connections whose first request head is not complete after HEAD_S seconds, and those that stay
    silent after part of a later one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._last_cycle: object = None
        self._clock = self.loop.call_later(HEAD_S, self._late)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not self._last_cycle:  # a whole head came in: its body has a clock of its own
            self._last_cycle = self.cycle
            self._clock.cancel()
        elif self.cycle is not None and self.cycle.response_complete and self._clock.cancelled():
            self._clock = self.loop.call_later(HEAD_S, self._late)  # the next head has begun

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._clock.cancel()  # the connection is another protocol's now, which asks for signs of life itself
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clock.cancel()
        super().connection_lost(exc)

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
