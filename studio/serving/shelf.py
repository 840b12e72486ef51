"""Which models a server has, and which of them go when another comes. Pure: front.py acts."""

from collections import OrderedDict
from dataclasses import dataclass, field

_MOST_REMEMBERED = 20_000


@dataclass(slots=True, eq=False)
class Model:
    """A model that the server has, or is about to have."""

    target: str
    """The TargetModel of requests."""
    name: str
    """What the server calls it, and its folder."""
    etag: str
    memory: int
    """Bytes that it takes, as far as anybody knows."""
    ready: bool = False
    in_flight: int = 0
    """Requests that it has; it is unloaded when there are none."""
    checked: float = 0.0
    """When its artifact was last looked at, by the monotonic clock."""


@dataclass(slots=True)
class Record:
    """What became of one TargetModel since the front began, loaded or not."""

    invocations: int = 0
    hits: int = 0
    """Invocations that found it loaded."""
    errors: int = 0
    loads: int = 0
    last_used: int | None = None
    """UTC milliseconds."""
    problem: str = ""
    """Why it could not be loaded the last time."""


@dataclass
class Shelf:
    """The models by their targets, the one longest not used first.

    `bytes` and `count` are how much there may be of them together; 0: any number.
    """

    bytes: int
    count: int
    pinned: frozenset[str] = frozenset()
    records: OrderedDict[str, Record] = field(default_factory=OrderedDict)
    _models: OrderedDict[str, Model] = field(default_factory=OrderedDict)

    def use(self, target: str) -> Model | None:
        """The model, if it is loaded; it is now the one that was used last."""
        model = self._models.get(target)
        if model is None or not model.ready:
            return None
        self._models.move_to_end(target)
        return model

    def models(self) -> list[Model]:
        """All of them, also those that are being loaded."""
        return list(self._models.values())

    def loaded(self) -> int:
        """How many are ready."""
        return sum(model.ready for model in self._models.values())

    def put(self, model: Model) -> Model | None:
        """Have `model` from now on; the one that it takes the place of, if there is one."""
        before = self._models.pop(model.target, None)
        self._models[model.target] = model
        return before

    def drop(self, model: Model) -> None:
        """Have it no more."""
        if self._models.get(model.target) is model:
            del self._models[model.target]

    def victims(self, memory: int) -> list[Model] | None:
        """Whom to unload so that a model of so many bytes has room; None when that cannot be.

        Those without requests go first; what is pinned, or not loaded yet, stays.
        """
        free = [it for it in self._models.values() if it.ready and it.target not in self.pinned]
        order = sorted(free, key=lambda model: model.in_flight > 0)
        used, number = sum(it.memory for it in self._models.values()), len(self._models)
        chosen: list[Model] = []
        while not self._fits(used + memory, number + 1):
            if len(chosen) == len(order):
                # One that is larger than all there is may still be tried, alone.
                return chosen if number == 0 else None
            chosen.append(order[len(chosen)])
            used -= chosen[-1].memory
            number -= 1
        return chosen

    def oldest(self) -> Model | None:
        """Who goes when the server itself says that it has no room."""
        free = [it for it in self._models.values() if it.ready and it.target not in self.pinned]
        return min(free, key=lambda model: model.in_flight > 0, default=None)

    def record(self, target: str) -> Record:
        """What is remembered of a target."""
        known = self.records.get(target)
        if known is None:
            known = self.records[target] = Record()
            if len(self.records) > _MOST_REMEMBERED:
                self.records.popitem(last=False)
        return known

    def _fits(self, memory: int, number: int) -> bool:
        return (not self.bytes or memory <= self.bytes) and (not self.count or number <= self.count)
