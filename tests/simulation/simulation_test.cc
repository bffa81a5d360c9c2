// Applications under faults drawn from seeds against the same ones undisturbed.
//
//   MUIR_SIMULATION_SEED=17 build/dev/bin/simulation_test   repeats one seed and shows what befell whom
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/log.h"
#include "simulation/judge.h"

namespace muir::simulation {
namespace {

uint64_t seed_asked_for() {
  const char* seed = std::getenv("MUIR_SIMULATION_SEED");
  return seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10);
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
    if (seed_asked_for() == 0) log::set_level(log::Level::off);
  }
  ~Simulation() override { log::set_level(log::Level::info); }
};

TEST_F(Simulation, WhatBefallsAnApplicationDoesNotShowInItsResults) {
  const uint64_t asked = seed_asked_for();
  const uint64_t seeds = std::getenv("MUIR_TEST_LONG") != nullptr ? 2'000 : 80;
  int failed = 0;
  for (uint64_t seed = asked != 0 ? asked : 1; seed <= (asked != 0 ? asked : seeds) && failed < 5; ++seed) {
    const Setting setting = draw_setting(seed);
    const Outcome got = run_disturbed(setting);
    const auto wrong = judge(setting, run_undisturbed(setting), got);
    if (asked != 0) fmt::print("{}\n{}", to_string(setting), lines(got.trace, 100'000));
    if (wrong.empty()) continue;
    ++failed;
    ADD_FAILURE() << to_string(setting) << "\n"
                  << lines(wrong, 10) << "repeat it with: MUIR_SIMULATION_SEED=" << seed
                  << " build/dev/bin/simulation_test --gtest_filter='*DoesNotShow*'";
  }
}

TEST_F(Simulation, ASeedIsAlwaysTheSameRun) {
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    const Setting setting = draw_setting(seed);
    const Outcome one = run_disturbed(setting);
    const Outcome again = run_disturbed(setting);
    EXPECT_EQ(one.trace, again.trace) << to_string(setting);
    EXPECT_EQ(one.hash, again.hash) << to_string(setting);
    EXPECT_NE(one.hash, run_disturbed(draw_setting(seed + 100)).hash);
  }
}

// Each fault of this kind must show within so many seeds, or the simulation proves nothing.
TEST_F(Simulation, FindsWhatItMustFind) {
  const struct {
    Sabotage sabotage;
    uint64_t within;
  } cases[] = {
      {Sabotage::flush_does_not_wait, 20},    {Sabotage::changelogs_after_commit, 20},
      {Sabotage::restores_uncommitted, 60},   {Sabotage::reads_uncommitted, 60},
      {Sabotage::zombies_are_not_fenced, 60}, {Sabotage::unstable_offsets, 60},
      {Sabotage::restores_to_stable_end, 60}, {Sabotage::keeps_state_of_the_aborted, 60},
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
    if (std::getenv("MUIR_TEST_LONG") != nullptr) fmt::print("{}: {}", to_string(c.sabotage), how);
  }
}

}  // namespace
}  // namespace muir::simulation
