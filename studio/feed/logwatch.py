"""Sees the logs of open runs grow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from studio.api import log_runs
from studio.api.registry import Context
from studio.db.resources import Resource
from studio.db.tables import RESOURCE, RUN
from studio.feed import messages
from studio.feed.ring import Event
from studio.feed.sight import ACTIONS, about
from studio.runners import logs

_OPEN = (
    select(RUN.c.id, RUN.c.role, RUN.c.created_at, *(RESOURCE.c[it] for it in ("kind", "name")))
    .add_columns(RESOURCE.c.arn, RESOURCE.c.owner)
    .join(RESOURCE, RUN.c.resource_id == RESOURCE.c.id)
    .where(RUN.c.phase.in_(("pending", "running")), RESOURCE.c.kind.in_(ACTIONS))
)


@dataclass(frozen=True)
class _Log:
    folder: Path
    stream: str
    subject: Resource


class LogWatch:
    """Not for several threads. It only sees runs that were open at the last `refresh`."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._open: dict[str, _Log] = {}
        self._sizes: dict[str, int] = {}

    def refresh(self) -> None:
        """Look which runs are open."""
        with self._ctx.db.read() as connection:
            self._open = {row.id: self._log(row) for row in connection.execute(_OPEN)}
        self._sizes = {run: self._sizes.get(run, 0) for run in self._open}

    def grown(self) -> Iterator[Event]:
        """The logs that have more lines than at the last look."""
        for run, each in self._open.items():
            size = logs.span(each.folder)[2]
            if size != self._sizes[run]:
                self._sizes[run] = size
                yield messages.log(each.subject, each.stream, size)

    def _log(self, row: Row[Any]) -> _Log:
        stream = log_runs.stream_name(row.kind, row.name, row.role, row.id, row.created_at)
        subject = about(row.kind, row.name, row.arn, row.owner)
        return _Log(self._ctx.settings.runs / row.id, stream, subject)
