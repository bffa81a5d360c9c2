// Requests that a client sends without waiting for answers take effect in the order in which they were sent.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "broker/internal/broker_fixture.h"
#include "broker/internal/scripted_client_fixture.h"

namespace muir::broker {
namespace {

// A script whose answers do not depend on how quickly it is asked: a transaction that has been ended is not looked at
// until the next one has begun, which waits for its markers.
std::string random_script(std::mt19937& random) {
  std::string out;
  bool ended = false;
  for (int i = 0; i < 60; ++i) {
    const char step = "aapoce1xPlkgnmwppc"[random() % 18];
    const bool needs_the_end = step == 'e' || step == 'x' || step == 'l' || step == 'w' || step == 'P' || step == '1';
    if (ended && needs_the_end) continue;
    if (step == 'e' || step == 'x') ended = true;
    if (step == 'a' || step == 'o') ended = false;
    out.push_back(step);
  }
  return out;
}

TEST(Pipeline, RequestsTakeEffectInTheirOrderWhateverTheyWaitFor) {
  const struct {
    const char* name;
    const char* script;
  } cases[] = {
      {"a transaction", "ape"},
      {"two transactions", "apeape"},
      {"offsets in a transaction", "aopcape"},
      {"an aborted one and a committed one", "apxape"},
      {"a transaction ended before it began", "pce"},
      {"a topic grows and is described", "nmnm"},
      {"offsets are committed and asked for", "kgkg"},
      {"records are written and looked for", "Pl1lPl1l"},
      {"a long poll comes before the records", "wPw1w"},
  };
  TestBroker broker;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ScriptedClient patient(broker->port(), std::string("patient-") + c.script);
    ScriptedClient eager(broker->port(), std::string("eager-") + c.script);
    EXPECT_EQ(eager.pipelined(c.script), patient.one_at_a_time(c.script));
  }
}

TEST(Pipeline, RandomRequestsAreAnsweredAsIfSentOneAtATime) {
  TestBroker broker;
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    std::mt19937 random(seed);
    const std::string script = random_script(random);
    SCOPED_TRACE(std::to_string(seed) + ": " + script);
    ScriptedClient patient(broker->port(), "patient-" + std::to_string(seed));
    ScriptedClient eager(broker->port(), "eager-" + std::to_string(seed));
    EXPECT_EQ(eager.pipelined(script), patient.one_at_a_time(script));
  }
}

TEST(Pipeline, AHundredTransactionsInOneGo) {
  TestBroker broker;
  ScriptedClient client(broker->port(), "t");
  std::string script;
  for (int i = 0; i < 100; ++i) script += "apoce";
  for (const std::string& answer : client.pipelined(script))
    EXPECT_TRUE(answer.find(" 0") != std::string::npos) << answer;
}

}  // namespace
}  // namespace muir::broker
