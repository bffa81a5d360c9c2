#!/usr/bin/env python3
"""Generates C++ structs and codecs from the message tables in src/wire/messages/*.msg.

usage: wiregen.py --out <dir> <table.msg>...     writes <dir>/wire/...
       wiregen.py --list <dir> <table.msg>...    prints the paths it would write, one a line

The tables' grammar is in src/wire/README.md.
"""
import argparse
import pathlib
import re
import sys

SHARDS = 6  # generated sources; more than the cores of a build machine, few enough to share header parsing
PRIMITIVES = {  # type: (C++ type, cursor method, bytes on the wire)
    "bool": ("bool", "boolean", 1), "int8": ("int8_t", "i8", 1), "int16": ("int16_t", "i16", 2),
    "uint16": ("uint16_t", "u16", 2), "int32": ("int32_t", "i32", 4), "uint32": ("uint32_t", "u32", 4),
    "int64": ("int64_t", "i64", 8), "error": ("ErrorCode", "error", 2), "uuid": ("Uuid", "uuid", 16),
}
BLOBS = {"string": "std::string", "bytes": "Bytes"}
FOREVER = 32767


class Range:
    """Versions low..high, both included."""

    def __init__(self, text):
        match = re.fullmatch(r"(\d+)(?:-(\d+)|(\+))?", text)
        if not match:
            raise ValueError(f"'{text}' is no version range")
        self.low = int(match[1])
        self.high = int(match[2]) if match[2] else FOREVER if match[3] else self.low

    def covers(self, other):
        return self.low <= other.low and self.high >= other.high

    def test(self, within):
        """C++ condition for a version known to lie in `within`; None when always true."""
        parts = []
        if self.low > within.low:
            parts.append(f"v >= {self.low}")
        if self.high < within.high:
            parts.append(f"v <= {self.high}")
        return " && ".join(parts) or None


class Field:
    def __init__(self, name, kind, attributes, scope):
        self.name, self.array = name, kind.startswith("[]")
        self.base = kind[2:] if self.array else kind
        self.versions, self.null, self.tag, self.default, self.classic = scope, None, None, None, False
        null = None
        for attribute in attributes:
            key, _, value = attribute.partition("=")
            if key == "v":
                self.versions = Range(value)
            elif key == "null":
                null = value or "all"
            elif key == "tag":
                self.tag = int(value)
            elif key == "default":
                self.default = value
            elif key == "classic":
                self.classic = True
            else:
                raise ValueError(f"field {name}: unknown attribute '{attribute}'")
        if null:
            self.null = self.versions if null == "all" else Range(null)

    def is_struct(self):
        return self.base not in PRIMITIVES and self.base not in BLOBS and self.base != "records"

    def cpp_type(self):
        if self.base == "records":
            return "OptBytesView"
        inner = PRIMITIVES[self.base][0] if self.base in PRIMITIVES else BLOBS.get(self.base, self.base)
        if self.array:
            inner = f"std::vector<{inner}>"
        return f"std::optional<{inner}>" if self.null else inner

    def default_value(self):
        """Default of a primitive that is not null, as C++."""
        if self.base == "uuid":
            return "Uuid{}"
        if self.base == "error":
            return "ErrorCode::none"
        if self.base == "bool":
            return self.default or "false"
        if self.default == "-2147483648":
            return "INT32_MIN"
        return self.default or "0"

    def plain(self):
        return not self.array and not self.null and self.base in PRIMITIVES

    def declaration(self):
        return f"{self.cpp_type()} {self.name}" + (f" = {self.default_value()};" if self.plain() else "{};")

    def differs_from_default(self, expression):
        if self.null:
            return f"{expression}.has_value()"
        if self.array or self.base in BLOBS:
            return f"!{expression}.empty()"
        if self.is_struct():
            return f"!({expression} == {self.qualified}{{}})"
        return f"{expression} != {self.default_value()}"


class Struct:
    def __init__(self, name, scope):
        self.name, self.versions, self.fields = name, scope, []


