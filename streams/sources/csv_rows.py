"""Rows of a CSV file, plain or gzip, with what is wrong with a row told apart from what is wrong with the file.

A file that is none of ours (missing, another format, another encoding, columns missing) is a SourceError; a
row that is broken is a row all the same, so that somebody accounts for it.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.profile.problems import instead
from streams.sources.contract import SourceError

_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip or Excel file", "unpack it, or save it as CSV"),
    b"\xd0\xcf\x11\xe0": ("an Excel file", "save it as CSV"),
    b"\x28\xb5\x2f\xfd": ("zstd", "decompress it first: zstd -d FILE"),
    b"\xff\xfe": ("UTF-16 text", "save it as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "save it as UTF-8"),
}
_BROKEN_LOOKED_AT, _BROKEN_SHARE = 2000, 0.2
"""So many rows at the beginning tell whether the encoding is another one."""
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `broken` rows have no usable values."""

    line: int
    """Line of the file that it ends on, from 1; the header is line 1."""
    values: Sequence[str]
    broken: bytes | None = None
    """The row's bytes, where they are no text in the file's encoding or no CSV."""


class CsvRows:
    """The rows of one file: iterate once; `columns` first."""

    def __init__(self, path: Path, encoding: str, delimiter: str, needed: Sequence[str]) -> None:
        """SourceError when the file cannot be read at all, or lacks one of the `needed` columns."""
        self.path = path
        self._encoding = encoding
        self._delimiter = delimiter
        self.truncated = ""
        """Where a compressed file ends too early, or is damaged: what is wrong."""
        self._compressed = _is_gzip(path)
        self._check_encoding()
        self.columns = self._header(needed)

    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def __iter__(self) -> Iterator[Row]:
        rows = self._rows()
        next(rows, None)
        return rows

    def _rows(self) -> Iterator[Row]:
        line = 0
        reader = csv.reader(self._lines(), delimiter=self._delimiter)
        while True:
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error:
                line = reader.line_num
                yield Row(line, (), f"line {line} is no CSV".encode())
                continue
            line = reader.line_num
            if not values:
                continue  # an empty line holds no row
            text = self._delimiter.join(values)
            # A byte that is not of the encoding came in as a lone surrogate.
            if not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text):
                yield Row(line, (), text.encode(self._codec, "surrogateescape"))
            else:
                yield Row(line, values)

    @property
    def _codec(self) -> str:
        return "utf-8" if self._encoding == "utf-8-sig" else self._encoding

    def _lines(self) -> Iterator[str]:
        """Lines of text, with ends, as far as the file can be read."""
        with self._open() as file:
            text = io.TextIOWrapper(file, self._encoding, errors="surrogateescape", newline="")
            try:
                yield from text
            except EOFError:
                self.truncated = "the compressed file is cut off"
            except (zlib.error, gzip.BadGzipFile) as error:
                self.truncated = f"the compressed file is damaged ({error})"
            except UnicodeError as error:
                self.truncated = f"the text is not {self._encoding} ({error})"

    def _open(self) -> gzip.GzipFile | io.BufferedReader:
        return gzip.open(self.path) if self._compressed else self.path.open("rb")

    def _check_encoding(self) -> None:
        with self._open() as file:
            try:
                sample = file.read(1 << 20)
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                if isinstance(error, gzip.BadGzipFile):
                    raise SourceError(self.path, f"is no gzip file ({error})", "compress it again") from None
                return
        lines = sample.split(b"\n")[:_BROKEN_LOOKED_AT]
        lines = lines[:-1] or lines  # the last one may be cut
        broken = [number for number, line in enumerate(lines, 1) if not _decodes(line, self._encoding)]
        if broken and (broken[0] == 1 or len(broken) > _BROKEN_SHARE * len(lines)):
            fitting = [e for e in _ENCODINGS if e != self._encoding and _decodes(b"\n".join(lines), e)]
            hint = f"write `encoding: {fitting[0]}` in the profile's mapping" if fitting else "save it as UTF-8"
            raise SourceError(f"{self.path}:{broken[0]}", f"the text is not {self._encoding}", hint)

    def _header(self, needed: Sequence[str]) -> dict[str, int]:
        row = next(self._rows(), None)
        if row is None:
            what = self.truncated or "no header and no rows"
            raise SourceError(self.path, what, "give a CSV whose first line names its columns")
        names = [name.strip() for name in row.values]
        where = f"{self.path}:1"
        problems = []
        for name in needed:
            if names.count(name) == 1:
                continue
            if name in names:
                problems.append(f"column {name!r} is there {names.count(name)} times")
            else:
                problems.append(f"no column {name!r}: {instead(name, names)[1]}")
        if problems:
            what = "; ".join(problems)
            raise SourceError(where, what, f"or correct the profile's mapping (delimiter {self._delimiter!r})")
        return {name: number for number, name in enumerate(names)}


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_gzip(path: Path) -> bool:
    try:
        if not path.is_file():
            path.stat()
            raise SourceError(path, "is a directory" if path.is_dir() else "is no regular file", "give a CSV file")
        with path.open("rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        raise SourceError(path, "no such file", "give the path of a CSV (*.csv or *.csv.gz)") from None
    except OSError as error:
        raise SourceError(path, f"cannot be read ({error.strerror})", "check its permissions") from None
    for magic, (what, hint) in _OTHER_FORMATS.items():
        if head.startswith(magic):
            raise SourceError(path, f"is {what}, not CSV", hint.replace("FILE", str(path)))
    if head.startswith(_GZIP):
        return True
    if path.suffix == ".gz":
        raise SourceError(path, "is not gzip", "rename it to *.csv if it is plain text")
    return False
