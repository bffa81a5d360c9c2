#!/usr/bin/env python3
"""House rules that a machine can check. Run by the tests: tools/tidy.py [ROOT]; prints one line per breach.

The module graph is read from the muir_module() lines that also make the link line, so the two cannot differ.
"""
import pathlib
import re
import subprocess
import sys

import fuzz_targets
import std_includes

HEADER_LINES_MAX = 400
SOURCE_LINES_MAX = 800
README_LINES_MAX = 80
DECISION_LINES_MAX = 60

LEVELS = {"base": 0, "net": 1, "wire": 1, "schema": 1, "store": 1, "log": 2, "client": 2, "serde": 2, "broker": 3,
          "registry": 3, "connect": 3, "streams": 3, "sql": 4}

# A module's headers are public at its root and private in its folders, but for these.
PUBLIC_FOLDERS = {"wire/messages"}

# Never in a header, with the reason or the remedy.
HEAVY = re.compile(r'#include\s+<((?:boost/(?:asio|beast)|rocksdb/|librdkafka/|spdlog/|gmock/|regex>|iostream>)[^>]*)')
HEAVY_IN_TESTS_ALLOWED = {"gmock/"}

# Pattern, files it does not apply to, what to do instead. Code only: comments and strings are blanked first.
BANNED = [
    (re.compile(r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b"), re.compile(r"^(src/base/clock\.cc|testing/|tests/|.*_(test|bench)\.cc$)"),
     "take a Clock& (base/clock.h)"),
    (re.compile(r"\bstd::(?:cout|cerr)\b"), re.compile(r"^$"), "log through base/log.h, or print with fmt::print"),
    (re.compile(r"\bstd::regex\b"), re.compile(r"^$"), "parse by hand: std::regex is slow and recursive"),
    (re.compile(r"(?<![\w:.>])(?:rand|srand|strtok|sprintf|gets)\s*\("), re.compile(r"^$"), "use a seeded engine, std::string_view or fmt"),
    (re.compile(r"\busing namespace std\s*;"), re.compile(r"^$"), "write std::"),
    (re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)\s*\{\s*\}"), re.compile(r"^$"), "turn the exception into a Status"),
    (re.compile(r"\bmessage\(\)\s*(?:\.\s*(?:find|rfind|contains|starts_with|ends_with|compare|substr)\b|[=!]=)"), re.compile(r"^(testing/|tests/|.*_test\.cc$)"),
     "decide by Status::code(), number() or partition(): a message is for people"),
    (re.compile(r"\bsleep_for\b|\busleep\s*\("), re.compile(r"^(?!.*_test\.cc$)"), "wait for a condition: testing/eventually.h"),
]
DUMPING_GROUNDS = {"types", "utils", "util", "common", "helpers", "misc"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def strip_code(text):
    """The text with comments and literals blanked, line numbers kept."""
    token = re.compile(r'R"([^()\\ ]*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'')
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def tracked_files(root):
    try:
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
        if listed.returncode == 0 and listed.stdout:
            return sorted(p for p in listed.stdout.splitlines() if (pathlib.Path(root) / p).is_file())
    except FileNotFoundError:
        pass  # no git on this machine: every file below the folder counts
    skip = {"build", "node_modules", "dist", ".git", "data"}
    return sorted(str(p.relative_to(root)) for p in pathlib.Path(root).rglob("*")
                  if p.is_file() and not skip & set(p.relative_to(root).parts))


def module_graph(root, files):
    """{module: (deps, test deps)} from the muir_module() lines."""
    graph = {}
    for path in files:
        if not re.fullmatch(r"src/\w+/CMakeLists\.txt", path):
            continue
        text = re.sub(r"#[^\n]*", "", (pathlib.Path(root) / path).read_text())
        call = re.search(r"muir_module\(\s*(\w+)([^)]*)\)", text)
        if not call:
            continue
        groups, current = {"DEPS": [], "TEST_DEPS": []}, None
        for word in call.group(2).split():
            if word in ("DEPS", "LIBS", "TEST_DEPS", "TEST_LIBS", "GENERATED"):
                current = word
            elif current in groups:
                groups[current].append(word)
        graph[call.group(1)] = (set(groups["DEPS"]), set(groups["TEST_DEPS"]))
    return graph


def check_graph(graph):
    for module, (deps, _) in sorted(graph.items()):
        if module not in LEVELS:
            yield f"src/{module}/CMakeLists.txt: module {module} has no level in tools/tidy.py"
            continue
        for dep in sorted(deps):
            if LEVELS.get(dep, 99) >= LEVELS[module]:
                yield f"src/{module}/CMakeLists.txt: {module} may not depend on {dep}: not of a lower level"


def check_includes(path, text, graph):
    module = path.split("/")[1] if path.startswith("src/") else None
    is_test = bool(re.search(r"_(test|bench|fixture)\.(cc|h)$", path)) or not path.startswith("src/")
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#include\s+"([^"]+)"', line)
        if not found:
            continue
        target = found.group(1)
        parts = target.split("/")
        if parts[0] == "testing":
            if not is_test:
                yield f'{path}:{number}: "{target}" is for tests only'
            continue
        if module is None or parts[0] == module:
            continue
        if parts[0] not in LEVELS:
            if not (module in graph and is_test):
                yield f'{path}:{number}: "{target}" is not a module; includes are "module/file.h"'
            continue
        deps, test_deps = graph.get(module, (set(), set()))
        if parts[0] not in deps and not (is_test and parts[0] in test_deps):
            yield f'{path}:{number}: {module} may not include "{target}": {parts[0]} is not among its DEPS'
        if len(parts) > 2 and f"{parts[0]}/{parts[1]}" not in PUBLIC_FOLDERS:
            yield f'{path}:{number}: "{target}" is private to {parts[0]}'


def check_source(path, text, graph):
    lines = text.count("\n")
    is_header = path.endswith(".h")
    limit = HEADER_LINES_MAX if is_header else SOURCE_LINES_MAX
    if lines > limit:
        yield f"{path}: {lines} lines, the limit is {limit}: it has grown two subjects, split it"
    if pathlib.PurePath(path).stem in DUMPING_GROUNDS:
        yield f"{path}: name the file after its one subject"
    if is_header:
        if "#pragma once" not in text:
            yield f"{path}: a header starts with #pragma once"
        if not text.startswith("//"):
            yield f"{path}: a header opens with a comment: what it is, who uses it, the thread rule"
        for found in HEAVY.finditer(text):
            name = found.group(1)
            if not (path.startswith("tests") and any(name.startswith(a) for a in HEAVY_IN_TESTS_ALLOWED)):
                yield f"{path}: <{name.rstrip('>')}> is heavy and stays in .cc files"
    yield from check_includes(path, text, graph)
    code = strip_code(text)
    for pattern, exempt, remedy in BANNED:
        if exempt.search(path):
            continue
        for found in pattern.finditer(code):
            yield f"{path}:{code.count(chr(10), 0, found.start()) + 1}: {found.group(0).strip()}: {remedy}"


def check_document(path, text, files, folders):
    prose = re.sub(r"```.*?```", lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)
    titles = [line for line in prose.splitlines() if line.startswith("# ")]
    if len(titles) != 1:
        yield f"{path}: has {len(titles)} titles (# ...), wants one"
    if re.fullmatch(r"src/\w+/README\.md", path) and text.count("\n") > README_LINES_MAX:
        yield f"{path}: longer than {README_LINES_MAX} lines"
    if path.startswith("docs/decisions/") and text.count("\n") > DECISION_LINES_MAX:
        yield f"{path}: longer than {DECISION_LINES_MAX} lines"
    for number, line in enumerate(prose.splitlines(), 1):
        for name in re.findall(r"`((?:src|apps|web|testing|tests|bench|tools|docs|cmake|examples)/[\w./-]+)`", line):
            if name.rstrip("/") not in files and name.rstrip("/") not in folders and not name.startswith("web/dist"):
                yield f"{path}:{number}: names {name}, which does not exist"
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
            if "://" in link or link.startswith("mailto:"):
                continue
            target = str((pathlib.PurePosixPath(path).parent / link))
            parts = []
            for part in target.split("/"):
                if part == "..":
                    parts = parts[:-1]
                elif part != ".":
                    parts.append(part)
            target = "/".join(parts)
            if target not in files and target.rstrip("/") not in folders:
                yield f"{path}:{number}: links to {link}, which does not exist"


def check_dead_headers(files, texts):
    """A header that nothing includes."""
    included = set()
    for text in texts.values():
        included.update(re.findall(r'#include\s+"([^"]+)"', text))
    for path in files:
        if path.endswith(".h") and path.startswith(("src/", "testing/", "apps/")):
            name = path.removeprefix("src/")
            if name not in included and not path.startswith("src/wire/generated"):
                yield f"{path}: nothing includes it"


def check_fuzz_entries(texts):
    """Every fuzz entry is given valid and mutated inputs by a test, which is also where its libFuzzer program begins."""
    tested = set()
    for path, text in texts.items():
        if path.endswith("_test.cc"):
            tested.update(re.findall(r'survive_mutations\(\s*"(\w+)"', text))
            suite = ""
            for line in text.splitlines():
                if begins := re.match(r"TEST(?:_F|_P)?\((\w+),", line):
                    suite = begins[1]
                if "survive_mutations(" in line and suite and not suite.startswith("Fuzz"):
                    yield f"{path}: {suite} calls survive_mutations(); the suite's name begins with Fuzz, so that it is found"
    targets = set()
    for target, _, header, function in fuzz_targets.entries(texts):
        targets.add(target)
        if target not in tested:
            yield f'{header}: no test calls survive_mutations("{target}", ...) for {function}'
    for target in sorted(tested - targets):
        yield f'survive_mutations("{target}", ...): no header declares such a fuzz entry'
    for path, text in texts.items():
        if re.search(r"^\s*int fuzz_\w+\(", text, re.M) and path.endswith(".h") and not fuzz_targets.ENTRY.search(text):
            yield f"{path}: a fuzz entry reads `int fuzz_x(BytesView input);` at the start of a line"


def check(root):
    files = tracked_files(root)
    folders = {str(f) for p in files for f in pathlib.PurePosixPath(p).parents}
    graph = module_graph(root, files)
    breaches = list(check_graph(graph))
    texts = {}
    for path in files:
        if path.endswith((".h", ".cc")):
            texts[path] = (pathlib.Path(root) / path).read_text(errors="replace")
            breaches += check_source(path, texts[path], graph)
        elif path.endswith(".md"):
            breaches += check_document(path, (pathlib.Path(root) / path).read_text(errors="replace"), set(files), folders)
        if path.endswith((".h", ".cc", ".py", ".ts", ".sh")) and not path.startswith("tools/tidy"):
            for number, line in enumerate((pathlib.Path(root) / path).read_text(errors="replace").splitlines(), 1):
                if UNFINISHED.search(line):
                    breaches.append(f"{path}:{number}: unfinished work is finished or left out")
    breaches += check_dead_headers(files, texts)
    breaches += check_fuzz_entries(texts)
    breaches += std_includes.check(texts, {path: strip_code(text) for path, text in texts.items()})
    for module in sorted(graph):
        if f"src/{module}/README.md" not in files:
            breaches.append(f"src/{module}: has no README.md")
    return breaches


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else str(pathlib.Path(__file__).resolve().parents[1])
    breaches = check(root)
    for breach in breaches:
        print(breach)
    print(f"tidy: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
