"""YAML files -> one plain structure that remembers where everything was written.

Works on ruamel's node graph (marks on every node, duplicate keys still visible) rather than on constructed
objects, so that all problems of all files can be told at once. All files of a folder are parts of one
mapping: a city may write one file or ten, under any names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from streams.profile.problems import Problem, Words, printable

Path = tuple[str | int, ...]
"""Where a value lies in the structure: ("counties", "511102", "name")."""

MOST_BYTES = 1 << 20
_MOST_NODES = 100_000
_DEEPEST = 20
_TAG = "tag:yaml.org,2002:"


class WrittenInt(int):
    """A whole number that remembers how it was written: 01 and 511102 are also codes."""

    text: str

    def __new__(cls, text: str) -> "WrittenInt":
        made = super().__new__(cls, int(text.replace("_", ""), 0 if re.match("[-+]?0[ox]", text) else 10))
        made.text = text
        return made


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int
    column: int


@dataclass
class Document:
    """The merged data of a profile's files, the place of every key and value, and what was wrong so far."""

    start: Place
    """Where to point when something is missing altogether."""
    data: dict[str, object] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: bool = False
    """A file could not be read at all: what seems to be missing may be in it."""

    def key_place(self, path: Path) -> Place:
        """Where the key of a path is written, or the nearest thing above it."""
        for end in range(len(path), 0, -1):
            place = self.keys.get(path[:end]) or self.values.get(path[:end])
            if place is not None:
                return place
        return self.start

    def value_place(self, path: Path) -> Place:
        """Where the value of a path is written, or the nearest thing above it."""
        if path not in self.values and path and path[-1] == 0:
            path = path[:-1]  # one value in place of a list of one
        return self.values.get(path) or self.key_place(path)

    def report(self, place: Place, words: Words) -> None:
        """Note a problem at a place."""
        zh, en = (printable(text) for text in words)
        self.problems.append(Problem(place.file, place.line, place.column, zh, en))

    def at_key(self, path: Path, words: Words) -> None:
        """Note a problem at a key."""
        self.report(self.key_place(path), words)

    def at_value(self, path: Path, words: Words) -> None:
        """Note a problem at a value."""
        self.report(self.value_place(path), words)

    def mapping(self, *path: str | int) -> Mapping[str, object]:
        """The mapping at a path; empty where there is none."""
        found = self._find(path)
        return found if isinstance(found, Mapping) else {}

    def sequence(self, *path: str | int) -> Sequence[object]:
        """The list at a path, a single value as a list of one; empty where there is none."""
        found = self._find(path)
        if isinstance(found, list):
            return found
        return [] if found is None or isinstance(found, Mapping) else [found]

    def text(self, *path: str | int) -> str | None:
        """The text at a path, a number as it was written; None where there is none."""
        found = self._find(path)
        return found.text if isinstance(found, WrittenInt) else found if isinstance(found, str) else None

    def _find(self, path: Iterable[str | int]) -> object:
        found: object = self.data
        for step in path:
            if isinstance(found, Mapping) and isinstance(step, str):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
            elif step != 0 or isinstance(found, Mapping | list):
                return None
        return found


def read(files: Iterable[tuple[str, bytes]], start: Place) -> Document:
    """Merge files, given as (shown name, content), into one document."""
    document = Document(start)
    for name, content in files:
        text = _decode(document, name, content)
        node = None if text is None else _compose(document, name, text)
        if node is not None:
            _Builder(document, name).add(node)
    return document


def _decode(document: Document, file: str, content: bytes) -> str | None:
    if len(content) > MOST_BYTES:
        document.broken = True
        size = f"{len(content) / MOST_BYTES:.1f} MiB"
        words = (f"文件过大（{size}），最多 1 MiB", f"the file is too large ({size}); at most 1 MiB")
        document.report(Place(file, 1, 1), words)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        document.broken = True
        before = content[: error.start].decode("utf-8-sig", "replace")
        place = Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        document.report(place, ("不是 UTF-8 编码，请另存为 UTF-8", "not UTF-8 text; save the file as UTF-8"))
        return None


_SYNTAX: tuple[tuple[str, Words], ...] = (
    (r"character '\\t'", ("缩进中有制表符，请改用空格", "a tab in the indentation; use spaces")),
    (
        r"mapping values are not allowed|expected <block end>|did not find expected",
        (
            "缩进不对齐，或值中含冒号而未加引号；同级的项左端对齐，含冒号的值加引号",
            "wrong indentation, or a value with a colon and no quotes; align the keys, quote the value",
        ),
    ),
    (
        r"could not find expected ':'",
        ("这一行缺少冒号；写成“名称: 值”，冒号后空一格", "no colon in this line; write `key: value`"),
    ),
    (
        r"undefined alias",
        ("引用了没有定义的锚点；先用 &名称 定义", "an alias without its anchor; define it first with &name"),
    ),
    (r"end of stream", ("引号没有配对，请补上右引号", "a quote is not closed; write the closing quote")),
    (r"expected ',' or", ("方括号或花括号没有配对，请补上", "a bracket or brace is not closed; write it")),
    (r"another document", ("一个文件里有两份文档；删去多余的 ---", "two documents in one file; remove the second ---")),
    (
        r"cannot start any token",
        ("这个字符不能作值的开头，请给值加引号", "a value cannot start with this character; put it in quotes"),
    ),
)


