#include "apps/vts/health.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace muir::vts
