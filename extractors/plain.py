"""Bytes and strings from outside as clean text: charsets repaired, invisible characters removed and counted."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from contextlib import suppress

from charset_normalizer import from_bytes

_NO_CHARSETS = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape"})  # slow, or they run escapes
# What people write beyond ASCII in the languages of the service: on texts as short as a driver's mail this tells the
# single-byte charsets apart where a general detector guesses wrong.
_COMMON = "€°§’‘“”„–—…«» "
_LETTERS = tuple(
    (name, frozenset(letters + letters.upper() + _COMMON))
    for name, letters in (
        ("cp1252", "äöüßéèàâêëîïôûùçñáíóúìòãõåæø¿¡ºª"),
        ("cp1250", "ąćęłńóśźżáčďéěíňřšťúůýžäöüßőű"),
        ("iso8859_2", "ąćęłńóśźżáčďéěíňřšťúůýžäöüßőű"),
        ("cp1251", "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїє"),
    )
)
_LINE_ENDS = re.compile(r"\r\n?|[\u2028\u2029\x85]")
_ZERO_WIDTH = re.compile("[\u00ad\u180e\u200b-\u200d\u2060-\u2064\ufeff\U000e0000-\U000e007f]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_C1 = re.compile("[\x80-\x9f]")
# Mailers give Windows' charsets these names; what they hold more are control characters by the name.
_WINDOWS = {"iso8859-1": "cp1252", "iso8859-2": "cp1250", "iso8859-9": "cp1254"}
_STRAY = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")


def clean(text: str, signals: Counter[str]) -> str:
    """`text` with \\n line ends and without what a reader cannot see; what was removed is counted in `signals`."""
    text = _LINE_ENDS.sub("\n", text)
    text, signals_zero_width = _ZERO_WIDTH.subn("", text)
    text, signals_bidi = _BIDI.subn("", text)
    signals.update({k: n for k, n in {"zero_width": signals_zero_width, "bidi": signals_bidi}.items() if n})
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub("", text))
    return _SPACES.sub(" ", text)


def line(text: str | None, signals: Counter[str], limit: int = 1000) -> str:
    """One clean line, as for a subject or a name."""
    return " ".join(clean((text or "")[: 4 * limit], signals).split())[:limit]


def decode(content: bytes, charset: str | None = None) -> str:
    """`content` as text whatever its declared charset: the declared one, UTF-8, the best guess, Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        charset = "utf-16"
    if (charset or "").lower().replace("-", "_") in _NO_CHARSETS:
        charset = None
    for name in ("utf-8-sig", charset):  # UTF-8 first: text that is valid UTF-8 is never meant as anything else
        if name is None or (name == "utf-8-sig" and (charset or "").lower().startswith(("utf-16", "iso-2022"))):
            continue
        try:
            text = content.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
        windows = _WINDOWS.get(codecs.lookup(name).name)
        if windows and _C1.search(text):
            with suppress(UnicodeError):
                return content.decode(windows)
        return text
    if (mended := _mostly_utf_8(content)) is not None:
        return mended
    sample = content[:20_000]
    guesses = [(_expected(sample.decode(name, "replace"), letters), name) for name, letters in _LETTERS]
    share, likely = max(guesses, key=lambda guess: guess[0])
    if share < 0.9 and (best := from_bytes(sample).best()):
        likely = best.encoding
    for name in (likely, "cp1252"):
        try:
            return content.decode(name)
        except (UnicodeError, LookupError):
            continue
    return content.decode("latin-1")


def _mostly_utf_8(content: bytes) -> str | None:
    """UTF-8 in which a few bytes are not: cut within a letter, or with a line in another charset put below it."""
    text = content.decode("utf-8", "surrogateescape")
    foreign = [c for c in text if c > "\x7f"]
    strays = sum(1 for c in foreign if "\udc80" <= c <= "\udcff")
    if strays * 2 > len(foreign):  # other charsets rarely hold what could be a letter of UTF-8
        return None
    return _STRAY.sub(lambda m: bytes([ord(m[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _expected(text: str, letters: frozenset[str]) -> float:
    """The share of `letters` among the characters beyond ASCII."""
    foreign = [c for c in text if c > "\x7f"]
    return sum(1 for c in foreign if c in letters) / len(foreign) if foreign else 1.0
