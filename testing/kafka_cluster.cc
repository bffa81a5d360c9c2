#include "testing/kafka_cluster.h"

#include <filesystem>

namespace muir::testing {
namespace {

std::string repository() { return MUIR_SOURCE_DIR; }

// The value of a member in the fixture's one line of JSON; it has no escapes.
std::string member(const std::string& json, const std::string& name) {
  const std::string marker = "\"" + name + "\": \"";
  const size_t begin = json.find(marker);
  if (begin == std::string::npos) return {};
  const size_t from = begin + marker.size();
  return json.substr(from, json.find('"', from) - from);
}

}  // namespace

Result<KafkaCluster> KafkaCluster::start(int nodes, const std::map<std::string, std::string>& overrides,
                                         const std::string& tls_folder) {
  ChildOptions options{
      .command = {"python3", repository() + "/testing/kafka/cluster.py", "--nodes", std::to_string(nodes)}};
  for (const auto& [key, value] : overrides) {
    options.command.push_back("--set");
    options.command.push_back(key + "=" + value);
  }
  if (!tls_folder.empty()) options.command.insert(options.command.end(), {"--tls", tls_folder});
  auto process = MUIR_TRY(ChildProcess::start(options));
  const auto first = process.read_line(std::chrono::seconds(150));
  if (!first.ok()) return first.status().annotate("Apache Kafka did not start");
  std::string bootstrap = member(*first, "bootstrap");
  if (bootstrap.empty()) return error(Code::internal, "Kafka fixture said: {}", *first);
  return KafkaCluster(std::move(process), std::move(bootstrap), member(*first, "tls_bootstrap"));
}

// The end of its input tells the fixture to stop the brokers and remove their folder; then it may be killed.
KafkaCluster::~KafkaCluster() {
  if (process_.pid() <= 0) return;
  process_.close_stdin();
  (void)process_.wait(std::chrono::seconds(10));
}

Status KafkaCluster::command(const char* verb, int node) {
  MUIR_RETURN_IF_ERROR(process_.write_line(fmt::format("{} {}", verb, node)));
  const std::string answer = MUIR_TRY(process_.read_line(std::chrono::seconds(150)));
  return answer == "ok" ? Status() : error(Code::internal, "{} Kafka node {}: {}", verb, node, answer);
}

ChildOptions KafkaCluster::tool(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string path = program.ends_with(".java") ? repository() + "/" + program : program;
  ChildOptions options{.command = {"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                                   repository() + "/build/kafka/libs/*", path}};
  options.command.insert(options.command.end(), arguments.begin(), arguments.end());
  return options;
}

}  // namespace muir::testing
