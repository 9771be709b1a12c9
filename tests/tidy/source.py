"""A C++ source file as the rules see it."""

import re

# Raw strings, strings, characters, comments. A quote after a digit separates digits: 1'000.
_NOT_CODE = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'"
    r"|//[^\n]*"
    r"|/\*.*?\*/",
    re.DOTALL,
)
_TEST = re.compile(r"_test\.cc$|_(testing|fixture)\.(h|cc)$|_fuzz\w*\.cc$|/(testing|fuzz)/")


class Source:
    """`text` is the file, `code` the same with comments and strings blanked out."""

    def __init__(self, path, text, header=""):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.code = blank(text)
        # Where a .cc file's members are declared: the code of its own header.
        self.header_code = blank(header)
        self.folder = path.split("/")[0]
        # Test code, which may use more of the world.
        self.is_test = self.folder == "tests" or bool(_TEST.search(path))

    def line_of(self, offset):
        return self.code.count("\n", 0, offset) + 1


def blank(text):
    return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def after_brackets(code, start, pair):
    """The offset behind the bracket that closes the one at `start`, or None."""
    depth = 0
    for offset in range(start, len(code)):
        if code[offset] == pair[0]:
            depth += 1
        elif code[offset] == pair[1]:
            depth -= 1
            if depth == 0:
                return offset + 1
    return None