class Message:
    def __init__(self, kind, name, versions, flexible):
        self.kind, self.name, self.versions = kind, name, versions
        self.flexible = FOREVER if flexible == "none" else Range(flexible).low
        self.structs = []  # nested ones, children first
        self.root = Struct(name, versions)
        self.api = None

    def find(self, name):
        return next(s for s in self.structs if s.name == name)

    def least_bytes(self, struct):
        """Fewest bytes a value can take in any version: what bounds an array's length."""
        total = 0
        for f in struct.fields:
            if f.tag is None and f.versions.covers(self.versions):
                if f.array or f.null or not f.plain():
                    total += 1
                else:
                    total += PRIMITIVES[f.base][2]
        return max(total, 1)


def parse(path):
    """One table: its API (name, key) or None, and its messages."""
    api, messages, stack = None, [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.split("#")[0].rstrip()
        if not text:
            continue
        try:
            words = text.split()
            depth = (len(text) - len(text.lstrip())) // 2
            if depth == 0 and words[0] == "api":
                api = (words[2], int(words[1]))
            elif depth == 0 and words[0] in ("request", "response", "data"):
                message = Message(words[0], words[1], Range(words[2]), words[3].removeprefix("flexible="))
                message.api = api if words[0] != "data" else None
                messages.append(message)
                stack = [message.root]
            else:
                del stack[depth:]
                if len(stack) != depth:
                    raise ValueError("indented too far")
                parse_field(messages[-1], stack, words)
        except (ValueError, IndexError, StopIteration) as failure:
            sys.exit(f"{path}:{number}: {failure or line}")
    for message in messages:
        finish(message)
    return path.stem, api, messages


def parse_field(message, stack, words):
    if words[0] == "struct":
        opened = Struct(words[1], message.versions)
        stack.append(opened)
        message.structs.append(opened)
        return
    field = Field(words[0], words[1], words[2:], stack[-1].versions)
    stack[-1].fields.append(field)
    known = any(s.name == field.base for s in message.structs)
    if field.is_struct() and not known:
        opened = Struct(field.base, field.versions)
        message.structs.append(opened)
        stack.append(opened)


def finish(message):
    """Orders nested structs children first and qualifies struct fields."""
    ordered, names = [], [s.name for s in message.structs]
    if len(set(names)) != len(names):
        sys.exit(f"{message.name}: a struct is declared twice")

    def visit(struct):
        for f in struct.fields:
            if f.is_struct():
                f.qualified = f"{message.name}::{f.base}"
                if message.find(f.base) not in ordered:
                    visit(message.find(f.base))
        if struct is not message.root:
            ordered.append(struct)

    visit(message.root)
    message.structs = ordered


def snake(name):
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


# ---- headers

def declare_struct(struct, indent):
    pad = "  " * indent
    lines = [f"{pad}struct {struct.name} {{"]
    lines += [f"{pad}  {f.declaration()}" for f in struct.fields]
    lines += [f"{pad}  TaggedFields unknown_tags{{}};", f"{pad}  bool operator==(const {struct.name}&) const = default;"]
    return lines + [f"{pad}}};"]


def declare(message):
    out = []
    if message.kind == "request":
        out += [f"struct {message.name.removesuffix('Request')}Response;", ""]
    out.append(f"struct {message.name} {{")
    if message.api:
        out.append(f"  static constexpr ApiKey kApiKey = ApiKey::{snake(message.api[0])};")
    if message.kind == "request":
        out.append(f"  using Response = {message.name.removesuffix('Request')}Response;")
    out += [f"  static constexpr const char* kName = \"{message.name}\";",
            f"  static constexpr int16_t kVersionMin = {message.versions.low};",
            f"  static constexpr int16_t kVersionMax = {message.versions.high};",
            f"  static constexpr int16_t kFlexibleSince = {message.flexible};", ""]
    for struct in message.structs:
        out += declare_struct(struct, 1) + [""]
    out += declare_struct(message.root, 0)[1:]
    out += [f"void encode(const {message.name}& message, int16_t version, ByteWriter& writer);",
            f"Status decode(ByteReader& reader, int16_t version, {message.name}& message);", ""]
    return out


def header(stem, messages):
    out = [f"// Generated by tools/wiregen.py from src/wire/messages/{stem}.msg.", "#pragma once", "",
           '#include "wire/message.h"', "", "namespace muir::wire {", ""]
    for message in messages:
        out += declare(message)
    return "\n".join(out + ["}  // namespace muir::wire", ""])


# ---- codecs

def put_value(message, f, expression, w="w"):
    """Statement that writes the field, already known to be in the version."""
    flex = "false" if f.classic else "flex"
    if f.base == "records":
        return f"put_records({w}, {expression}, flex);"
    if f.array:
        item = element_put(f, w)
        name = "put_array"
    elif f.is_struct():
        item = f"[&](const auto& e) {{ put({w}, e, v, flex); }}"
        return f"put_nullable_struct({w}, {expression}, {item});" if f.null else f"put({w}, {expression}, v, flex);"
    elif f.base in BLOBS:
        item, name = None, f"put_{f.base}"
    else:
        return f"put_{PRIMITIVES[f.base][1]}({w}, {expression});"
    tail = f", {flex}" + (f", {item});" if item else ");")
    if not f.null:
        return f"{name}({w}, {expression}{tail}"
    if f.null.covers(f.versions):
        return f"{name}_nullable({w}, {expression}{tail}"
    return (f"if ({f.null.test(message.versions)}) {name}_nullable({w}, {expression}{tail} "
            f"else {name}({w}, or_empty({expression}){tail}")


def element_put(f, w):
    if f.is_struct():
        return f"[&](const {f.qualified}& e) {{ put({w}, e, v, flex); }}"
    if f.base in BLOBS:
        return f"[&](const auto& e) {{ put_{f.base}({w}, e, flex); }}"
    return f"[&](const auto& e) {{ put_{PRIMITIVES[f.base][1]}({w}, e); }}"


def get_value(message, f, expression, reader="r"):
    flex = "false" if f.classic else "flex"
    if f.base == "records":
        return f"get_records({reader}, {expression}, flex);"
    nullable = "_nullable" if f.null else ""
    allowed = ""
    if f.null:
        allowed = ", " + (f.null.test(f.versions) or "true")
    if f.array:
        if f.is_struct():
            item = f"[&]({f.qualified}& e) {{ get({reader}, e, v, flex); }}"
            least = message.least_bytes(message.find(f.base))
        elif f.base in BLOBS:
            item, least = f"[&](auto& e) {{ get_{f.base}({reader}, e, flex); }}", 1
        else:
            item, least = f"[&](auto& e) {{ get_{PRIMITIVES[f.base][1]}({reader}, e); }}", PRIMITIVES[f.base][2]
        return f"get_array{nullable}({reader}, {expression}, flex, {least}, {item}{allowed});"
    if f.is_struct():
        item = f"[&](auto& e) {{ get({reader}, e, v, flex); }}"
        return f"get_nullable_struct({reader}, {expression}, {item});" if f.null else f"get({reader}, {expression}, v, flex);"
    if f.base in BLOBS:
        return f"get_{f.base}{nullable}({reader}, {expression}, {flex}{allowed});"
    return f"get_{PRIMITIVES[f.base][1]}({reader}, {expression});"


def guarded(f, scope, statement):
    test = f.versions.test(scope)
    if not test:
        return f"  {statement}"
    return f"  if ({test}) {{ {statement} }}" if statement.startswith("if") else f"  if ({test}) {statement}"


def codec(message, struct):
    name = message.name if struct is message.root else f"{message.name}::{struct.name}"
    scope = message.versions
    plain = [f for f in struct.fields if f.tag is None]
    tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
    put = [f"void put(ByteWriter& w, const {name}& m, [[maybe_unused]] int16_t v, bool flex) {{"]
    put += [guarded(f, scope, put_value(message, f, f"m.{f.name}")) for f in plain]
    get = [f"void get(ByteReader& r, {name}& m, [[maybe_unused]] int16_t v, bool flex) {{"]
    get += [guarded(f, scope, get_value(message, f, f"m.{f.name}")) for f in plain]
    if message.flexible == FOREVER:
        put.append("  (void)flex;")
        get.append("  (void)flex;")
    elif not tagged:
        put.append("  if (flex) put_tags(w, m.unknown_tags);")
        get.append("  if (flex) get_tags(r, m.unknown_tags);")
    else:
        put += put_tagged(message, scope, tagged)
        get += get_tagged(message, scope, tagged)
    return put + ["}"], get + ["}"]


def put_tagged(message, scope, tagged):
    out = ["  if (!flex) return;", "  TagWriter tags(m.unknown_tags);"]
    for f in tagged:
        tests = [t for t in (f.versions.test(scope), f.differs_from_default(f"m.{f.name}")) if t]
        value = put_value(message, f, f"m.{f.name}", "t")
        out.append(f"  if ({' && '.join(tests)}) tags.add({f.tag}, [&](ByteWriter& t) {{ {value} }});")
    return out + ["  tags.write(w);"]


def get_tagged(message, scope, tagged):
    out = ["  if (!flex) return;", "  get_tags(r, m.unknown_tags, [&](uint32_t tag, ByteReader& t) {", "    switch (tag) {"]
    for f in tagged:
        test = f.versions.test(scope)
        out.append(f"      case {f.tag}:")
        if test:
            out.append(f"        if (!({test})) return false;")
        out += [f"        {get_value(message, f, 'm.' + f.name, 't')}", "        return true;"]
    return out + ["      default: return false;", "    }", "  });"]


def codecs(message):
    puts, gets = [], []
    for struct in message.structs + [message.root]:
        put, get = codec(message, struct)
        puts += put
        gets += get
    n = message.name
    return ["namespace {"] + puts + gets + ["}  // namespace", "",
        f"void encode(const {n}& message, int16_t version, ByteWriter& writer) {{",
        f"  check_encodable<{n}>(version);",
        f"  put(writer, message, version, version >= {n}::kFlexibleSince);", "}",
        f"Status decode(ByteReader& reader, int16_t version, {n}& message) {{",
        f"  MUIR_RETURN_IF_ERROR(check_decodable<{n}>(version));",
        "  message = {};",
        f"  get(reader, message, version, version >= {n}::kFlexibleSince);",
        f"  return decode_status<{n}>(reader, version);", "}", ""]


def shard(tables):
    """Tables spread over SHARDS sources, the largest first, each to the emptiest."""
    weight = {t[0]: sum(len(s.fields) for m in t[2] for s in m.structs + [m.root]) for t in tables}
    bins = [[] for _ in range(SHARDS)]
    for table in sorted(tables, key=lambda t: -weight[t[0]]):
        min(bins, key=lambda b: sum(weight[t[0]] for t in b)).append(table)
    return bins


def source(tables):
    out = ["// Generated by tools/wiregen.py."]
    out += [f'#include "wire/messages/{stem}.h"' for stem, _, _ in sorted(tables, key=lambda t: t[0])]
    out += ['#include "wire/internal/codec.h"', "", "namespace muir::wire {", "using namespace codec;", ""]
    for _, _, messages in tables:
        for message in messages:
            out += codecs(message)
    return "\n".join(out + ["}  // namespace muir::wire", ""])


# ---- tables

def api_tables(tables):
    """The enumeration of API keys, and one row per API."""
    apis = sorted((t for t in tables if t[1]), key=lambda t: t[1][1])
    keys = ["// Generated by tools/wiregen.py.", "#pragma once", "", "#include <cstdint>", "", "namespace muir::wire {", "",
            "enum class ApiKey : int16_t {"]
    keys += [f"  {snake(api[0])} = {api[1]}," for _, api, _ in apis]
    return "\n".join(keys + ["};", "", "}  // namespace muir::wire", ""])


def message_table(tables):
    out = ["// Generated by tools/wiregen.py.", '#include "wire/message_table.h"', ""]
    out += [f'#include "wire/messages/{stem}.h"' for stem, _, _ in tables]
    out += ["", "namespace muir::wire {", "", "std::span<const ApiInfo> api_table() {", "  static constexpr ApiInfo kApis[] = {"]
    for _, api, messages in sorted((t for t in tables if t[1]), key=lambda t: t[1][1]):
        r = messages[0]
        out.append(f'      {{ApiKey::{snake(api[0])}, "{api[0]}", {r.versions.low}, {r.versions.high}, {r.flexible}}},')
    out += ["  };", "  return kApis;", "}", "", "std::span<const MessageInfo> message_table() {",
            "  static constexpr MessageInfo kMessages[] = {"]
    for _, _, messages in tables:
        out += [f"      message_info<{m.name}>()," for m in messages]
    return "\n".join(out + ["  };", "  return kMessages;", "}", "", "}  // namespace muir::wire", ""])


def described(f, message):
    """One row of a struct's fields as data."""
    kind = "structure" if f.is_struct() else f.base
    kind = {"bool": "boolean", "error": "int16"}.get(kind, kind)
    struct = f"&{constant(message, f.base)}" if f.is_struct() else "nullptr"
    null = f"{{{f.null.low}, {f.null.high}}}" if f.null else "{}"
    default = 0
    if f.plain() and f.base != "uuid":
        default = {"true": 1, "false": 0}.get(f.default, f.default or 0)
    return (f'    {{"{f.name}", FieldKind::{kind}, {str(f.array).lower()}, {str(f.classic).lower()}, '
            f"{{{f.versions.low}, {f.versions.high}}}, {null}, {-1 if f.tag is None else f.tag}, {default}, {struct}}},")


def constant(message, struct_name):
    return f"k{message.name}" + ("" if struct_name == message.name else f"_{struct_name}")


def message_fields(tables):
    """Every message as data: what tests write messages by, without the codecs."""
    out = ["// Generated by tools/wiregen.py.", '#include "wire/message_fields.h"', "", "namespace muir::wire {",
           "namespace {", ""]
    everything = [m for _, _, messages in tables for m in messages]
    for message in everything:
        for struct in message.structs + [message.root]:
            name = constant(message, struct.name)
            fields = [f for f in struct.fields if f.tag is None]
            fields += sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
            if fields:
                out += [f"constexpr FieldInfo {name}_fields[] = {{"] + [described(f, message) for f in fields] + ["};"]
            out.append(f"constexpr StructInfo {name}{{{f'{name}_fields' if fields else '{}'}}};")
    out += ["", "}  // namespace", "", "std::span<const MessageFields> message_fields() {",
            "  static constexpr MessageFields kMessages[] = {"]
    for m in everything:
        out.append(f'      {{"{m.name}", {m.versions.low}, {m.versions.high}, {m.flexible}, &{constant(m, m.name)}}},')
    return "\n".join(out + ["  };", "  return kMessages;", "}", "", "}  // namespace muir::wire", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--out", type=pathlib.Path, help="write everything below this folder")
    action.add_argument("--list", type=pathlib.Path, help="print the paths that --out would write")
    parser.add_argument("tables", nargs="+", type=pathlib.Path)
    options = parser.parse_args()

    tables = [parse(path) for path in sorted(options.tables)]
    files = {f"messages/{stem}.h": header(stem, messages) for stem, _, messages in tables}
    files |= {f"messages_{i}.cc": source(part) for i, part in enumerate(shard(tables))}
    files |= {"api_keys.h": api_tables(tables), "message_table.cc": message_table(tables),
              "message_fields.cc": message_fields(tables)}
    root = (options.out or options.list) / "wire"
    for name, text in files.items():
        if options.list:
            print(root / name)
            continue
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:  # unchanged files keep their time: fewer rebuilds
            path.write_text(text)


if __name__ == "__main__":
    main()
