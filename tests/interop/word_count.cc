#include "word_count.h"

#include <csignal>
#include <random>

#include "base/clock.h"
#include "client/kafka_client.h"
#include "java.h"
#include "streams/dsl.h"

namespace muir::interop {
namespace {

using namespace std::chrono_literals;
constexpr int64_t kWindowMs = 10'000;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  size_t from = 0;
  while (from <= line.size()) {
    const size_t to = std::min(line.find(' ', from), line.size());
    words.push_back(line.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

std::string as_text(int64_t count) { return std::to_string(count); }

Result<streams::Topology> word_count(const std::string& application, const std::string& input) {
  streams::StreamsBuilder builder;
  auto words = builder.stream<std::string, std::string>(input).flat_map_values(split).group_by(
      [](const std::string& word) { return word; }, {.name = "by-word"});
  words.count({.store = "counts"}).to_stream().map_values(as_text).to(application + "-out");
  words.windowed_by({.size = 10s, .grace = 1h})
      .count({.store = "windowed"})
      .to_stream()
      .select_key([](const streams::Windowed<std::string>& key, int64_t) { return fmt::format("{}@{}", key.key, key.window.start_ms); })
      .map_values(as_text)
      .to(application + "-windowed");
  return builder.build();
}

}  // namespace

std::vector<Row> make_lines(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  // One start for the whole process, so that lines made later continue in time.
  static int64_t next_ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count() - 600'000;
  std::vector<Row> lines;
  for (size_t i = 0; i < count; ++i) {
    std::string line;
    for (int word = 0; word < 5; ++word) line += fmt::format("{}word{}", word == 0 ? "" : " ", random() % 60);
    lines.push_back({0, next_ms += 37, fmt::format("line{}", random() % 1000), line, {}});
  }
  return lines;
}

void Expected::add(const std::vector<Row>& lines) {
  for (const auto& line : lines) {
    for (const auto& word : split(*line.value)) {
      ++words[word];
      ++windowed[fmt::format("{}@{}", word, line.timestamp_ms / kWindowMs * kWindowMs)];
      ++updates;
    }
  }
}

std::string check_updates(const std::vector<Row>& rows, const std::map<std::string, int64_t>& totals) {
  std::map<std::string, int64_t> last;
  for (const auto& row : rows) {
    const std::string key = row.key.value_or("(null)");
    const int64_t before = last[key];
    if (row.value != std::to_string(before + 1)) return fmt::format("{} went from {} to {}", key, before, row.value.value_or("(null)"));
    ++last[key];
  }
  for (const auto& [key, total] : totals) {
    if (last[key] != total) return fmt::format("{} ended at {}, not at {}", key, last[key], total);
  }
  return last.size() == totals.size() ? "" : "keys that were never sent";
}

Result<JvmWordCount> JvmWordCount::start(const std::string& bootstrap, const std::string& application, const std::string& input, const std::string& state_dir) {
  const auto program = java_program("WordCount.java", {bootstrap, application, input, state_dir});
  return JvmWordCount(MUIR_TRY(testing::ChildProcess::start(program)));
}

Status JvmWordCount::close() {
  MUIR_RETURN_IF_ERROR(process_.write_line(""));
  std::string line = MUIR_TRY(process_.read_line(60s));
  if (line == "running") line = MUIR_TRY(process_.read_line(60s));
  if (line != "closed") return error(Code::internal, "the JVM said: {}", line);
  return process_.wait(30s).status();
}

void JvmWordCount::kill() {
  process_.signal(SIGKILL);
  (void)process_.wait(10s);
}

Result<MuirWordCount> MuirWordCount::start(const std::string& bootstrap, const std::string& application, const std::string& input, const std::string& state_dir) {
  MuirWordCount out;
  const auto config = MUIR_TRY(streams::StreamsConfig::parse({{"bootstrap.servers", bootstrap},
                                                              {"application.id", application},
                                                              {"state.dir", state_dir},
                                                              {"processing.guarantee", "exactly_once_v2"},
                                                              {"commit.interval.ms", "100"},
                                                              {"auto.offset.reset", "earliest"},
                                                              {"consumer.session.timeout.ms", "6000"},
                                                              {"consumer.heartbeat.interval.ms", "500"},
                                                              {"repartition.purge.interval.ms", "600000"}}));
  out.client_ = MUIR_TRY(client::connect_kafka({{"bootstrap.servers", bootstrap}}));
  const auto topology = MUIR_TRY(word_count(application, input));
  out.streams_ = MUIR_TRY(streams::KafkaStreams::create(topology, config, *out.client_));
  MUIR_RETURN_IF_ERROR(out.streams_->start());
  MUIR_RETURN_IF_ERROR(out.streams_->wait_until_running(60'000));
  return out;
}

}  // namespace muir::interop
