// What the example programs have in common: their arguments, their topics, and running until Ctrl-C.
// word_count.cc shows the same in one function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "streams/kafka_streams.h"
#include "streams/topology.h"

namespace examples {

struct Example {
  std::string name;  // of the program, and the application.id
  std::string about;
  muir::Result<muir::streams::Topology> topology;
  std::vector<std::string> topics;  // that it reads and writes: made when they are missing
  std::string dead_letters{};       // gets what cannot be read or processed; empty: such a record ends the application
  // Answers a line of the standard input while the application runs.
  std::function<std::string(muir::streams::KafkaStreams& app, const std::string& line)> answer{};
};

// NAME [BOOTSTRAP_SERVERS [KEY=VALUE...]], NAME --describe, NAME --help. The program's exit code.
int run(int argc, char** argv, const Example& example);

}  // namespace examples
