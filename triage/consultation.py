"""What a language model is asked about one message, and what of its answers stands.

Each task stands by itself: an answer that fails its check costs that task alone, and the local result stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from classifiers.llm import is_unsure
from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy
from extractors.extraction import Extraction
from extractors.message import Value
from prompts import Ask, NoAnswer
from triage.llm import INVALID, LanguageModel, LlmUse
from triage.redaction import people_in
from triage.summary import Gist, ask_gist

_T = TypeVar("_T")
NAMED_PERSONS = frozenset({"driver_name", "received_by"})


class Consulted(Value):
    extraction: Extraction
    prediction: Prediction
    gist: Gist | None
    use: LlmUse


class Consultation:
    """`fill(extraction, now, ask)` and `judge(extraction, prediction, ask)` raise NoAnswer."""

    def __init__(
        self,
        model: LanguageModel,
        fill: Callable[[Extraction, datetime, Ask], Extraction],
        judge: Callable[[Extraction, Prediction, Ask], Prediction],
        taxonomy: Taxonomy,
        tasks: Collection[str],
    ) -> None:
        self._model = model
        self._fill = fill
        self._judge = judge
        self._taxonomy = taxonomy
        self._tasks = tasks

    def __call__(self, extraction: Extraction, prediction: Prediction, now: datetime) -> Consulted | None:
        """None where nothing was asked: the cascade is sure and nothing is the matter, or there is next to no text."""
        if prediction.abstained == "insufficient_evidence" and not extraction.documents:
            return None
        unsure = is_unsure(prediction)
        if not unsure and not self._taxonomy.labels[prediction.label].exception:
            return None
        found = (f.value for f in extraction.findings if f.field in NAMED_PERSONS)
        ask = self._model.conversation((*people_in(extraction.message), *found))
        gist: Gist | None = None
        try:
            if unsure and "classify" in self._tasks:
                prediction = _or_local(lambda: self._judge(extraction, prediction, ask)) or prediction
            if "extract" in self._tasks:
                extraction = _or_local(lambda: self._fill(extraction, now, ask)) or extraction
            if "summarise" in self._tasks:
                gist = _or_local(lambda: ask_gist(extraction, ask))
        except NoAnswer:
            pass  # it is away: the next question would only wait as long again
        return Consulted(extraction=extraction, prediction=prediction, gist=gist, use=ask.use)


def _or_local(asked: Callable[[], _T]) -> _T | None:
    """Raises NoAnswer only where the model is away or the budget is spent."""
    try:
        return asked()
    except NoAnswer as problem:
        if problem.code == INVALID:
            return None
        raise
