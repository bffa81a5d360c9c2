#include "apps/vts/health.h"

#include <gtest/gtest.h>

#include "apps/vts/cluster_watch.h"
#include "client/cluster_memory.h"

namespace muir::vts {
namespace {

using State = streams::StreamsState;

TEST(Health, SaysWhetherPositionsAreProcessed) {
  const Status none;
  const Status poisoned = error(Code::invalid_argument, "task 0_1 topic=vehicle.master offset=7: \"poisoned\"");
  struct Row {
    State state;
    const Status& failing;
    bool has_run;
    int status;
    const char* body;
  };
  for (const Row& row : std::initializer_list<Row>{
           {State::created, none, false, 503, R"("failing","processing":"starting","why":"positions are taken, and)"},
           {State::rebalancing, none, false, 503, R"("failing","processing":"starting")"},
           {State::running, none, true, 200, R"({"status":"ok","processing":"running"})"},
           {State::rebalancing, none, true, 200, R"({"status":"ok","processing":"rebalancing"})"},
           {State::running, poisoned, true, 503,
            R"("stopped","why":"task 0_1 topic=vehicle.master offset=7: \"poisoned\"")"},
           {State::rebalancing, poisoned, true, 503, R"("processing":"stopped")"},
           {State::rebalancing, poisoned, false, 503, R"("processing":"stopped")"},
           {State::error, poisoned, true, 503, R"("processing":"stopped")"},
           {State::error, none, true, 503, R"("processing":"stopped","why":"the log says why")"},
           {State::pending_shutdown, none, true, 503, R"("processing":"stopped","why":"the process ends")"},
       }) {
    const net::HttpResponse response = answer(health_of(row.state, row.failing, row.has_run));
    EXPECT_EQ(response.status, row.status) << row.body;
    EXPECT_NE(response.body.find(row.body), std::string::npos) << response.body;
  }
}

TEST(ClusterWatch, SpeaksOfASilenceThatLasts) {
  struct Row {
    const char* what;
    int64_t at_ms;
    bool answers;
    const char* silence;
  };
  client::MemoryCluster cluster(system_clock());
  const auto client = cluster.client();
  ClusterWatch watch(*client);
  EXPECT_TRUE(watch.silence(0).ok()) << "nothing has been asked yet";
  for (const Row& row : std::initializer_list<Row>{
           {"it answers", 1'000, true, ""},
           {"not now", 3'000, false, ""},
           {"nor for some time", 12'999, false, ""},
           {"for long", 13'000, false, "the cluster does not answer: refused"},
           {"for longer", 90'000, false, "the cluster does not answer: refused"},
           {"it answers again", 92'000, true, ""},
           {"not now", 93'000, false, ""},
           {"it does", 95'000, true, ""},
           {"not now", 104'000, false, ""},
       }) {
    watch.heard(row.answers ? Status() : error(Code::unavailable, "refused"), row.at_ms);
    EXPECT_EQ(watch.silence(row.at_ms).message(), row.silence) << row.what << " at " << row.at_ms;
  }
}

}  // namespace
}  // namespace muir::vts
