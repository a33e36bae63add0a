"""The child process that reads scans and pictures: as `pdf_child`, with rapidocr's models, which its wheel carries."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

sys.path.append(str(Path(__file__).resolve().parent.parent))  # last: nothing of ours may hide another module
from extractors import pdf_child

_DPI = 200
_MAX_PIXELS = 6_000_000  # of a page as it is read; A4 at 200 dpi has 3.9 million
_MAX_IMAGE_PIXELS = 60_000_000  # of a picture as it is decoded: 180 MB
_LEAST_SCORE = 0.6  # of a line; below, letters are guessed
_GOOD_SCORE = 0.85  # mean of a page that stands upright
_MAX_LINES = 2000
_DARK = 0.7  # of the paper's brightness; darker is ink
_RULE = 60.0  # points: a straight stroke as long is a rule of the form, whatever a hand may draw
_SHORTEST_RULE, _THICKEST = 22.0, 4.0  # points: of what may be a rule
_MAX_RULES = 800
_HAND = (22.0, 260.0, 90.0)  # points: least and greatest width, greatest height of a signature
_LEAST_INK = 25.0  # square points
_MAX_DRAWN = 50

Pixels = NDArray[np.uint8]
Line = tuple[NDArray[np.float64], str, float]  # corners (4, 2), text, score


def _answers(job: dict[str, Any], content: bytes) -> Iterator[dict[str, Any]]:
    if job.get("image"):
        yield from _picture(content, job["pages"])
        return
    document = pdfium.PdfDocument(content)
    for number in job["numbers"]:
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(_DPI / 72, (_MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        pixels = page.render(scale=scale).to_numpy()[:, :, :3]
        yield _page(number, np.ascontiguousarray(pixels), width, height, 1 / scale)
        page.close()
    yield {"end": True}


def _picture(content: bytes, most: int) -> Iterator[dict[str, Any]]:
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = _MAX_IMAGE_PIXELS
    try:
        picture = Image.open(io.BytesIO(content))
        count = getattr(picture, "n_frames", 1)
        yield {"count": count}
        if picture.width * picture.height > _MAX_IMAGE_PIXELS:
            raise Image.DecompressionBombWarning
        for number, frame in enumerate(ImageSequence.Iterator(picture), start=1):
            if number > most:
                yield {"end": True, "problem": f"more than {most} pages: only the first {most} were read"}
                return
            upright = ImageOps.exif_transpose(frame).convert("RGB")
            width, height = upright.size
            scale = min(1.0, (_MAX_PIXELS / (width * height)) ** 0.5)
            if scale < 1:
                upright = upright.resize((round(width * scale), round(height * scale)))
            pixels = np.asarray(upright)[:, :, ::-1]
            yield _page(number, np.ascontiguousarray(pixels), width, height, 1 / scale)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        yield {"end": True, "problem": f"a picture of more than {_MAX_IMAGE_PIXELS // 10**6} megapixels: not read"}
        return
    except (OSError, ValueError, SyntaxError, EOFError):  # what PIL raises on broken files
        yield {"end": True, "problem": "damaged"}
        return
    yield {"end": True}


def _page(number: int, pixels: Pixels, width: float, height: float, unit: float) -> dict[str, Any]:
    """`unit` is the size of a pixel on the page."""
    lines, turned = _upright(pixels)
    tilt = _tilt(lines)
    rows = _rows([line for line in lines if line[2] >= _LEAST_SCORE][:_MAX_LINES], tilt)
    text: list[str] = []
    placed: list[list[float]] = []
    at = 0
    for row in rows:
        for k, (corners, words, score) in enumerate(row):
            separator = ("\n" if text else "") if k == 0 else " "
            at += len(separator)
            box = _on_page(corners, turned, pixels.shape[1], pixels.shape[0]) * unit
            sides = (*box.min(axis=0), *box.max(axis=0))
            placed.append([at, at + len(words), *(round(float(side), 1) for side in sides), round(score, 3)])
            text += [separator, words]
            at += len(words)
    read = {"page": number, "width": width, "height": height, "text": "".join(text), "words": placed, "turned": turned}

    def boxes(found: list[NDArray[np.float64]]) -> list[list[float]]:
        sides = (_on_page(corners, turned, pixels.shape[1], pixels.shape[0]) * unit for corners in found)
        return [[round(float(side), 1) for side in (*s.min(axis=0), *s.max(axis=0))] for s in sides]

    ink = _ink(pixels, turned)
    read["tilt"] = round(tilt, 5)
    read["rules"] = boxes(_rules(ink, tilt, unit))
    read["drawn"] = boxes(_drawn(ink, [line[0] for line in lines if line[2] >= _LEAST_SCORE], unit))
    if not placed:
        read["problem"] = f"nothing can be read on page {number}"
    elif len(placed) * 2 < len(lines):
        read["problem"] = f"page {number} can be read in part only"
    return read


def _ink(pixels: Pixels, turned: int) -> NDArray[np.uint8]:
    """1 where the upright page is darker than its paper."""
    dark = np.ascontiguousarray(np.rot90(pixels, turned)).min(axis=2)
    ink: NDArray[np.uint8] = (dark < _DARK * np.median(dark)).astype(np.uint8)
    return ink


def _point(unit: float) -> float:
    return 1 / unit if unit < 1 else _DPI / 72  # a picture has pixels and no points


def _rules(ink: NDArray[np.uint8], tilt: float, unit: float) -> list[NDArray[np.float64]]:
    """Corners of the form's lines on the upright page, where they would stand if it lay straight."""
    import cv2  # comes with rapidocr

    height, width = ink.shape
    level = np.array([[1.0, tilt, 0.0], [-tilt, 1.0, 0.0]], np.float32)
    ink = np.asarray(cv2.warpAffine(ink, level, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
    point = _point(unit)
    reach, thick = round(_SHORTEST_RULE * point), _THICKEST * point
    boxes = []
    for kernel, across in ((np.ones((1, reach), np.uint8), 3), (np.ones((reach, 1), np.uint8), 2)):
        joined = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel), np.ones((3, 3), np.uint8))
        _, _, found, _ = cv2.connectedComponentsWithStats(joined)
        for component in found[1:]:
            left, top, wide, high, _ = component
            if component[across] <= thick:
                boxes.append(np.array([[left, top], [left + wide, top + high]], np.float64))
    return boxes[:_MAX_RULES]


