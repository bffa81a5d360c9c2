#include "testing/mutations.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace muir::testing {
namespace {

constexpr uint64_t kSeed = 20261121;
constexpr size_t kPieceMax = 16;

class Mutator {
 public:
  Mutator(const std::vector<Bytes>& valid, std::string_view alphabet) : valid_(valid), alphabet_(alphabet) {}

  Bytes next() {
    Bytes bytes = valid_[below(valid_.size())];
    for (size_t changes = 1 + below(4); changes > 0; --changes) change(bytes);
    return bytes;
  }

 private:
  size_t below(size_t limit) { return static_cast<size_t>(random_() % limit); }
  char new_byte() {
    if (!alphabet_.empty() && below(4) != 0) return alphabet_[below(alphabet_.size())];
    constexpr std::string_view kEdges("\x00\x01\x7f\x80\xff", 5);
    return below(4) == 0 ? kEdges[below(kEdges.size())] : static_cast<char>(random_());
  }
  void change(Bytes& bytes) {
    const size_t at = below(bytes.size() + 1);
    const size_t length = 1 + below(kPieceMax);
    switch (below(8)) {
      case 0: bytes.resize(at); break;
      case 1: bytes.erase(at, length); break;
      case 2: bytes.insert(at, 1, new_byte()); break;
      case 3: bytes.insert(at, Bytes(bytes, at, length)); break;
      case 4: {
        const Bytes& other = valid_[below(valid_.size())];
        bytes.insert(at, Bytes(other, below(other.size() + 1), length));
        break;
      }
      default:
        if (at < bytes.size()) bytes[at] = new_byte();
    }
  }

  const std::vector<Bytes>& valid_;
  std::string_view alphabet_;
  std::mt19937_64 random_{kSeed};
};

void write_seeds(const std::filesystem::path& folder, const std::vector<Bytes>& valid) {
  std::filesystem::create_directories(folder);
  for (size_t i = 0; i < valid.size(); ++i) {
    std::ofstream file(folder / fmt::format("valid-{}", i), std::ios::binary);
    file << valid[i];
    ASSERT_TRUE(file.flush()) << folder;
  }
}

}  // namespace

void survive_mutations(std::string_view target, int (*entry)(BytesView), const std::vector<Bytes>& valid,
                       const MutationOptions& options) {
  ASSERT_FALSE(valid.empty()) << target;
  if (const char* folder = std::getenv("MUIR_TEST_FUZZ_SEEDS")) {
    return write_seeds(std::filesystem::path(folder) / target, valid);
  }
  for (const Bytes& bytes : valid) EXPECT_EQ(entry(bytes), 1) << target << " refuses " << hex(bytes);
  Mutator mutator(valid, options.alphabet);
  for (int i = 0; i < options.rounds; ++i) {
    const int decoded = entry(mutator.next());
    ASSERT_TRUE(decoded == 0 || decoded == 1) << target;
  }
}

}  // namespace muir::testing
