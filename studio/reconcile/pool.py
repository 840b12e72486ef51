"""What of the machine is free: CPUs by number, GPUs one by one, each whole or in part."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from studio.runners.base import Resources
from studio.runners.devices import Gpu


class Pool:
    """CPUs and GPUs of which some are taken. A GPU whose memory nobody knows is given whole."""

    def __init__(self, cpus: int, gpus: Sequence[Gpu]) -> None:
        self.cpus = cpus
        self._sizes = {gpu.id: max(gpu.memory_mb, 1) for gpu in gpus}
        self._room = dict(self._sizes)

    def copy(self) -> "Pool":
        """Another one with as much free, for plans."""
        made = object.__new__(Pool)
        made.cpus, made._sizes, made._room = self.cpus, self._sizes, dict(self._room)
        return made

    @property
    def gpus(self) -> int:
        """How many are free as a whole."""
        return sum(self._whole(gpu_id) for gpu_id in self._room)

    @property
    def widest(self) -> int:
        """Memory, in MiB, that is free of the GPU that has most of it."""
        return max(0, *self._room.values()) if self._room else 0

    def take(self, taken: Resources) -> None:
        self._add(taken, -1)

    def give(self, taken: Resources) -> None:
        self._add(taken, 1)

    def pick(self, wanted: Resources) -> tuple[str, ...] | None:
        """The GPUs that `wanted` may have; None when there are too few. A share goes where the
        least room is left that suffices, so that whole GPUs stay whole."""
        if not wanted.gpus:
            return ()
        if wanted.gpu_memory_mb:
            fits = [it for it in self._room if self._room[it] >= self._part(it, wanted)]
            return (min(fits, key=lambda it: self._room[it]),) if fits else None
        whole = [gpu_id for gpu_id in self._room if self._whole(gpu_id)]
        return tuple(whole[: wanted.gpus]) if len(whole) >= wanted.gpus else None

    def roomiest(self, count: int) -> tuple[str, ...]:
        """The GPUs with most room, for who does not wait."""
        return tuple(sorted(self._room, key=lambda it: -self._room[it])[:count])

    def _whole(self, gpu_id: str) -> bool:
        return self._room[gpu_id] >= self._sizes[gpu_id]

    def _part(self, gpu_id: str, wanted: Resources) -> int:
        size = self._sizes[gpu_id]
        return min(wanted.gpu_memory_mb, size) if wanted.gpu_memory_mb and size > 1 else size

    def _add(self, taken: Resources, sign: int) -> None:
        self.cpus += sign * taken.cpus
        for gpu_id in taken.gpu_ids:
            if gpu_id in self._room:  # it may have been taken out of the machine
                self._room[gpu_id] += sign * self._part(gpu_id, taken)


def dealt(parts: Iterable[Resources], gpu_ids: tuple[str, ...]) -> list[Resources]:
    """`parts` with GPUs of their own; with fewer GPUs than they want, hosts share them."""
    made, place = [], 0
    for part in parts:
        count = min(part.gpus, len(gpu_ids))
        mine = tuple(gpu_ids[(place + n) % len(gpu_ids)] for n in range(count))
        made.append(replace(part, gpu_ids=mine))
        place += count
    return made