def _drawn(ink: NDArray[np.uint8], lines: list[NDArray[np.float64]], unit: float) -> list[NDArray[np.float64]]:
    """Corners of what may be signatures: ink that is neither read nor a rule of the form, as wide as a hand writes."""
    import cv2  # comes with rapidocr

    ink = ink.copy()
    point = _point(unit)
    reach = round(_RULE * point)
    for kernel in (np.ones((1, reach), np.uint8), np.ones((reach, 1), np.uint8)):
        rules = cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, kernel), np.ones((5, 5), np.uint8))
        ink[rules > 0] = 0
    for corners in lines:
        (left, top), (right, bottom) = corners.min(axis=0).astype(int), corners.max(axis=0).astype(int)
        ink[max(0, top) : bottom + 1, max(0, left) : right + 1] = 0
    joined = cv2.dilate(ink, np.ones((round(2 * point), round(4 * point)), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(joined)
    boxes = []
    for left, top, width, height, _ in found[1:]:
        inked = int(ink[top : top + height, left : left + width].sum()) / point**2
        least, widest, tallest = _HAND
        if least < width / point < widest and 8 < height / point < tallest and inked > _LEAST_INK:
            boxes.append(np.array([[left, top], [left + width, top + height]], np.float64))
    return boxes[:_MAX_DRAWN]


_engine: Any = None


def _read(pixels: Pixels) -> list[Line]:
    global _engine
    if _engine is None:
        from rapidocr import RapidOCR

        threads = "EngineConfig.onnxruntime.intra_op_num_threads"
        between = "EngineConfig.onnxruntime.inter_op_num_threads"
        _engine = RapidOCR(params={"Global.log_level": "critical", "Global.text_score": 0.3, threads: 1, between: 1})
    found = _engine(pixels, use_cls=False)
    if found.boxes is None:
        return []
    return [
        (np.asarray(box, np.float64), " ".join(text.split()), float(score))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if text.strip()
    ]


def _upright(pixels: Pixels) -> tuple[list[Line], int]:
    """The lines of the page the right way up, and by how many quarter turns (counterclockwise) it got there."""
    lines = _read(pixels)
    turned = 0
    standing = [line for line in lines if len(line[1]) > 2 and _tall(line[0])]
    if len(standing) * 2 > sum(len(line[1]) > 2 for line in lines) > 0:
        turned = 1
        lines = _read(np.ascontiguousarray(np.rot90(pixels, turned)))
    if lines and _mean_score(lines) < _GOOD_SCORE:
        other = _read(np.ascontiguousarray(np.rot90(pixels, turned + 2)))
        if _mean_score(other) > _mean_score(lines):
            lines, turned = other, turned + 2
    return lines, turned


def _tall(corners: NDArray[np.float64]) -> bool:
    width, height = np.ptp(corners, axis=0)
    return bool(height > 1.5 * width)


def _mean_score(lines: list[Line]) -> float:
    letters = sum(len(text) for _, text, _ in lines)
    return sum(score * len(text) for _, text, score in lines) / letters if letters else 0.0


def _tilt(lines: list[Line]) -> float:
    """By how much of their length lines sink towards the right."""
    long = [corners for corners, text, _ in lines if len(text) >= 8]
    return float(np.median([(c[1, 1] - c[0, 1]) / max(1.0, c[1, 0] - c[0, 0]) for c in long])) if long else 0.0


def _rows(lines: list[Line], tilt: float) -> list[list[Line]]:
    """From top to bottom, and from left to right where they stand side by side, however the page is tilted."""
    level = {id(line): line[0][:, 1] - tilt * line[0][:, 0] for line in lines}
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(level[id(line)].mean())):
        first = level[id(rows[-1][0])] if rows else None
        if first is not None and first.min() <= level[id(line)].mean() <= first.max():
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: float(line[0][:, 0].min())) for row in rows]


def _on_page(corners: NDArray[np.float64], turned: int, width: int, height: int) -> NDArray[np.float64]:
    """Corners on the page turned counterclockwise by so many quarters, as corners on the page as it was."""
    x, y = corners[:, 0], corners[:, 1]
    match turned % 4:
        case 1:
            x, y = width - y, x
        case 2:
            x, y = width - x, height - y
        case 3:
            x, y = y, height - x
    return np.stack([x, y], axis=1)


if __name__ == "__main__":
    pdf_child.serve(_answers)
