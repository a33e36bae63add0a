"""Which numbers the encoder counts in depends on the processor alone, so that one machine always answers the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from classifiers.e5 import LONGEST, WINDOW, Layer, load_model, rounds_fast
from classifiers.embedding import PackedLayer


@pytest.mark.parametrize(
    ("known", "fast"),
    [
        ({"cpu_name": "AMD EPYC 9354", "avx512_bf16": True, "amx_bf16": False}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False),
        ({"cpu_name": "AMD EPYC 7763", "avx512_bf16": False, "amx_bf16": False}, False),
        ({"architecture": "aarch64"}, False),
    ],
)
def test_bfloat16_is_used_where_it_is_fast(monkeypatch: pytest.MonkeyPatch, known: dict[str, Any], fast: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert rounds_fast() is fast


@pytest.mark.parametrize("tokens", [1, 47, 120])
@pytest.mark.parametrize("texts", [1, 3])
def test_a_layer_laid_out_for_speed_gives_what_it_gives_as_it_is(texts: int, tokens: int) -> None:
    torch.manual_seed(1)
    layer = Layer(hidden=384, heads=12, inner=1536, epsilon=1e-12)
    read = torch.randn(texts, tokens, 384)
    hidden = torch.rand(texts, 1, 1, tokens).lt(0.8) | torch.arange(tokens).eq(0)
    with torch.inference_mode():
        for mask in (None, hidden):
            assert torch.allclose(PackedLayer(layer)(read, mask), layer(read, mask), atol=1e-4)


def test_a_long_text_is_cut_for_its_vector_and_read_whole_in_windows() -> None:
    model = load_model(1)
    long = " ".join(f"lorry {n}" for n in range(200))
    (cut, short) = model.ids([long, "late"])
    assert len(cut) == LONGEST and cut[-1] == short[short.ne(model.padding)][-1]
    assert cut[:-1].tolist() == model.ids([long[:600]])[0][: LONGEST - 1].tolist()
    windows = model.windows(long)
    assert [len(window) for window in windows] == [WINDOW] * len(windows)
    assert windows[-1].offsets[sum(windows[-1].attention_mask) - 2][1] == len(long)
