"""Iteration over Abseil's hash containers: their order differs from process to process.

Look-ups are fine. A loop whose result cannot depend on the order (a sum, a sorted copy) says so:
`// tidy: order-free REASON`, on its line or the one above.
"""

import re

from source import after_brackets

_CONTAINER = re.compile(r"\b(?:flat|node)_hash_(?:map|set)\s*<")
_ALIAS = re.compile(r"\busing\s+(\w+)\s*=\s*(?:absl::)?$")
_DECLARED = re.compile(r"(?:\s*\bconst\b)?\s*[&*]*\s*(\w+)")
_FOR = re.compile(r"\bfor\s*\(")
_LAST_NAME = re.compile(r"(\w+)\s*(?:\(\s*\))?\s*$")
_BEGIN = re.compile(r"(\w+)\s*(?:\(\s*\))?\s*(?:\.|->)\s*c?begin\s*\(")
_EXCUSE = re.compile(r"//\s*tidy:\s*order-free\s+\S+")


def _names(code):
    """Variables, members and accessors of a hash container's type."""
    names, aliases = set(), set()
    for found in _CONTAINER.finditer(code):
        end = after_brackets(code, found.end() - 1, "<>")
        if end is None:
            continue
        alias = _ALIAS.search(code, 0, found.start())
        declared = _DECLARED.match(code, end)
        if alias:
            aliases.add(alias.group(1))
        elif declared:
            names.add(declared.group(1))
    for alias in aliases:
        for found in re.finditer(rf"\b{alias}\b", code):
            declared = _DECLARED.match(code, found.end())
            if declared:
                names.add(declared.group(1))
    return names


def _ranges(code):
    """(offset, name of what is iterated) of each for loop over a container."""
    for found in _FOR.finditer(code):
        end = after_brackets(code, found.end() - 1, "()")
        if end is None:
            continue
        head = code[found.end() : end - 1]
        begins = _BEGIN.search(head)
        if ";" not in head or re.search(r"(?<!:):(?!:)", head.rsplit(";", 1)[1]):
            pieces = re.split(r"(?<!:):(?!:)", head, maxsplit=1)
            name = _LAST_NAME.search(pieces[-1]) if len(pieces) == 2 else None
            if name:
                yield found.start(), name.group(1)
        elif begins:
            yield found.start(), begins.group(1)


def check(source):
    if source.folder not in ("core", "storage", "sim") or source.is_test:
        return
    names = _names(source.header_code + "\n" + source.code)
    for offset, name in _ranges(source.code):
        if name not in names:
            continue
        line = source.line_of(offset)
        if any(_EXCUSE.search(text) for text in source.lines[max(0, line - 2) : line]):
            continue
        yield (
            line,
            name,
            "iterates a hash container, whose order differs from run to run; use a sorted "
            "container, or say `// tidy: order-free REASON` on this line",
        )
