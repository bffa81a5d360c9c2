// Applications under faults drawn from seeds against the same ones undisturbed.
//
//   MUIR_SIMULATION_SEED=17 build/dev/bin/simulation_test        repeats one seed and shows what befell whom
//   MUIR_SIMULATION_SEED=2000-4999 build/dev/bin/simulation_test  runs others than the usual ones
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "simulation/judge.h"

namespace muir::simulation {
namespace {

struct Seeds {
  uint64_t first = 1;
  uint64_t last = 0;
  [[nodiscard]] bool one() const { return first == last; }
};

bool long_run() { return std::getenv("MUIR_TEST_LONG") != nullptr; }

// Those asked for, or as many as there is time for.
Seeds seeds() {
  const char* asked = std::getenv("MUIR_SIMULATION_SEED");
  if (asked == nullptr) return {1, long_run() ? 1'000U : 200U};
  char* end = nullptr;
  const uint64_t first = std::strtoull(asked, &end, 10);
  return {first, *end == '-' ? std::strtoull(end + 1, nullptr, 10) : first};
}

std::string lines(const std::vector<std::string>& all, size_t most) {
  std::string out;
  for (size_t i = 0; i < all.size() && i < most; ++i) out += "  " + all[i] + "\n";
  if (all.size() > most) out += fmt::format("  and {} more\n", all.size() - most);
  return out;
}

class Simulation : public ::testing::Test {
 protected:
  Simulation() {
    if (!seeds().one()) log::set_level(log::Level::off);
  }
  ~Simulation() override { log::set_level(log::Level::info); }
};

TEST_F(Simulation, WhatBefallsAnApplicationDoesNotShowInItsResults) {
  const Seeds asked = seeds();
  int failed = 0;
  for (uint64_t seed = asked.first; seed <= asked.last && failed < 5; ++seed) {
    const Setting setting = draw_setting(seed);
    const Outcome got = run_disturbed(setting);
    const auto wrong = judge(setting, run_undisturbed(setting), got);
    if (asked.one()) fmt::print("{}\n{}hash {:016x}\n", to_string(setting), lines(got.trace, 100'000), got.hash);
    if (wrong.empty()) continue;
    ++failed;
    ADD_FAILURE() << to_string(setting) << "\n"
                  << lines(wrong, 10) << "repeat it with: MUIR_SIMULATION_SEED=" << seed
                  << " build/dev/bin/simulation_test --gtest_filter='*DoesNotShow*'";
  }
}

TEST_F(Simulation, ASeedIsAlwaysTheSameRun) {
  const Seeds asked = seeds();
  std::set<uint64_t> hashes;
  uint64_t count = 0;
  for (uint64_t seed = asked.first; seed <= std::min(asked.last, asked.first + (long_run() ? 999 : 59)); ++seed) {
    const Setting setting = draw_setting(seed);
    const Outcome one = run_disturbed(setting);
    const Outcome again = run_disturbed(setting);
    EXPECT_EQ(one.trace, again.trace) << to_string(setting);
    EXPECT_EQ(one.hash, again.hash) << to_string(setting);
    hashes.insert(one.hash);
    ++count;
  }
  EXPECT_EQ(hashes.size(), count) << "different seeds are the same run";
}

// Each fault of this kind must show within so many seeds, or the simulation proves nothing.
TEST_F(Simulation, FindsWhatItMustFind) {
  const struct {
    Sabotage sabotage;
    uint64_t within;
  } cases[] = {
      {Sabotage::flush_does_not_wait, 20},    {Sabotage::changelogs_after_commit, 20},
      {Sabotage::restores_uncommitted, 20},   {Sabotage::reads_uncommitted, 30},
      {Sabotage::zombies_are_not_fenced, 60}, {Sabotage::unstable_offsets, 90},
      {Sabotage::restores_to_stable_end, 90},
  };
  for (const auto& c : cases) {
    uint64_t found = 0;
    std::string how;
    for (uint64_t seed = 1; seed <= c.within && found == 0; ++seed) {
      const Setting setting = draw_setting(seed, c.sabotage);
      const auto wrong = judge(setting, run_undisturbed(setting), run_disturbed(setting, c.sabotage));
      if (wrong.empty()) continue;
      found = seed;
      how = to_string(setting) + "\n" + lines(wrong, 1);
    }
    EXPECT_GT(found, 0U) << to_string(c.sabotage) << " is not found within " << c.within << " seeds";
    if (long_run()) fmt::print("{}: {}", to_string(c.sabotage), how);
  }
}

}  // namespace
}  // namespace muir::simulation
