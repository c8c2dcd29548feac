"""CQL2 text into the tree of CQL2 JSON: tokens, precedence, well-known text. What the tree means stands elsewhere.

The work grows with the length of the text alone. (Parsers that backtrack take minutes over a hundred brackets that
do not close; the library that tests compare this one with is such a parser.)
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from geo.cql2.words import BY_LOWER_NAME, COMPARISONS, DEEPEST, MOST, BadFilter

TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<text>'(?:[^'\\]|''|\\'|\\(?!'))*')
    | (?P<quoted>"[^"]*")
    | (?P<word>[^\W\d][\w.:]*|:[\w.:]+)
    | (?P<sign><>|<=|>=|[-=<>+*/%^(),])
    )""",
    re.VERBOSE,
)
KEYWORDS = {"and", "or", "not", "like", "between", "in", "is", "null", "true", "false", "div"}
DEPTHS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
SHAPES = {name.lower(): name for name in (*DEPTHS, "GeometryCollection")}

BINDING = {
    "or": 1,
    "and": 2,
    **dict.fromkeys((*COMPARISONS, "is", "not", "like", "between", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%", "div"), 5),
    "^": 6,
}
ALONE = {BINDING["="], BINDING["^"]}
"""How tightly operators bind; two comparisons, or two powers, stand side by side in brackets only."""

Tree = Any
"""What `json.loads` makes of CQL2 JSON."""


class Token(NamedTuple):
    """One token: its sort, its text (a word that is a keyword in small letters), and where it begins."""

    sort: str
    text: str
    at: int


END = Token("end", "", 0)


def parsed(text: str) -> Tree:
    """The tree of a filter in CQL2 text; BadFilter says at which character it cannot be read."""
    reader = Reader(_tokens(text))
    tree = reader.expression()
    reader.expect_end()
    return tree


def _tokens(text: str) -> Iterator[Token]:
    text = text.rstrip()
    at, end = 0, len(text)
    while at < end:
        found = TOKEN.match(text, at)
        if not found or found.lastgroup is None:
            raise BadFilter(f"cannot be read from character {end - len(text[at:].lstrip()) + 1} on")
        yield _token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        at = found.end()


def _token(sort: str, text: str, at: int) -> Token:
    if sort == "word" and text.lower() in KEYWORDS:
        return Token("keyword", text.lower(), at)
    if sort == "text":
        return Token(sort, re.sub(r"''|\\'", "'", text[1:-1]), at)
    return Token(sort, text[1:-1] if sort == "quoted" else text, at)


class Reader:
    """Reads tokens by precedence; `_depth` counts what is open, and nothing else makes it call itself."""

    def __init__(self, tokens: Iterator[Token]) -> None:
        """Begin at the first token; the last is always `end`. Those after a mistake are never looked at."""
        self._tokens = tokens
        self._ahead: list[Token] = []
        self._depth = 0
        self._operators = 0

    def expression(self, least: int = 0) -> Tree:
        """What is joined by operators that bind at least so tightly."""
        left = self._prefixed()
        ceiling, chain = max(BINDING.values()), None
        while least <= (binding := self._binding()) <= ceiling:
            word = self._advance().text
            if word not in ("and", "or"):
                left = self._operation(left, word, binding)
            elif word == chain:
                left["args"].append(self.expression(binding + 1))
            else:
                left = {"op": word, "args": [left, self.expression(binding + 1)]}
            # One operator with all of its arguments: a long chain is not deep.
            chain = word
            ceiling = binding - 1 if binding in ALONE else binding
        return left

    def expect_end(self) -> None:
        """Refuse what follows a whole filter."""
        if self._peek.sort != "end":
            raise self._lost("an operator, or the end")

    @property
    def _peek(self) -> Token:
        return self._look(0)

    def _look(self, further: int) -> Token:
        while len(self._ahead) <= further:
            self._ahead.append(next(self._tokens, END))
        return self._ahead[further]

    def _advance(self) -> Token:
        token = self._peek
        del self._ahead[0]
        return token

    def _binding(self) -> int:
        """How tightly the next token binds as an operator; -1 if it is none."""
        return BINDING.get(self._peek.text, -1) if self._peek.sort in ("sign", "keyword") else -1

    def _take(self, *texts: str) -> Token | None:
        """The next token if it is one of these signs or keywords."""
        token = self._peek
        return self._advance() if token.sort in ("sign", "keyword") and token.text in texts else None

    def _expect(self, *texts: str) -> Token:
        token = self._take(*texts)
        if token is None:
            raise self._lost(" or ".join(f"“{text.upper()}”" for text in texts))
        return token

    def _lost(self, wanted: str) -> BadFilter:
        where = "ends" if self._peek.sort == "end" else f"cannot be read at character {self._peek.at + 1}"
        return BadFilter(f"{where} where it should have {wanted}")

    def _deeper(self, read: Callable[[], Tree]) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadFilter(f"is nested more than {DEEPEST} deep")
        made = read()
        self._depth -= 1
        return made

    def _operation(self, left: Tree, word: str, binding: int) -> Tree:
        self._operators += 1
        if self._operators > MOST:
            raise BadFilter(f"has more than {MOST} operators")
        if word == "is":
            negated = self._take("not")
            self._expect("null")
            return _unless(negated, {"op": "isNull", "args": [left]})
        negated = word == "not"
        if negated:
            word = self._expect("like", "between", "in").text
        if word == "in":
            return _unless(negated, {"op": "in", "args": [left, self._bracketed(self.expression)]})
        right = [self.expression(binding + 1)]
        if word == "between":
            self._expect("and")
            right.append(self.expression(binding + 1))
        return _unless(negated, {"op": word, "args": [left, *right]})

    def _prefixed(self) -> Tree:
        if self._take("not"):
            return {"op": "not", "args": [self._deeper(lambda: self.expression(BINDING["="]))]}
        if self._take("-"):
            value = self._deeper(self._prefixed)
            return -value if type(value) in (int, float) else {"op": "*", "args": [-1, value]}
        self._take("+")
        return self._primary()

    def _primary(self) -> Tree:
        token = self._peek
        if self._take("true", "false"):
            return token.text == "true"
        if token.text == "(" and token.sort == "sign":
            inside = self._bracketed(self.expression)
            return inside[0] if len(inside) == 1 else inside
        if token.sort not in ("number", "text", "quoted", "word"):
            raise self._lost("a property, a value or a function")
        self._advance()
        if token.sort == "number":
            return _number(token.text)
        if token.sort == "text":
            return token.text
        called = self._peek.sort == "sign" and self._peek.text == "("
        if token.sort == "word" and (called or self._has_height()):
            return self._called(token.text)
        return {"property": token.text}

    def _has_height(self) -> bool:
        """`POINT Z (...)`."""
        word = self._peek
        return word.sort == "word" and word.text.lower() == "z" and self._look(1).text == "("

    def _bracketed(self, read: Callable[[], Tree]) -> list[Tree]:
        """`( ... , ... )`."""
        self._expect("(")
        parts = [self._deeper(read)]
        while self._take(","):
            parts.append(self._deeper(read))
        self._expect(")")
        return parts

    def _called(self, name: str) -> Tree:
        lower = name.lower()
        if (shape := SHAPES.get(lower) or SHAPES.get(lower.removesuffix("z"))) is not None:
            return self._geometry(shape)
        arguments = self._bracketed(self.expression)
        if lower == "bbox":
            return {"bbox": arguments}
        if lower in ("date", "timestamp") and len(arguments) == 1:
            return {lower: arguments[0]}
        if lower == "interval":
            return {"interval": arguments}
        return {"op": BY_LOWER_NAME.get(lower, name), "args": arguments}

    def _geometry(self, shape: str) -> Tree:
        if self._has_height():
            self._advance()
        if shape == "GeometryCollection":
            return {"type": shape, "geometries": self._bracketed(self._member)}
        if shape == "Point":
            (position,) = self._only(self._bracketed(self._position))
            return {"type": shape, "coordinates": position}
        return {"type": shape, "coordinates": self._coordinates(DEPTHS[shape], multipoint=shape == "MultiPoint")}

    def _member(self) -> Tree:
        name = self._peek
        shape = SHAPES.get(name.text.lower()) if name.sort == "word" else None
        if shape is None or shape == "GeometryCollection":
            raise self._lost("POINT, LINESTRING, POLYGON or one of their MULTI forms")
        self._advance()
        return self._geometry(shape)

    def _coordinates(self, depth: int, *, multipoint: bool) -> Tree:
        if depth > 1:
            return self._bracketed(lambda: self._coordinates(depth - 1, multipoint=False))
        return self._bracketed(self._perhaps_bracketed if multipoint else self._position)

    def _perhaps_bracketed(self) -> list[float]:
        """The points of a MULTIPOINT may stand in brackets of their own."""
        if self._peek.text == "(":
            return self._only(self._bracketed(self._position))[0]
        return self._position()

    def _only(self, parts: list[Tree]) -> list[Tree]:
        if len(parts) > 1:
            raise BadFilter("has a POINT with more than one position")
        return parts

    def _position(self) -> list[float]:
        numbers = [self._coordinate()]
        while self._peek.sort == "number" or self._peek.text in ("-", "+"):
            numbers.append(self._coordinate())
        return numbers

    def _coordinate(self) -> float:
        sign = -1 if self._take("-") else 1
        if sign == 1:
            self._take("+")
        token = self._peek
        if token.sort != "number":
            raise self._lost("a coordinate")
        self._advance()
        return sign * _number(token.text)


def _number(text: str) -> float:
    # Digits alone are a whole number: the index of `id` serves whole numbers only. Longer ones are no double's, either.
    return int(text) if text.isdigit() and len(text) <= 15 else float(text)


def _unless(negated: object, tree: Tree) -> Tree:
    return {"op": "not", "args": [tree]} if negated else tree
