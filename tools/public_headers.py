# SPDX-License-Identifier: MIT
"""Reads the public headers of libtroupe: what they declare and what they say about it, for tools/manual.

It knows the C of these headers, as tools/format and tools/tidy keep it, and no other. What it cannot read and
what has no comment becomes a finding of its header: "file:line: why".
"""

import os
import re

# Names with two underscores in a row are inner; these comments say that a name is one for bindings.
INNER = re.compile(r"__")
UNDERNEATH = re.compile(r"As troupe_\w+, (?:which is what users call|with the fields given as a struct)\.$")


class Item:
    """One thing that a header declares: a function, a macro, a constant, a type, a message."""

    def __init__(self, kind, name, line, comment, text, members=()):
        self.kind = kind
        self.name = name
        self.line = line
        self.comment = comment  # lines, without the stars
        self.text = text        # the declaration, on one line
        self.members = members  # (declaration, name, comment lines) of a struct, (value, ...) of an enum

    def is_call(self):
        return self.kind == "function" or (self.kind == "macro" and self.name[0].islower())

    def is_underneath(self):
        return bool(UNDERNEATH.match(" ".join(self.comment)))

    def has_page(self):
        return self.kind != "constants"


class Header:
    """A header that was read: what it includes, what it says about itself, what it declares."""

    def __init__(self, path, text):
        self.path = path
        self.stem = os.path.splitext(os.path.basename(path))[0]
        self.findings = []
        self.items = []
        self.head = []
        self.includes = re.findall(r"^#include <troupe/(\w+)\.h>", text, re.M)
        self.defines = {}  # name: (parameters, replacement) of every macro, inner ones too
        self.lines = c_side(text.split("\n"))
        self.read()

    def report(self, index, why):
        self.findings.append(f"{self.path}:{index + 1}: {why}")

    # --- reading ---

    def read(self):
        index = 0
        comment = None  # of what comes next
        grouped = False  # the comment was used by a macro just before, and stands for the next one too
        while index < len(self.lines):
            line = self.lines[index]
            if not line.strip():
                if grouped:
                    comment, grouped = None, False
                index += 1
            elif line.startswith("/*"):
                end = self.find(index, lambda l: l.rstrip().endswith("*/"))
                lines = uncomment(self.lines[index:end])
                if line.startswith("/**"):
                    comment = lines
                else:
                    comment = None
                    if not self.head and "SPDX" not in line:
                        self.head = lines
                grouped = False
                index = end
            elif line.startswith("#"):
                end = self.find(index, lambda l: not l.endswith("\\"))
                used = self.directive(index, end, comment)
                grouped = grouped or used
                index = end
            else:
                end = self.statement_end(index)
                self.statement(index, end, comment)
                comment, grouped = None, False
                index = end
        if not self.head:
            self.report(0, "no comment that says what the header is for")

    def find(self, index, is_last):
        while index < len(self.lines) and not is_last(self.lines[index]):
            index += 1
        return index + 1

    def statement_end(self, index):
        """The line after a declaration or an inline function's body."""
        depth = 0
        for at in range(index, len(self.lines)):
            code = re.sub(r"/\*.*?\*/", "", self.lines[at])
            if at == index and re.match(r"[A-Z_]+\(.*\)$", code):
                return at + 1
            depth += code.count("{") - code.count("}")
            if depth == 0 and re.search(r"[;}]\s*$", code):
                return at + 1
        return len(self.lines)

    def directive(self, index, end, comment):
        """A preprocessor line. Whether it is a public macro, which used the comment."""
        text = " ".join(line.rstrip("\\").strip() for line in self.lines[index:end])
        match = re.match(r"#define (\w+)(\([^)]*\))?(?:\s+(.*))?$", text)
        if not match:
            return False
        name, parameters, value = match.group(1), match.group(2), match.group(3) or ""
        self.defines[name] = (parameters, value)
        if INNER.search(name) or (not value and name.endswith("_H")):
            return False
        trailing = re.search(r"/\*\*<\s*(.*?)\s*\*/$", value)
        if trailing:
            comment, value = [trailing.group(1)], value[: trailing.start()].strip()
        if parameters is None and (not value or value.startswith(("__attribute__", "{"))):
            self.add("macro", name, index, comment, name)
        elif parameters is None:
            self.constant(name, index, comment, value)
        else:
            self.add("macro", name, index, comment, name + parameters)
        return True

    def constant(self, name, index, comment, value):
        """Constants that stand together under one comment are one item."""
        last = self.items[-1] if self.items else None
        if last and last.kind == "constants" and last.comment is comment:
            last.members.append((value, name, []))
        else:
            self.add("constants", name, index, comment, name, [(value, name, [])])

    def add(self, kind, name, index, comment, text, members=()):
        if comment is None:
            self.report(index, f"{name} has no comment")
            comment = []
        self.items.append(Item(kind, name, index, comment, text, members))

    def statement(self, index, end, comment):
        raw = "\n".join(self.lines[index:end])
        text = squeeze(re.sub(r"/\*.*?\*/", "", raw, flags=re.S))
        message = re.match(r"TROUPE_MESSAGE(?:_EMPTY|_VERSION)?\((\w+)(?:, \d+)?(?:, (\w+))?\)$", text)
        prefix = r"(?:TROUPE_API |TROUPE_MUST_CHECK |static inline )*"
        function = re.match(prefix + r"([^={]*?\b(\w+)\([^{]*\))\s*[;{]", text)
        callback = re.match(r"typedef [^{]*\(\*(\w+)\)\(.*\);$", text)
        opaque = re.match(r"typedef struct \w+ (\w+);$", text)
        body = re.match(r"(?:typedef )?(struct|union|enum) ?(\w*) \{(.*)\} ?(\w*);$", text)
        if message:
            self.message(message.group(1), message.group(2), index, comment)
        elif callback or opaque:
            self.add("type", (callback or opaque).group(1), index, comment, text)
        elif body and body.group(1) == "enum":
            self.enum(body.group(4) or body.group(2), index, comment, raw)
        elif body:
            members = read_members(raw, ";")
            declarations = " ".join(declaration + ";" for declaration, _, _ in members)
            text = f"typedef {body.group(1)} {body.group(2)} {{ {declarations} }} {body.group(4)};"
            self.add("type", body.group(4) or body.group(2), index, comment, text, members)
        elif function and not INNER.search(function.group(2)):
            self.add("function", function.group(2), index, comment, function.group(1).rstrip(" ;"))
        elif not function:
            self.report(index, f"a declaration that tools/manual cannot read: {text[:60]}")

    def enum(self, name, index, comment, raw):
        """An enum with its values written out, or made from a list of X(NAME, number, more, "text")."""
        listed = re.search(r"^\s*(\w+_LIST)\((\w+)\)", raw, re.M)
        if listed:
            prefix = re.search(rf"#define {listed.group(2)}\([^)]*\) (\w+)##", raw).group(1)
            rows = r'X\((\w+), (\d+), (?:(\w+), )?"((?:[^"\\]|\\.)*)"\)'
            rows = re.findall(rows, self.defines[listed.group(1)][1])
            members = [(n, prefix + r, [text + (f" ({more})" if more else "")]) for r, n, more, text in rows]
        else:
            members = [(d.partition("= ")[2], n, c) for d, n, c in read_members(raw, ",")]
        if not members:
            self.report(index, f"an enum that tools/manual cannot read: {name}")
        elif name:
            self.add("type", name, index, comment, f"enum {name}", members)
        else:
            self.add("constants", members[0][1], index, comment, "", members)

    def message(self, name, fields, index, comment):
        """A message type stands after its field list, whose comment is the message's."""
        listed = next((i for i in self.items if i.name == fields), None)
        if listed:
            self.items.remove(listed)
            comment = comment or listed.comment
        row = r"F\((\w+), (\w+)(?:, (\w+))?\)(?: */\* *(.*?) *\*/)?"
        rows = re.findall(row, self.defines.get(fields, ("", ""))[1])
        members = [(k + (f"[{n}]" if n else ""), field, [said] if said else []) for k, field, n, said in rows]
        self.add("message", name, index, comment, fields or "", members)

    # --- what was read ---

    def page(self):
        return "troupe" if self.path.endswith("include/troupe.h") else "troupe_" + self.stem

    def names(self):
        """The names that lead to this page."""
        for item in self.items:
            if item.has_page():
                yield item, item.name
                if item.kind == "message":
                    yield item, item.name + "_of"


def c_side(lines):
    """The lines as a C compiler sees them: what stands between #ifdef __cplusplus and its #else is blank."""
    kept = []
    stack = []  # for each open condition: whether it is about C++, and whether we are in the C++ side
    for line in lines:
        word = line.split()[0] if line.startswith("#") else ""
        if word in ("#if", "#ifdef", "#ifndef"):
            stack.append([line == "#ifdef __cplusplus"] * 2)
        elif word == "#else" and stack:
            stack[-1][1] = False
        about_cpp = bool(stack) and stack[-1][0]
        hidden = any(in_cpp for _, in_cpp in stack) or (about_cpp and word in ("#else", "#endif"))
        if word == "#endif" and stack:
            stack.pop()
        kept.append("" if hidden else line)
    return kept


def uncomment(lines):
    """The text lines of a comment, without its stars and without the empty lines around."""
    text = "\n".join(lines).strip()
    text = re.sub(r"^/\*+<?|\*/$", "", text)
    lines = [re.sub(r"^\s*\*( |$)", "", line).rstrip() for line in text.split("\n")]
    lines[0] = lines[0].strip()
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def squeeze(text):
    return " ".join(text.split())


def read_members(raw, separator):
    """(declaration, name, comment) of each member: its comment stands before, inside or after it (/**<)."""
    body = re.sub(r"^\s*#.*$", "", raw[raw.index("{") + 1 : raw.rindex("}")], flags=re.M)
    members = []
    declaration, before = "", []
    for comment, code in re.findall(r"(/\*.*?\*/)|((?:(?!/\*).)+)", body, re.S):
        if comment.startswith("/**<") and members and not declaration.strip():
            members[-1][2].extend(uncomment(comment.split("\n")))
        elif comment:
            before = uncomment(comment.split("\n"))
        for part in re.split(f"({separator})", code):
            if part == separator or (separator == "," and part is None):
                declaration = squeeze(declaration)
                name = re.search(r"\(\*(\w+)\)|(\w+)(?:\[\w+\])*$|^(\w+) =", declaration)
                members.append((declaration, next(filter(None, name.groups())), before))
                declaration, before = "", []
            else:
                declaration += part
    if declaration.strip():
        name = squeeze(declaration)
        members.append((name, name.split(" ")[0], before))
    return [(d, d.split(" ")[0] if separator == "," else n, c) for d, n, c in members]


def read_about(top):
    """{header: what it is about}, in the reading order that troupe.h gives."""
    about = {}
    for line in top.head:
        match = re.match(r"\s+troupe/(\w+)\.h\s+(.*)$", line)
        if match:
            about[match.group(1)] = match.group(2)
    return about


def check(top, headers, about):
    """What is wrong with the headers as a whole."""
    findings = [finding for header in [top] + headers for finding in header.findings]
    for header in headers:
        if header.stem not in about:
            findings.append(f"{header.path}:1: the reading order of troupe.h does not name it")
        if header.stem not in top.includes:
            findings.append(f"{header.path}:1: troupe.h does not include it")
    pages = {header.page(): header for header in headers}
    seen = {}
    for header in headers:
        for item, name in header.names():
            other = seen.setdefault(name, pages.get(name, header))
            if other is not header:
                findings.append(f"{header.path}:{item.line + 1}: {name} is also in {other.path}")
    return findings


def read_all(root):
    """troupe.h, and the headers it leads to, by name."""
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return Header(path, file.read())

    names = sorted(n for n in os.listdir(os.path.join(root, "include", "troupe")) if n.endswith(".h"))
    return read("include/troupe.h"), [read("include/troupe/" + name) for name in names]
