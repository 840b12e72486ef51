"""What a control plane on PostgreSQL does because it leads: it renews its lease (studio.db.lease).

From the event loop, so that a loop that hangs is found out as well. Who has been deposed must not
act any more: it begins anew, as one who stands by.
"""

import os
import sys
from concurrent.futures import Future

import structlog
from tornado.ioloop import PeriodicCallback

from studio import leadership
from studio.db import lease
from studio.db.session import Database
from studio.server.standby import LOOKS
from studio.settings import Settings

log = structlog.get_logger()


class Leader:
    """Has the lease from construction on; `close` ends the renewing."""

    def __init__(self, db: Database, settings: Settings) -> None:
        known = leadership.leader(settings.home) or {}
        self._db = db
        self._token = db.write(lambda connection: lease.take(connection, known))
        db.fence(lease.fence(self._token, _begin_anew))
        self._renewal: Future[bool] | None = None
        self._beat = PeriodicCallback(self._renew, settings.lease_seconds / LOOKS * 1000)
        self._beat.start()
        log.info("leads", token=self._token)

    def close(self) -> None:
        self._beat.stop()

    def _renew(self) -> None:
        if self._renewal is None or self._renewal.done():
            self._renewal = self._db.submit(lambda connection: lease.renew(connection, self._token))
            self._renewal.add_done_callback(_look)


def _look(renewal: "Future[bool]") -> None:
    if renewal.exception() is None and not renewal.result():
        _begin_anew()


def _begin_anew() -> None:
    """This process from its start: no thread of it goes on, and the lock of the home is free."""
    log.warning("deposed: another control plane has led meanwhile")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
