#!/usr/bin/env python3
"""What tools/unity_groups.py puts together."""
import pathlib
import tempfile
import unittest

import unity_groups

PRIVATE = "namespace muir::x {\nnamespace {\n\n%s\n\n}  // namespace\n\n%s\n}  // namespace muir::x\n"

# what, one file, another, whether they are compiled together
CASES = [
    ("names of their own", PRIVATE % ("int one() { return 1; }", ""), PRIVATE % ("int two() { return 2; }", ""), True),
    ("the same private function", PRIVATE % ("int f() { return 1; }", ""), PRIVATE % ("int f() { return 2; }", ""), False),
    ("the same private type", PRIVATE % ("struct Row {};", ""), PRIVATE % ("class Row final {};", ""), False),
    ("the same constant", PRIVATE % ("constexpr int kMax = 1;", ""), PRIVATE % ("constexpr int kMax{2};", ""), False),
    ("a private name that a local has elsewhere", PRIVATE % ("int size = 0;", ""),
     PRIVATE % ("", "void g() {\n  int size = 1;\n}"), False),
    ("a private name that a member has elsewhere", PRIVATE % ("int size = 0;", ""),
     PRIVATE % ("", "void g() {\n  text.size();\n}"), True),
    ("a private name in a text and a comment elsewhere", PRIVATE % ("int size = 0;", ""),
     PRIVATE % ("", 'const char* g() { return "size"; }  // size'), True),
    ("public functions of the same name, which are overloads", PRIVATE % ("", "void g(int) {}"),
     PRIVATE % ("", "void g(char) {}"), True),
    ("the same alias of the same", PRIVATE % ("using Text = std::string;", ""),
     PRIVATE % ("using Text = std::string;", ""), True),
    ("the same alias of another", PRIVATE % ("using Text = std::string;", ""),
     PRIVATE % ("using Text = int;", ""), False),
    ("a whole namespace that is used", "using namespace std;\n", PRIVATE % ("", ""), False),
    ("macros", "#define F 1\n", PRIVATE % ("", ""), False),
    ("other namespaces, in which relative names differ", PRIVATE % ("", ""),
     "namespace muir::x::internal {\nvoid g() {}\n}  // namespace muir::x::internal\n", False),
]


class UnityGroups(unittest.TestCase):
    def test_files_that_know_each_others_private_names_stay_apart(self):
        for what, one, another, together in CASES:
            with self.subTest(what), tempfile.TemporaryDirectory() as folder:
                paths = [pathlib.Path(folder) / name for name in ("a.cc", "b.cc")]
                for path, text in zip(paths, (one, another)):
                    path.write_text(text)
                self.assertEqual(len(unity_groups.groups(map(str, paths))), 1 if together else 2)

    def test_a_group_has_a_limit(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [pathlib.Path(folder) / f"{i}.cc" for i in range(unity_groups.GROUP_MAX + 1)]
            for path in paths:
                path.write_text("namespace muir {}\n")
            self.assertEqual([len(g) for g in unity_groups.groups(map(str, paths))], [unity_groups.GROUP_MAX, 1])


if __name__ == "__main__":
    unittest.main()
