#include "broker/api/named_once.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace muir::broker {
namespace {

TEST(NamedOnce, TheFirstOfEachNameStaysAndTheOrderDoes) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<std::string> items(random() % 30);
    for (auto& item : items) {
      // Short ones lie within the strings, which are moved; long ones do not.
      item = Bytes(random() % 2 == 0 ? 1 : 40, static_cast<char>('a' + random() % 8));
    }
    std::vector<std::string> expected;
    std::set<std::string> seen;
    for (const auto& item : items) {
      if (seen.insert(item).second) expected.push_back(item);
    }
    keep_named_once(items, [](const std::string& item) { return std::string_view(item); });
    EXPECT_EQ(items, expected);
  }
}

}  // namespace
}  // namespace muir::broker
