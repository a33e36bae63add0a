"""`triage eval types`: how the words of a page tell what kind of paper it is, learnt from the documents of dev."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from eval.datasets import Case, read_message
from extractors.documents import by_title, recognise
from extractors.limits import Limits
from extractors.pdf import PdfReader
from extractors.words_of_types import Words, words_in

FOLDS = 8
STRENGTH = 20.0
FEWEST = 3  # documents that have a word, below which it says nothing


class Learnt(NamedTuple):
    """`titles` and `both` count the documents whose type is right by their titles, and with the words; the makers'
    documents are held out in turn.
    """

    words: Words
    documents: int
    titles: int
    both: int


def learn(cases: Sequence[Case], folder: Path, pdf: PdfReader) -> Learnt:
    """Fit on documents with a text of their own, as `pdf` reads them; files are in `folder`.

    Raises ValueError for too few makers.
    """
    texts, types, makers, names = [], [], [], []
    for case in cases:
        message = read_message(case, folder, Limits())
        pages = pdf.read(message.attachments[0].content).pages
        if pages and pages[0].page.text.strip() and case.documents:
            texts.append(pages[0].page.text)
            types.append(case.documents[0])
            makers.append(case.id.rstrip("0123456789-"))
            names.append(message.attachments[0].filename)
    if len(set(makers)) < FOLDS:
        raise ValueError(f"documents of {len(set(makers))} makers; {FOLDS} are needed")
    both = np.zeros(len(texts), bool)
    for train, held in GroupKFold(FOLDS).split(texts, types, makers):
        known = _fitted([texts[i] for i in train], [types[i] for i in train])
        both[held] = [recognise(texts[i], names[i], words=known)[0] == types[i] for i in held]
    titles = sum(by_title(text, name)[0] == kind for text, name, kind in zip(texts, names, types, strict=True))
    return Learnt(_fitted(texts, types), len(texts), titles, int(both.sum()))


def _fitted(texts: Sequence[str], types: Sequence[str]) -> Words:
    counted = TfidfVectorizer(analyzer=words_in, min_df=FEWEST, sublinear_tf=True)
    model = LogisticRegression(C=STRENGTH, max_iter=400).fit(counted.fit_transform(texts), types)
    words = [str(word) for word in counted.get_feature_names_out()]
    numbers = {word: n for n, word in enumerate(words)}
    return Words([str(kind) for kind in model.classes_], numbers, counted.idf_, model.coef_, model.intercept_)
