"""Sends what was published to those who subscribed, until they take it or it is given up.

A message is in the database from its publication until its receiver answers with a status 2xx:
whenever this process ends, the next one goes on. It may arrive twice, and never not at all.
Each subscription is sent one message at a time, the oldest first.
"""

import threading
import time
from collections.abc import Callable, Collection
from functools import partial

import structlog
from sqlalchemy import Connection

from studio.db import deliveries, resources
from studio.db.deliveries import Delivery
from studio.db.resources import Doc, Resource
from studio.db.session import Database
from studio.metrics import store as metrics
from studio.metrics.rows import row
from studio.metrics.store import Batch, Metric
from studio.reconcile import posting
from studio.reconcile.posting import Bounds, Forbidden, Unanswered
from studio.settings import Settings

log = structlog.get_logger()

PAUSES = (1, 2, 4, 8, 16, 20, 20, 20, 20)
"""Seconds before each further attempt; after the last of them a message is given up."""

_MOST = 32
"""Receivers that are spoken to at once."""
_IDLE_SECONDS, _AFTER_ERROR_SECONDS = 60.0, 2.0
_AGENT = "Amazon Simple Notification Service Agent"


class Deliverer:
    """Works from construction until `close`. `ports` tells those of this machine that are Studio's
    own, to which nothing is sent; `pauses` are seconds, as PAUSES."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        ports: Callable[[], Collection[int]],
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._db, self._settings, self._ports, self._pauses = db, settings, ports, pauses
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._ending = False
        self._wake = threading.Event()
        db.watch(self._changed)
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Nobody waits for receivers: what they have not taken is sent again."""
        self._ending = True
        self._wake.set()
        self._thread.join()

    def _changed(self, notes: list[object]) -> None:
        if any(isinstance(it, deliveries.Put) for it in notes):
            self._wake.set()

    def _run(self) -> None:
        while not self._ending:
            self._wake.clear()
            try:
                pause = self._look()
            except Exception:
                log.exception("notifications not looked at")
                pause = _AFTER_ERROR_SECONDS
            self._wake.wait(pause)

    def _look(self) -> float:
        """Send what is to be sent; seconds until the next look."""
        now = _now()
        with self._lock:
            busy = set(self._busy)
        with self._db.read() as connection:
            found = deliveries.due(connection, now, busy)
            following = deliveries.next_due(connection, now)
        for each in found[: max(_MOST - len(busy), 0)]:
            with self._lock:
                self._busy.add(each.subscription_id)
            threading.Thread(target=self._deliver, args=(each,), daemon=True).start()
        if following is None:
            return _IDLE_SECONDS
        return min(max(following - _now(), 1) / 1_000, _IDLE_SECONDS)

    def _deliver(self, it: Delivery) -> None:
        try:
            self._sent(it)
        except Exception:
            if not self._ending:
                log.exception("notification not sent", message=it.message_id)
                self._put_off(it, _AFTER_ERROR_SECONDS)
        finally:
            with self._lock:
                self._busy.discard(it.subscription_id)
            self._wake.set()

    def _sent(self, it: Delivery) -> None:
        with self._db.read() as connection:
            subscription = resources.get(connection, it.subscription_id)
        if subscription is None or subscription.deleted_at is not None:
            self._db.write(partial(deliveries.drop, it=it))
            return
        # Of users only the owner of the home may have the machine spoken to: see docs/explanation.
        bounds = Bounds(machine=not subscription.owner, ports=self._ports())
        cafile = self._settings.ca_bundle or None
        url, body = subscription.spec["Endpoint"], it.body.encode()
        try:
            posting.post(url, headers(subscription, it), body, bounds, cafile)
        except (Unanswered, Forbidden) as error:
            again = isinstance(error, Unanswered) and error.again
            self._failed(subscription, it, str(error), again)
        else:
            self._done(subscription, it, "NumberOfNotificationsDelivered")

    def _failed(self, subscription: Resource, it: Delivery, reason: str, again: bool) -> None:
        told = {"topic": subscription.spec["TopicArn"], "message": it.message_id}
        if again and it.attempts < len(self._pauses):
            log.info("notification not taken", reason=reason, attempt=it.attempts + 1, **told)
            self._put_off(it, self._pauses[it.attempts])
            return
        log.warning("notification given up", reason=reason, attempts=it.attempts + 1, **told)
        self._done(subscription, it, "NumberOfNotificationsFailed")

    def _put_off(self, it: Delivery, seconds: float) -> None:
        due = _now() + int(1_000 * seconds)
        self._db.write(lambda connection: deliveries.later(connection, it, due))

    def _done(self, subscription: Resource, it: Delivery, name: str) -> None:
        def write(connection: Connection) -> None:
            if deliveries.drop(connection, it) and it.kind == "Notification":
                metrics.append(connection, [counted(subscription, name, _now())])

        self._db.write(write)


def headers(subscription: Resource, it: Delivery) -> Doc:
    """Those of the request that carries a message."""
    found = {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": _AGENT,
        "Connection": "close",
        "x-amz-sns-message-type": it.kind,
        "x-amz-sns-message-id": it.message_id,
        "x-amz-sns-topic-arn": subscription.spec["TopicArn"],
    }
    if it.kind == "Notification":
        found["x-amz-sns-subscription-arn"] = subscription.arn
    if it.raw:
        found["x-amz-sns-rawdelivery"] = "true"
    return found


def counted(of: Resource, name: str, at: int, times: int = 1) -> Batch:
    """A count of a topic, or of a topic's subscription, as CloudWatch's metric `name`."""
    topic = of.spec.get("TopicArn", of.arn).rpartition(":")[2]
    owner = of.spec.get("TopicOwner", of.owner)
    place = of.account, of.region, "AWS/SNS", name
    metric = Metric(*place, (("TopicName", topic),), owner)
    return Batch(metric, "Count", (row(at, 1.0, times),))


def _now() -> int:
    return time.time_ns() // 1_000_000
