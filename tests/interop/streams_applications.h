// The applications of Applications.java, for the JVM and on Muir Streams, with what they must come to.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "streams/kafka_streams.h"
#include "testing/child_process.h"
#include "topic_records.h"

namespace muir::interop {

// Lines of words with timestamps 37 ms apart that end about now, from a seed.
std::vector<Row> make_lines(size_t count, uint32_t seed);

// What "operators" reads: changes of customers and orders within some minutes, some without value, key, or in time.
struct OrderBook {
  std::vector<Row> customers;
  std::vector<Row> orders;
  std::vector<Row> rates;
};
OrderBook make_orders(size_t count, uint32_t seed);

struct Expected {
  std::map<std::string, int64_t> words;     // word -> count
  std::map<std::string, int64_t> windowed;  // "word@window start" -> count
  size_t updates = 0;
  void add(const std::vector<Row>& lines);
};

// Every count from 1 to the key's total must have been written exactly once and in order; "" or what is wrong.
std::string check_updates(const std::vector<Row>& rows, const std::map<std::string, int64_t>& totals);

// Which application: its name, its application.id, the topic or the prefix of the topics that it reads.
struct Application {
  std::string name;  // "word-count" or "operators"
  std::string id;
  std::string input;
};

// It on Kafka Streams for the JVM.
class JvmApplication {
 public:
  static Result<JvmApplication> start(const std::string& bootstrap, const Application& application,
                                      const std::string& state_dir);
  Status close();  // once it runs; leaves the group
  void kill();     // SIGKILL

 private:
  explicit JvmApplication(testing::ChildProcess process) : process_(std::move(process)) {}
  testing::ChildProcess process_;
};

// It on Muir Streams; close() leaves the group.
class MuirApplication {
 public:
  static Result<MuirApplication> start(const std::string& bootstrap, const Application& application,
                                       const std::string& state_dir);
  Status close() { return streams_->close(30'000); }
  [[nodiscard]] uint64_t records_processed() const { return streams_->metrics().records_processed; }

 private:
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<streams::KafkaStreams> streams_;
};

}  // namespace muir::interop
