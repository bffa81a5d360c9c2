// survive_mutations(): the mutation test of a fuzz entry point, and the source of its libFuzzer program's corpus.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace muir::testing {

struct MutationOptions {
  int rounds = 10'000;
  std::string_view alphabet{};  // favoured for new bytes, such as the punctuation of a text format; empty: any byte
};

// Expects `entry`, which returns 1 for what it decodes and 0 for what it refuses, to decode every one of `valid`, and
// to come back from `rounds` mutations of them: bytes changed, inserted, erased, repeated, cut off, pieces of one in
// another. The same mutations every time. `target` is the entry's name in tools/fuzz_targets.py.
//
// With MUIR_TEST_FUZZ_SEEDS=<folder> it writes the valid inputs to <folder>/<target>/ instead: tools/fuzz.sh starts
// from them.
void survive_mutations(std::string_view target, int (*entry)(BytesView), const std::vector<Bytes>& valid,
                       const MutationOptions& options = {});

}  // namespace muir::testing
