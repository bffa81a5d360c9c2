#include "registry/given_ids.h"

#include <gtest/gtest.h>

#include <climits>
#include <random>
#include <set>
#include <vector>

namespace muir::registry {
namespace {

TEST(GivenIds, GoOnAfterTheLargestThatHasAFreeOneBehindIt) {
  struct Row {
    const char* what;
    std::vector<int> given;
    std::optional<int> next;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"the first", {}, 1},
           {"the next", {1, 2, 3}, 4},
           {"not those in between", {1, 3, 100'001}, 100'002},
           {"not in order", {3, 1, 2}, 4},
           {"given twice", {1, 1, 2, 1}, 3},
           {"the last but one", {1, INT_MAX - 1}, INT_MAX},
           {"none is left behind the last", {1, 2, 3, INT_MAX}, 4},
           {"nor behind some", {1, 2, 7, INT_MAX - 1, INT_MAX, INT_MAX - 2}, 8},
           {"of imports nothing else", {INT_MAX}, 1},
           {"others' ids that are none", {0, -1, INT_MIN}, 1},
           {"others' and the last", {0, -5, INT_MAX}, 1},
       }) {
    GivenIds ids;
    for (const int id : row.given) ids.add(id);
    EXPECT_EQ(ids.next(), row.next) << row.what;
  }
}

TEST(GivenIds, AreGivenOnce) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    GivenIds ids;
    std::set<int> given;
    for (int i = 0; i < 60; ++i) {
      int id = 0;
      switch (random() % 4) {
        case 0: id = INT_MAX - static_cast<int>(random() % 20); break;
        case 1: id = static_cast<int>(random() % 30); break;
        default:
          id = ids.next().value();
          ASSERT_FALSE(given.contains(id)) << id;
          ASSERT_GE(id, 1);
      }
      ids.add(id);
      given.insert(id);
    }
  }
}

}  // namespace
}  // namespace muir::registry
