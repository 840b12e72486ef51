"""A prediction in three steps, so that the rows of several requests are predicted at once.

It knows no algorithm. Only models that predict each row by itself, to the last digit, are joined.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from studio.algorithms.batching import Outcome
from studio.algorithms.server import Answer, Invocation


@dataclass(frozen=True)
class Question:
    """What a request asks: `rows`, dense or CSR `[n, d]`, and the content type of the answer."""

    rows: Any
    reply: str


@dataclass(frozen=True)
class Steps:
    """A model. `read` raises RequestError."""

    read: Callable[[Invocation], Question]
    compute: Callable[[Any], Any]
    """Rows `[n, d]` -> predictions, an array whose first dimension is n."""
    write: Callable[[Any, str], Answer]
    """Predictions, and the content type that is wanted."""

    def predict(self, invocation: Invocation) -> Answer:
        """One request by itself. Raises RequestError."""
        question = self.read(invocation)
        return self.write(self.compute(question.rows), question.reply)

    def together(self, invocations: Sequence[Invocation]) -> list[Outcome]:
        """Each of the requests as `predict` answers it; a bad one harms no other."""
        outcomes: dict[int, Outcome] = {}
        groups: defaultdict[Any, list[tuple[int, Question]]] = defaultdict(list)
        for number, invocation in enumerate(invocations):
            try:
                question = self.read(invocation)
            except Exception as error:
                outcomes[number] = error
            else:
                groups[_alike(question.rows)].append((number, question))
        for group in groups.values():
            questions = [question for _, question in group]
            found = self._answers(questions)
            outcomes.update(zip((number for number, _ in group), found, strict=True))
        return [outcomes[number] for number in range(len(invocations))]

    def _answers(self, questions: list[Question]) -> list[Outcome]:
        if len(questions) == 1:
            return [self._answer(questions[0])]
        try:
            predictions = self.compute(_joined([it.rows for it in questions]))
        except Exception:
            return [self._answer(it) for it in questions]
        ends = np.cumsum([it.rows.shape[0] for it in questions])[:-1]
        parts = np.split(predictions, ends)
        return [self._written(part, it.reply) for part, it in zip(parts, questions, strict=True)]

    def _answer(self, question: Question) -> Outcome:
        try:
            return self.write(self.compute(question.rows), question.reply)
        except Exception as error:
            return error

    def _written(self, predictions: Any, reply: str) -> Outcome:
        try:
            return self.write(predictions, reply)
        except Exception as error:
            return error


def _alike(rows: Any) -> tuple[bool, int, Any]:
    """The same for rows that can be joined."""
    return sparse.issparse(rows), rows.shape[1], rows.dtype


def _joined(blocks: list[Any]) -> Any:
    return sparse.vstack(blocks, "csr") if sparse.issparse(blocks[0]) else np.concatenate(blocks)
