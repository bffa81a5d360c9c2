// Writing and reading whole topics with Muir's client, as the other side of a foreign one. Owned by the test's thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "client/client.h"

namespace muir::interop {

struct Row {
  PartitionId partition;
  int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  auto operator<=>(const Row&) const = default;
};
// "p0 @12 key=value", with what is not printable as \xNN.
std::ostream& operator<<(std::ostream& out, const Row& row);

Result<std::unique_ptr<client::Client>> connect(const std::string& bootstrap);
Status create_topic(client::Client& client, const std::string& name, int32_t partitions);
// `partition` of the rows is ignored: the key decides.
Status write(client::Client& client, const std::string& topic, const std::vector<Row>& rows);

// Follows the committed records of topics from their start.
class Follower {
 public:
  static Result<Follower> start(client::Client& client, const std::vector<std::string>& topics);
  // Reads until `count` records of `topic` have come in all.
  Status read_until(const std::string& topic, size_t count, std::chrono::seconds timeout);
  [[nodiscard]] const std::vector<Row>& rows(const std::string& topic) { return rows_[topic]; }

 private:
  Status read_once();
  std::unique_ptr<client::Consumer> consumer_;
  std::map<std::string, std::vector<Row>> rows_;
};

// Everything committed in a topic, by partition, once no transaction on it is open.
Result<std::vector<Row>> read_topic(client::Client& client, const std::string& topic);

}  // namespace muir::interop
