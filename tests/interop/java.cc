#include "java.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace muir::interop {
namespace {

constexpr char kFieldEnd = '\x1f';
constexpr char kLineEnd = '\x1e';
constexpr char kAnswerEnd = '\x04';
constexpr auto kToolTimeout = std::chrono::seconds(60);

testing::ChildProcess start_tools() {
  auto process = testing::ChildProcess::start(java_program("Tools.java", {}));
  CHECK(process.ok(), "{}", process.status().to_string());
  return std::move(*process);
}

}  // namespace

testing::ChildOptions java_program(const std::string& file, const std::vector<std::string>& arguments) {
  const std::string repository = MUIR_SOURCE_DIR;
  testing::ChildOptions options{
      .command = {"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                  "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                  // What consumers make of a broker's fetch sessions is no error to them.
                  "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.FetchSessionHandler=info", "-cp",
                  repository + "/build/kafka/libs/*", repository + "/tests/interop/" + file}};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  return options;
}

ToolAnswer run_tool(const std::string& main_class, const std::vector<std::string>& arguments,
                    const std::string& input) {
  static testing::ChildProcess tools = start_tools();
  std::string request = main_class + kFieldEnd + input;
  for (const auto& argument : arguments) request += kFieldEnd + argument;
  std::replace(request.begin(), request.end(), '\n', kLineEnd);
  ToolAnswer answer;
  if (const Status asked = tools.write_line(request); !asked.ok()) return {-1, asked.to_string()};
  while (true) {
    const auto line = tools.read_line(kToolTimeout);
    if (!line.ok()) return {-1, answer.output + line.status().to_string()};
    if (!line->empty() && line->front() == kAnswerEnd) {
      answer.exit_code = std::stoi(line->substr(1));
      return answer;
    }
    answer.output += *line + "\n";
  }
}

}  // namespace muir::interop
