#!/usr/bin/env python3
"""The house rules, each shown by a small tree that breaks it."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tidy

GOOD = {
    "src/base/CMakeLists.txt": "muir_module(base)\n",
    "src/base/README.md": "# base\n",
    "src/base/a.h": "// A.\n#pragma once\n",
    "src/base/a.cc": '#include "base/a.h"\n',
    "src/net/CMakeLists.txt": "muir_module(net DEPS base)\n",
    "src/net/README.md": "# net\n",
    "src/net/n.cc": '#include "base/a.h"\n',
}

# name, files laid over the good tree, a part of the one breach expected
CASES = [
    ("a clean tree has no breach", {}, None),
    ("a module includes only its DEPS", {"src/base/b.cc": '#include "net/x.h"\n'}, "net is not among its DEPS"),
    ("a dependency is of a lower level", {"src/base/CMakeLists.txt": "muir_module(base DEPS net)\n"}, "not of a lower level"),
    ("headers in folders are private", {"src/net/n.cc": '#include "base/a.h"\n#include "base/internal/x.h"\n'}, "private to base"),
    ("fixtures are for tests", {"src/net/m.cc": '#include "testing/temp_dir.h"\n'}, "for tests only"),
    ("heavy headers stay in sources", {"src/base/a.h": "// A.\n#pragma once\n#include <rocksdb/db.h>\n"}, "stays in .cc"),
    ("clocks are injected", {"src/net/m.cc": "auto t = std::chrono::system_clock::now();\n"}, "take a Clock&"),
    ("what a comment says is not code", {"src/net/m.cc": "// std::cout is banned\n"}, None),
    ("tests do not sleep", {"src/net/m_test.cc": "std::this_thread::sleep_for(x);\n"}, "wait for a condition"),
    ("headers are short", {"src/base/a.h": "// A.\n#pragma once\n" + "\n" * 401}, "the limit is 400"),
    ("headers open with a comment", {"src/base/a.h": "#pragma once\n"}, "opens with a comment"),
    ("unused headers go", {"src/base/unused.h": "// B.\n#pragma once\n"}, "nothing includes it"),
    ("documents name what exists", {"docs/x.md": "# X\nSee `src/base/gone.h`.\n"}, "does not exist"),
    ("documents link to what exists", {"docs/x.md": "# X\n[y](y.md)\n"}, "links to y.md"),
    ("documents have one title", {"docs/x.md": "# X\n# Y\n"}, "2 titles"),
    ("fuzz entries are tested", {"src/net/n.h": "// N.\n#pragma once\nint fuzz_n(BytesView input);\n", "src/net/n.cc": '#include "net/n.h"\n'},
     'no test calls survive_mutations("net_n", ...)'),
    ("a tested fuzz entry is fine", {"src/net/n.h": "// N.\n#pragma once\nint fuzz_n(BytesView input);\n", "src/net/n.cc": '#include "net/n.h"\n',
                                     "src/net/n_test.cc": 'testing::survive_mutations("net_n", fuzz_n, {""});\n'}, None),
    ("a fuzz entry's test is in a suite of that name",
     {"src/net/n.h": "// N.\n#pragma once\nint fuzz_n(BytesView input);\n",
      "src/net/n_test.cc": '#include "net/n.h"\nTEST(N, Survives) {\n  testing::survive_mutations("net_n", fuzz_n, {""});\n}\n'},
     "the suite's name begins with Fuzz"),
    ("no test names a fuzz entry that is gone", {"src/net/n_test.cc": 'testing::survive_mutations("net_n", fuzz_n, {""});\n'},
     "no header declares such a fuzz entry"),
    ("what is used of the standard library is included",
     {"src/net/m.h": "// M.\n#pragma once\n#include <vector>\ninline std::set<std::vector<int>> s;\n", "src/net/m.cc": '#include "net/m.h"\n'},
     "std::set without #include <set>"),
    ("or comes with a header of ours",
     {"src/net/m.h": "// M.\n#pragma once\n#include <set>\n", "src/net/m.cc": '#include "net/m.h"\nstd::set<int> s;\n'}, None),
    ("a defaulted order is compared", {"src/net/m.cc": "struct A { auto operator<=>(const A&) const = default; };\n"}, "<compare>"),
    ("modules have a README", {"src/wire/CMakeLists.txt": "muir_module(wire DEPS base)\n"}, "has no README.md"),
    ("files are named after a subject", {"src/net/utils.cc": "\n"}, "one subject"),
    ("unfinished work is not left", {"src/net/m.cc": "// TO" "DO\n"}, "unfinished"),
]


class Rules(unittest.TestCase):
    def test_each_rule(self):
        for name, files, expected in CASES:
            with self.subTest(name), tempfile.TemporaryDirectory() as root:
                for path, text in {**GOOD, **files}.items():
                    target = pathlib.Path(root) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(text)
                breaches = tidy.check(root)
                if expected is None:
                    self.assertEqual(breaches, [])
                else:
                    self.assertEqual(len(breaches), 1, breaches)
                    self.assertIn(expected, breaches[0])


if __name__ == "__main__":
    unittest.main()
