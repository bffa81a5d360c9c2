#include "streams_applications.h"

#include <algorithm>
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
std::string window_name(const streams::Windowed<std::string>& key, int64_t) {
  return fmt::format("{}@{}", key.key, key.window.start_ms);
}

void word_count(streams::StreamsBuilder& builder, const std::string& id, const std::string& input) {
  auto words = builder.stream<std::string, std::string>(input).flat_map_values(split).group_by(
      [](const std::string& word) { return word; }, {.name = "by-word"});
  words.count({.store = "counts"}).to_stream().map_values(as_text).to(id + "-out");
  words.windowed_by({.size = 10s, .grace = 1h})
      .count({.store = "windowed"})
      .to_stream()
      .select_key(window_name)
      .map_values(as_text)
      .to(id + "-windowed");
}

void operators(streams::StreamsBuilder& builder, const std::string& id, const std::string& input) {
  const auto customers = builder.table<std::string, std::string>(input + "-customers");
  const auto orders = builder.stream<std::string, std::string>(input + "-orders");
  const auto rates = builder.global_table<std::string, std::string>(input + "-rates");
  const auto any = [](const std::string&) { return true; };
  const auto initial = [](const std::string& order) { return order.substr(0, 1); };

  orders.join(customers, [](const std::string& order, const std::string& customer) { return order + "/" + customer; })
      .to(id + "-joined");
  orders
      .left_join(customers, [](const std::string& order,
                               const std::string* customer) { return order + "/" + (customer ? *customer : "null"); })
      .to(id + "-left");
  orders.filter(any)
      .join(rates, initial, [](const std::string& order, const std::string& rate) { return order + "*" + rate; })
      .to(id + "-rated");
  orders.group_by_key()
      .aggregate(std::string(), [](const std::string& order, std::string& all) { all += order + ","; })
      .to_stream()
      .to(id + "-aggregated");
  orders.group_by_key()
      .reduce([](const std::string& a, const std::string& b) { return std::max(a, b); })
      .to_stream()
      .to(id + "-greatest");
  orders.filter(any)
      .group_by(initial)
      .windowed_by({.size = 10s, .advance = 5s, .grace = 2s})
      .count()
      .to_stream()
      .select_key(window_name)
      .map_values(as_text)
      .to(id + "-hopping");
  orders.filter([](const std::string& order) { return order.starts_with("a"); })
      .select_key([](const std::string& order) { return order; })
      .repartition()
      .map_values([](const std::string& order) { return "<" + order + ">"; })
      .to(id + "-repartitioned");
  orders.to_table()
      .filter([](const std::string& order) { return !order.starts_with("b"); })
      .to_stream()
      .to(id + "-table");
  customers.group_by([](const std::string& customer) { return std::pair(customer.substr(0, 1), customer); })
      .count()
      .to_stream()
      .map_values(as_text)
      .to(id + "-regions");
}

Result<streams::Topology> make_topology(const Application& application) {
  streams::StreamsBuilder builder;
  if (application.name == "word-count") {
    word_count(builder, application.id, application.input);
  } else {
    operators(builder, application.id, application.input);
  }
  return builder.build();
}

// Brokers delete records that are older than a topic's retention.
int64_t recently_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - 1'200'000;
}

}  // namespace

OrderBook make_orders(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  OrderBook out;
  int64_t next_ms = recently_ms();
  const auto one_in = [&](uint32_t n) { return random() % n == 0; };
  for (size_t i = 0; i < count; ++i) {
    next_ms += 200 + random() % 300;
    Row row{PartitionId(0),
            next_ms,
            fmt::format("c{}", random() % 8),
            fmt::format("{}{}", static_cast<char>('a' + random() % 4), random() % 100),
            {}};
    if (one_in(20)) row.value.reset();
    if (one_in(4)) {
      out.customers.push_back(row);
      continue;
    }
    if (one_in(25)) row.key.reset();
    if (one_in(10)) row.timestamp_ms -= 7'000;  // late, for some windows too late
    out.orders.push_back(row);
  }
  for (const char* rate : {"a", "b", "c"})
    out.rates.push_back({PartitionId(0), next_ms, rate, std::string("rate-") + rate, {}});
  return out;
}

std::vector<Row> make_lines(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  static int64_t next_ms = recently_ms();  // lines made later continue in time
  std::vector<Row> lines;
  for (size_t i = 0; i < count; ++i) {
    std::string line;
    for (int word = 0; word < 5; ++word) line += fmt::format("{}word{}", word == 0 ? "" : " ", random() % 60);
    lines.push_back({PartitionId(0), next_ms += 37, fmt::format("line{}", random() % 1000), line, {}});
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
    if (row.value != std::to_string(before + 1))
      return fmt::format("{} went from {} to {}", key, before, row.value.value_or("(null)"));
    ++last[key];
  }
  for (const auto& [key, total] : totals) {
    if (last[key] != total) return fmt::format("{} ended at {}, not at {}", key, last[key], total);
  }
  return last.size() == totals.size() ? "" : "keys that were never sent";
}

Result<JvmApplication> JvmApplication::start(const std::string& bootstrap, const Application& application,
                                             const std::string& state_dir) {
  const auto program =
      java_program("Applications.java", {application.name, bootstrap, application.id, application.input, state_dir});
  return JvmApplication(MUIR_TRY(testing::ChildProcess::start(program)));
}

Status JvmApplication::close() {
  MUIR_RETURN_IF_ERROR(process_.write_line(""));
  std::string line = MUIR_TRY(process_.read_line(60s));
  if (line == "running") line = MUIR_TRY(process_.read_line(60s));
  if (line != "closed") return error(Code::internal, "the JVM said: {}", line);
  return process_.wait(30s).status();
}

void JvmApplication::kill() {
  process_.signal(SIGKILL);
  (void)process_.wait(10s);
}

Result<MuirApplication> MuirApplication::start(const std::string& bootstrap, const Application& application,
                                               const std::string& state_dir) {
  MuirApplication out;
  const auto config = MUIR_TRY(streams::StreamsConfig::parse({{"bootstrap.servers", bootstrap},
                                                              {"application.id", application.id},
                                                              {"state.dir", state_dir},
                                                              {"processing.guarantee", "exactly_once_v2"},
                                                              {"commit.interval.ms", "100"},
                                                              {"producer.transaction.timeout.ms", "5000"},
                                                              {"auto.offset.reset", "earliest"},
                                                              {"consumer.session.timeout.ms", "6000"},
                                                              {"consumer.heartbeat.interval.ms", "500"},
                                                              {"repartition.purge.interval.ms", "600000"}}));
  out.client_ = MUIR_TRY(client::connect_kafka({{"bootstrap.servers", bootstrap}}));
  const auto topology = MUIR_TRY(make_topology(application));
  out.streams_ = MUIR_TRY(streams::KafkaStreams::create(topology, config, *out.client_));
  MUIR_RETURN_IF_ERROR(out.streams_->start());
  MUIR_RETURN_IF_ERROR(out.streams_->wait_until_running(60'000));
  return out;
}

}  // namespace muir::interop
