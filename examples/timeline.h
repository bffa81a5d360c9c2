// Timelines: rows of what comes in, and when, and what the topology then writes. Keys and values are the bytes of the
// topics, which in these examples are text; within them ' stands for ", so that JSON can be read.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "streams/test_driver.h"
#include "streams/topology.h"

namespace examples {

using Text = std::optional<std::string>;  // nothing: null

// In place of a topic: the wall clock moves to the row's time.
inline constexpr const char* kWallClock = "(wall clock)";

struct Step {
  std::string at;  // "10:00:05", "10:00:05.250": the record's timestamp, counted from midnight
  std::string topic;
  Text key{};
  Text value{};
  std::vector<std::string> want{};               // "topic key value @10:00:05", topics in alphabetical order
  std::map<std::string, std::string> headers{};  // that the record comes with
};

struct TimelineOptions {
  std::string dead_letters{};          // as the program has it; empty: a failure ends the timeline
  std::vector<std::string> topics{};   // the only ones that are looked at; none: all
  std::vector<std::string> headers{};  // shown behind a record's value, as name=value
  // How keys that are no text are shown, by topic.
  std::map<std::string, std::function<std::string(const std::string& key)>> keys{};
};

// One driver; rows may be run in several parts, with restarts or looks into stores between them.
class Timeline {
 public:
  explicit Timeline(const muir::Result<muir::streams::Topology>& topology, TimelineOptions options = {});

  // Expects of each row exactly what it says.
  void run(const std::vector<Step>& steps);
  [[nodiscard]] muir::streams::TestDriver& driver() { return *driver_; }

 private:
  muir::Status feed(const Step& step);
  std::vector<std::string> written();

  TimelineOptions options_;
  std::unique_ptr<muir::streams::TestDriver> driver_;
};

// "10:00:05" in milliseconds since midnight; and back, without milliseconds where there are none.
int64_t at_ms(const std::string& time);
std::string time_of(int64_t ms);

}  // namespace examples
