"""What a file uses of the standard library must come with its own includes or with those of the project's headers that it
includes: the precompiled header of the daily build would hide what is missing until somebody builds without it.
"""
import functools
import re

# Header: names in std that only it is sure to bring. Those that nearly every header brings (size_t, move) are left out.
NAMES = {
    "algorithm": "all_of any_of clamp find find_if lower_bound max min none_of sort stable_partition stable_sort upper_bound",
    "array": "array", "atomic": "atomic", "bit": "bit_cast countl_zero countr_zero has_single_bit", "charconv": "from_chars to_chars",
    "cmath": "ceil floor isfinite isnan", "compare": "partial_ordering strong_ordering", "condition_variable": "condition_variable",
    "cstring": "memcmp memcpy strlen", "deque": "deque", "filesystem": "filesystem", "functional": "function",
    "future": "async future promise", "iterator": "back_inserter inserter", "limits": "numeric_limits", "list": "list",
    "map": "map multimap", "memory": "make_shared make_unique shared_ptr unique_ptr weak_ptr",
    "mutex": "lock_guard mutex scoped_lock unique_lock", "numeric": "accumulate iota", "optional": "nullopt optional",
    "queue": "priority_queue queue", "random": "mt19937 mt19937_64", "set": "multiset set", "span": "span",
    "string": "stoi stoll string to_string", "string_view": "string_view", "thread": "thread", "tuple": "tie tuple",
    "unordered_map": "unordered_map", "unordered_set": "unordered_set", "variant": "get_if monostate variant visit", "vector": "vector",
}
HEADER_OF = {name: header for header, names in NAMES.items() for name in names.split()}
# What a header is bound to bring along.
BRINGS = {"condition_variable": {"mutex"}, "map": {"compare"}, "set": {"compare"}, "string": {"compare", "iterator", "string_view"},
          "vector": {"compare"}}
INCLUDE = re.compile(r'^\s*#include\s+[<"]([^>"]+)[>"]', re.M)
USE = re.compile(r"\bstd::(?:ranges::)?(\w+)\b")
DEFAULTED_ORDER = re.compile(r"operator<=>\([^)]*\)\s*(?:const\s*)?=\s*default")


def check(texts, code):
    """`texts`: the sources by path; `code`: the same without comments and literals. Generated headers bring what they like."""
    direct = {path: INCLUDE.findall(text) for path, text in texts.items()}

    @functools.lru_cache(None)
    def reached(path):
        seen, headers, left = set(), set(), [path]
        while left:
            at = left.pop()
            if at in seen:
                continue
            seen.add(at)
            for name in direct[at]:
                own = next((p for p in (f"src/{name}", name) if p in direct), None)
                if own:
                    left.append(own)
                else:
                    headers.add(name)
        return headers.union(*(BRINGS.get(name, set()) for name in headers))

    for path in sorted(texts):
        missing = {}
        for number, line in enumerate(code[path].splitlines(), 1):
            for name in USE.findall(line):
                header = HEADER_OF.get(name)
                if header and header not in reached(path):
                    missing.setdefault(header, (number, f"std::{name}"))
            if DEFAULTED_ORDER.search(line) and "compare" not in reached(path):
                missing.setdefault("compare", (number, "a defaulted <=>"))
        for header, (number, name) in sorted(missing.items()):
            yield f"{path}:{number}: {name} without #include <{header}>"