def _compose(document: Document, file: str, text: str) -> Node | None:
    place = Place(file, 1, 1)
    try:
        # typ="safe" resolves tags by YAML 1.2; composing stops before anything is constructed.
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = Place(file, mark.line + 1, mark.column + 1)
        problem = error.problem or error.context or "syntax error"
        words = next((words for pattern, words in _SYNTAX if re.search(pattern, problem)), None)
        words = words or ("YAML 语法错误；请检查引号、括号与缩进", "not YAML; check quotes, brackets and indentation")
        detail = re.sub(r"\s+", " ", problem)[:120]
        document.report(place, (words[0], f"{words[1]} ({detail})"))
    except ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        place = Place(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        words = ("含不可见的控制字符，请删去", "an invisible control character; remove it")
        document.report(place, words)
    except RecursionError:
        document.report(place, ("嵌套过深，请减少层数", "nested too deep; use fewer levels"))
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        # ruamel's parser trips over some broken input with errors of its own making.
        words = ("YAML 语法错误；请检查引号、括号与缩进", f"not YAML ({type(error).__name__}); check the syntax")
        document.report(place, words)
    else:
        if node is None:
            document.report(
                place, ("文件是空的；写入内容，或删去这个文件", "the file is empty; write something or remove it")
            )
        return node
    document.broken = True
    return None


class _Builder:
    """Builds plain data from one file's nodes and notes where each came from."""

    def __init__(self, document: Document, file: str) -> None:
        self._document = document
        self._file = file
        self._left = _MOST_NODES
        self._full = False

    def add(self, node: Node) -> None:
        if not isinstance(node, MappingNode):
            words = ("文件应是“名称: 值”的对照", "the file must hold `key: value` lines at its top")
            self._document.report(self._place(node), words)
            return
        document = self._document
        for name, key, value in self._pairs(node):
            if name in document.data:
                first = document.key_place((name,))
                words = (
                    f"{name} 已在 {first.file}:{first.line} 写过；合并到一处",
                    f"{name} is already in {first.file}:{first.line}; merge the two",
                )
                document.report(self._place(key), words)
                earlier, more = document.data[name], self._value(value, (name,))
                if isinstance(earlier, dict) and isinstance(more, dict):
                    document.data[name] = {**more, **earlier}  # so that nothing in it seems to be missing
                continue
            document.keys[(name,)] = self._place(key)
            document.data[name] = self._value(value, (name,))

    def _place(self, node: Node) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _value(self, node: Node, path: Path) -> object:
        document = self._document
        document.values[path] = self._place(node)
        self._left -= 1
        if self._left < 0 or len(path) > _DEEPEST:
            if not self._full:
                zh = "内容过多或嵌套过深（锚点循环？）；请直接写出"
                document.report(
                    self._place(node), (zh, "too much or too deep (an alias that holds itself?); write it out")
                )
            self._full = True
            return None
        if isinstance(node, MappingNode):
            made: dict[str, object] = {}
            for name, key, value in self._pairs(node):
                document.keys[(*path, name)] = self._place(key)
                made[name] = self._value(value, (*path, name))
            return made
        if isinstance(node, SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: Node) -> object:
        text = str(node.value)
        tag = str(node.tag)
        kind = tag.removeprefix(_TAG)
        try:
            if kind in ("str", "timestamp", "merge", "value"):
                return text
            if kind == "int":
                return WrittenInt(text)
            if kind == "float":
                return float(re.sub(r"^([-+]?)\.(inf|nan)$", r"\1\2", text.lower().replace("_", "")))
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() == "true"
        except ValueError:
            words = (f"不是数：{text[:40]}", f"not a number: {text[:40]}; write digits or put it in quotes")
            self._document.report(self._place(node), words)
            return None
        words = (f"不支持标签 {tag}，请删去", f"the tag {tag} is not supported; remove it")
        self._document.report(self._place(node), words)
        return None

    def _pairs(self, node: MappingNode) -> list[tuple[str, Node, Node]]:
        """The pairs of a mapping, merge keys (<<) worked in, with a problem for every duplicate."""
        seen: dict[str, Node] = {}
        pairs: list[tuple[str, Node, Node]] = []
        merged: list[tuple[str, Node, Node]] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                words = ("项的名称应是一个词", "a key must be a single word; write `key: value`")
                self._document.report(self._place(key), words)
                continue
            if str(key.tag) == _TAG + "merge":
                merged += self._merged(value)
                continue
            name = str(key.value)
            if name in seen:
                line = seen[name].start_mark.line + 1
                words = (
                    f"{name} 在第 {line} 行已写过；删去一处或改名",
                    f"duplicate key {name}, first in line {line}; remove or rename one",
                )
                self._document.report(self._place(key), words)
                continue
            seen[name] = key
            pairs.append((name, key, value))
        return pairs + [pair for pair in merged if pair[0] not in seen]

    def _merged(self, value: Node) -> list[tuple[str, Node, Node]]:
        if isinstance(value, MappingNode):
            return [(str(k.value), k, v) for k, v in value.value if isinstance(k, ScalarNode)]
        words = ("<< 后应引用一个对照（*名称）", "<< takes one mapping, as *name")
        self._document.report(self._place(value), words)
        return []
