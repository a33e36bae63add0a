"""Our encoder's weights in transformers' BertModel under sentence-transformers: what our own lines must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from transformers import BertConfig, BertModel

from classifiers.e5 import DIMENSIONS, E5

_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attended_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "outer_norm": "output.LayerNorm",
}


def through_libraries(ours: E5) -> SentenceTransformer:
    """The same model, in float32."""
    return SentenceTransformer(modules=[_Bert(ours), Pooling(DIMENSIONS), Normalize()], device="cpu")


class _Bert(InputModule):
    def __init__(self, ours: E5) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        state = ours.state_dict()
        config = BertConfig(
            vocab_size=1,  # the words' vectors are handed in
            hidden_size=DIMENSIONS,
            num_hidden_layers=len(ours.layers),
            num_attention_heads=12,
            intermediate_size=4 * DIMENSIONS,
            max_position_embeddings=len(ours.places),
            type_vocab_size=1,
            layer_norm_eps=1e-12,
        )
        self.bert = BertModel(config, add_pooling_layer=False)
        theirs = {
            "embeddings.word_embeddings.weight": torch.zeros(1, DIMENSIONS),
            "embeddings.position_embeddings.weight": state["places"],
            "embeddings.token_type_embeddings.weight": torch.zeros(1, DIMENSIONS),  # ours are in the places
        } | {f"embeddings.LayerNorm.{kind}": state[f"norm.{kind}"] for kind in ("weight", "bias")}
        for layer in range(len(ours.layers)):
            for mine, name in _NAMES.items():
                for kind in ("weight", "bias"):
                    theirs[f"encoder.layer.{layer}.{name}.{kind}"] = state[f"layers.{layer}.{mine}.{kind}"]
        self.bert.load_state_dict(theirs)
        self._ours = [ours]  # in a list, so that it is no part of this module

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, torch.Tensor]:
        (ours,) = self._ours
        ids = ours.ids(inputs)
        return {"inputs_embeds": ours.words(ids), "attention_mask": ours.real(ids).long()}

    def forward(self, features: dict[str, torch.Tensor], **_: Any) -> dict[str, torch.Tensor]:
        read = self.bert(inputs_embeds=features["inputs_embeds"], attention_mask=features["attention_mask"])
        return features | {"token_embeddings": read.last_hidden_state}

    def get_embedding_dimension(self) -> int:
        return DIMENSIONS

    def save(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError
