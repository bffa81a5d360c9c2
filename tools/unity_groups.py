#!/usr/bin/env python3
"""Says which sources of one target can be compiled together: those that do not know each other's private names.

usage: unity_groups.py FILE...      prints "group;file" for each; a group has at most GROUP_MAX files

Most of a source's compile time goes into the headers that it includes, so that a sanitizer's build takes half the time
when several sources share them. What is in an unnamed namespace of one source would be seen by those behind it: none of
these names may be written anywhere in another file of its group.
"""
import pathlib
import re
import sys

GROUP_MAX = 8
# What hides or changes names for everybody behind it, or must not be seen by others.
ALONE = re.compile(r"^(?:using namespace |using internal::|#define |#undef |#pragma )", re.M)
WORD = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
KEYWORDS = set("TEST TEST_F TEST_P TYPED_TEST INSTANTIATE_TEST_SUITE_P MUIR_TRY const constexpr static inline auto bool int char double void struct class enum using template typename "
               "operator return std size_t int64_t int32_t uint64_t string if else final".split())


def private_names(text):
    """Names that the file declares at the outermost level for itself, and what it says of those that stand for others.
    The formatter puts all of them at the line's start."""
    names, aliases, depth = set(), {}, 0
    for line in text.splitlines():
        alias = re.match(r"using (?:[\w:]*::)?(\w+)\s*[=;]", line)
        if line == "namespace {":
            depth += 1
        elif line.startswith("}") and "namespace" in line:
            depth = max(0, depth - 1)
        elif alias:
            aliases[alias[1]] = line
        elif re.match(r"(?:static|constexpr) ", line) or (depth and re.match(r"[A-Za-z_]", line)):
            names |= declared(line)
    return names, aliases


def declared(line):
    kind = re.match(r"(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?: class| struct)?)\s+(\w+)", line)
    if kind:
        return {kind[1]}
    found = re.search(r"(?<![\w:])(?:operator\W|(\w+))\s*(?:\[[^]]*\])?\s*[({=;]", line)
    return {found[1]} - KEYWORDS if found and found[1] else set()


class Source:
    def __init__(self, path):
        raw = pathlib.Path(path).read_text()
        marked = re.sub(r"^\}  // namespace.*$", "}  namespace", raw, flags=re.M)
        text = NOISE.sub(lambda m: '""' if m[0][0] in "\"R'" else "", marked)
        self.path, self.alone = path, bool(ALONE.search(raw))
        self.names, self.aliases = private_names(text)
        self.words = set(WORD.findall(text))
        # Where there is another `internal`, or what it names, a relative name means something else.
        self.namespaces = set(re.findall(r"^namespace ([\w:]+)", text, re.M))

    def disturbs(self, other):
        return bool(self.names & other.words) or any(
            name in other.words and other.aliases.get(name) != line for name, line in self.aliases.items())

    def fits(self, others):
        return not any(self.namespaces != o.namespaces or self.disturbs(o) or o.disturbs(self) for o in others)


def groups(paths):
    out = []
    for source in map(Source, sorted(paths)):
        room = None if source.alone else next(
            (g for g in out if len(g) < GROUP_MAX and not g[0].alone and source.fits(g)), None)
        if room is None:
            out.append([source])
        else:
            room.append(source)
    return out


def main():
    for number, group in enumerate(groups(sys.argv[1:])):
        for source in group:
            print(f"{number};{source.path}")


if __name__ == "__main__":
    main()
