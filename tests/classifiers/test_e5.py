"""Which numbers the encoder counts in depends on the processor alone, so that one machine always answers the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from classifiers.e5 import rounds_fast


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
