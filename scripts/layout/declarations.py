"""Finds the public declarations of a C++ header, and those without a `///` comment.

Not a parser of C++: it follows braces, parentheses and semicolons, which is enough for headers that
clang-format has been over. It looks at namespaces and the public parts of classes.
"""

import re

EXEMPT = [
    r"^friend\b",
    r"^extern template\b",
    r"^static_assert\b",
    r"^using\s+(namespace\b|enum\b|typename\b|[\w:<>, ]*::)",  # not: using alias = ...
    r"^(class|struct|union|enum)(\s+(class|struct))?\s+\w+(\s*:\s*[\w:]+)?\s*;$",  # forward
    r"=\s*(default|delete)\s*;$",
    r"\boverride\b",  # the base says what it does
    r"^template\s*<\s*>",  # a specialisation
    r"^(virtual\s+)?~\w+\s*\(",  # destructors: the class says what they do
    r"^(explicit\s+)?\w+\s*\(.*\)\s*->\s*[\w:]+<.*;$",  # a deduction guide
]


def blank_comments_and_strings(text):
    """The same text with comments, literals and preprocessor lines as spaces; lines stay."""
    pattern = re.compile(
        r"//[^\n]*|/\*.*?\*/|R\"\((?:.*?)\)\"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])'"
        r"|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*",
        re.S | re.M,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def strip_templates(text):
    """Without `template <...>` at its head, nor attributes and requires-clauses behind that."""
    text = text.strip()
    while True:
        if re.match(r"template\s*<", text):
            depth, at = 0, text.index("<")
            for at in range(at, len(text)):
                depth += {"<": 1, ">": -1}.get(text[at], 0)
                if depth == 0:
                    break
            text = text[at + 1 :].strip()
        elif attribute := re.match(r"\[\[.*?\]\]", text, re.S):
            text = text[attribute.end() :].strip()
        elif clause := re.match(
            r"requires\s+requires\s*\([^()]*\)\s*\{([^{}]|\{[^{}]*\})*\}"
            r"|requires\b(?!\s+requires\b)\s*(\(.*?\)|[\w:]+(<[^;{()]*?>)?(\s*(&&|\|\|)\s*[\w:]+(<[^;{()]*?>)?)*)\s*(?=\w|\[)",
            text,
            re.S,
        ):
            text = text[clause.end() :].strip()
        else:
            return text


class Declaration:
    def __init__(self, text, first_line, last_line):
        self.text = " ".join(text.split())
        self.first_line = first_line  # counted from 0
        self.last_line = last_line

    def kind(self):
        head = strip_templates(self.text)
        if any(re.search(pattern, self.text) or re.search(pattern, head) for pattern in EXEMPT):
            return None
        if match := re.match(r"(class|struct|union|enum|using|concept)\b", head):
            return match.group(1)
        before_value = re.split(r"(?<![=!<>])=(?!=)", head.replace("operator=", "operator"))[0]
        if "(" not in before_value:
            return None  # a variable
        declarator = before_value[: before_value.index("(")]
        if re.search(r"\w\s*(<[^()]*>)?::~?\w+\s*$", declarator):
            return None  # defined here, declared elsewhere
        return "function"

    def name(self):
        head = strip_templates(self.text)
        if "operator" in head:
            return "operator"
        names = re.findall(r"~?\w+", head.split("(")[0])
        if self.kind() in ("class", "struct", "union", "enum", "using", "concept"):
            names = [n for n in names if n not in ("class", "struct", "final")][:2]
        return names[-1] if names else "?"


def declarations(text):
    """Every declaration at namespace or public class scope outside of `detail`."""
    code = blank_comments_and_strings(text)
    found = []
    scopes = [True]  # is what stands here public?
    start, parens, at = None, 0, 0

    def line_of(position):
        return code.count("\n", 0, position)

    def finish(end):
        nonlocal start
        if start is not None and scopes[-1]:
            found.append(Declaration(code[start : end + 1], line_of(start), line_of(end)))
        start = None

    def matching_brace(position):
        depth = 0
        for i in range(position, len(code)):
            depth += {"{": 1, "}": -1}.get(code[i], 0)
            if depth == 0:
                return i
        return len(code) - 1

    while at < len(code):
        char = code[at]
        if start is None and char == "}":
            if len(scopes) > 1:
                scopes.pop()
        elif start is None and not char.isspace() and char != ";":
            start = at
            continue
        elif start is not None:
            if char in "([":
                parens += 1
            elif char in ")]":
                parens -= 1
            elif char == ";" and parens == 0:
                finish(at)
            elif char == ":" and code[start:at].strip() in ("public", "private", "protected"):
                scopes[-1] = code[start:at].strip() == "public"
                start = None
            elif char == "{" and parens == 0:
                head = strip_templates(code[start:at])
                if namespace := re.match(r"(inline\s+)?namespace\b\s*([\w:]*)|extern\s*$", head):
                    inner = namespace.group(2) or ""
                    scopes.append(scopes[-1] and "detail" not in inner.split("::"))
                    start = None
                elif kind := re.match(r"(class|struct|union)\b(?!.*\()", head, re.S):
                    visible = scopes[-1]
                    finish(at)
                    if not visible:
                        at = matching_brace(at)
                    else:
                        scopes.append(kind.group(1) != "class")
                else:
                    at = matching_brace(at)
                    after = code[at + 1 :].lstrip()[:1]
                    open_end = re.search(r"requires\s*(\([^()]*\))?\s*$", head)
                    if after not in (";", ",", "{") and not open_end:
                        finish(at)
            elif char == "{":
                at = matching_brace(at)
        at += 1
    return found


def undocumented(text):
    """(line, name) of each public declaration without a comment, lines counted from 1."""
    lines = text.split("\n")
    missing = []
    previous = None  # the last declaration with a comment, its own or a shared one
    for declaration in declarations(text):
        kind = declaration.kind()
        if kind is None:
            continue
        above = lines[declaration.first_line - 1].strip() if declaration.first_line > 0 else ""
        shares = (
            previous is not None
            and previous.name() == declaration.name()
            and previous.last_line + 1 == declaration.first_line
            and previous.first_line == previous.last_line
        )
        own = above.startswith("///") or any(
            "///<" in line for line in lines[declaration.first_line : declaration.last_line + 1]
        )
        if own or shares:
            previous = declaration
        else:
            previous = None
            missing.append((declaration.first_line + 1, f"{kind} {declaration.name()}"))
    return missing
