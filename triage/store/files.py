"""Originals on disk under their SHA-256, written before the row that names them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path


class Files:
    """A folder of immutable files; the same bytes are kept once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Returns the SHA-256 once the bytes are on the disk, not only in its cache."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        try:
            os.utime(path)  # named anew: `remove` lets it live
            return sha256
        except FileNotFoundError:
            pass
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                os.unlink(file.name)  # on a full disk each try would fill it further
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return sha256

    def older_than(self, before: datetime) -> Iterator[str]:
        """The SHA-256 of each file last put before a time; leftovers of a write that was cut off are deleted."""
        for path in self._folder.glob("*/*"):
            try:
                if path.stat().st_mtime >= before.timestamp():
                    continue
            except FileNotFoundError:
                continue
            if len(path.name) == 64:
                yield path.name
            else:
                path.unlink(missing_ok=True)

    def remove(self, sha256: str, before: datetime) -> bool:
        """Delete a file unless it was put again since `before`, even at this very moment."""
        path = self._path(sha256)
        away = path.with_suffix(".removed")
        try:
            os.rename(path, away)
        except FileNotFoundError:
            return False
        if away.stat().st_mtime >= before.timestamp():
            os.replace(away, path)
            return False
        away.unlink()
        return True

    def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError when the file is gone, ValueError when its bytes are not what they were."""
        content = self._path(sha256).read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError(f"the stored file {sha256} has changed on the disk")
        return content
