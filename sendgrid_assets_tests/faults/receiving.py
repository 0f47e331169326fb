"""A receiver in a child: started, waited for, ended.

Belongs here: when it is ready. Does not: posting to it.
"""

from __future__ import annotations

import http.client
import signal
import time
from typing import Any

from sendgrid_assets_tests.processes import free_port
from sendgrid_assets_tests.webhook.conftest import Signer

from .nursery import Child, Nursery
from .plant import Plant


class Receiver:
    """A receiver that lands in a plant; it may die at any moment."""

    def __init__(self, nursery: Nursery, plant: Plant, signer: Signer, **how: Any) -> None:
        self.port = free_port()
        arguments = {"public_key": signer.public_key, "port": self.port} | how.pop("arguments", {})
        self.child: Child = nursery.start("receive", plant, arguments=arguments, **how)

    def ready(self, seconds: float = 30) -> bool:
        """Waits until it says that it can accept; False if it died before."""
        until = time.monotonic() + seconds
        while self.child.poll() is None:
            if self.health() == 200:
                return True
            if time.monotonic() > until:
                self.child.kill()
                raise TimeoutError(f"A receiver was not ready within {seconds} s")
            time.sleep(0.005)
        return False

    def health(self) -> int | None:
        """What /healthz answers; None when nobody does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def stop(self) -> int:
        """Ends it as an operator does; its status."""
        self.child.kill(signal.SIGTERM)
        return self.child.wait(40)
