#include "topic_records.h"

#include <algorithm>
#include <ostream>

#include "client/kafka_client.h"

namespace muir::interop {
namespace {

using client::TopicPartition;

std::string printable(const std::optional<std::string>& bytes) {
  if (!bytes) return "null";
  std::string out;
  for (const char c : *bytes) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> owned(const OptBytesView& view) {
  return view ? std::optional<std::string>(*view) : std::nullopt;
}
OptBytesView view(const std::optional<std::string>& bytes) { return bytes ? OptBytesView(*bytes) : std::nullopt; }

Result<std::vector<TopicPartition>> partitions_of(client::Client& client, const std::string& topic) {
  const auto admin = MUIR_TRY(client.admin());
  const auto description = MUIR_TRY(admin->describe_topic(topic));
  std::vector<TopicPartition> out;
  for (int32_t p = 0; p < description.partitions; ++p) out.push_back({topic, PartitionId(p)});
  return out;
}

// A transaction's markers are written after its commit was answered.
Result<std::map<TopicPartition, Offset>> settled_ends(client::Admin& admin,
                                                      const std::vector<TopicPartition>& partitions) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (true) {
    auto stable =
        MUIR_TRY(admin.list_offsets(partitions, client::OffsetSpec::latest(), client::IsolationLevel::read_committed));
    const auto all = MUIR_TRY(
        admin.list_offsets(partitions, client::OffsetSpec::latest(), client::IsolationLevel::read_uncommitted));
    if (stable == all) return stable;
    if (std::chrono::steady_clock::now() > deadline) {
      return error(Code::timed_out, "a transaction on {} stays open", partitions.front().topic);
    }
  }
}

Row row_of(PartitionId partition, const client::ConsumedRecord& record) {
  Row row{partition, record.timestamp_ms, owned(record.key), owned(record.value), {}};
  for (const auto& header : record.headers) row.headers.emplace_back(header.name, owned(header.value));
  return row;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Row& row) {
  out << fmt::format("p{} @{} {}={}", row.partition, row.timestamp_ms, printable(row.key), printable(row.value));
  for (const auto& [name, value] : row.headers) out << " " << name << ":" << printable(value);
  return out;
}

Result<std::unique_ptr<client::Client>> connect(const std::string& bootstrap) {
  return client::connect_kafka({{"bootstrap.servers", bootstrap}});
}

Status create_topic(client::Client& client, const std::string& name, int32_t partitions) {
  const auto admin = MUIR_TRY(client.admin());
  return admin->create_topic(
      {.name = name, .partitions = partitions, .replication_factor = 1, .configs = {{"retention.ms", "-1"}}});
}

Status write(client::Client& client, const std::string& topic, const std::vector<Row>& rows) {
  const auto producer = MUIR_TRY(client.producer({{"linger.ms", "5"}}));
  std::vector<client::ProducedRecord> records;
  for (const auto& row : rows) {
    records.push_back(
        {.topic = topic, .key = view(row.key), .value = view(row.value), .timestamp_ms = row.timestamp_ms});
  }
  MUIR_RETURN_IF_ERROR(producer->send(records));
  return producer->flush(30'000);
}

Result<Follower> Follower::start(client::Client& client, const std::vector<std::string>& topics) {
  Follower out;
  out.consumer_ = MUIR_TRY(client.consumer({{"isolation.level", "read_committed"}}));
  std::vector<client::PartitionStart> all;
  for (const auto& topic : topics) {
    for (const auto& partition : MUIR_TRY(partitions_of(client, topic)))
      all.push_back({partition, client::kOffsetEarliest});
  }
  MUIR_RETURN_IF_ERROR(out.consumer_->assign(all));
  return out;
}

Status Follower::read_once() {
  const auto records = MUIR_TRY(consumer_->poll(100));
  for (const auto& part : records->partitions()) {
    auto& rows = rows_[part.partition.topic];
    for (const auto& record : part.records) rows.push_back(row_of(part.partition.partition, record));
  }
  return {};
}

Status Follower::read_until(const std::string& topic, size_t count, std::chrono::seconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (rows_[topic].size() < count) {
    MUIR_RETURN_IF_ERROR(read_once());
    if (std::chrono::steady_clock::now() > deadline) {
      return error(Code::timed_out, "{} of {} records of {} after {} s", rows_[topic].size(), count, topic,
                   timeout.count());
    }
  }
  return read_once();  // what should not be there counts too
}

Result<std::vector<Row>> read_topic(client::Client& client, const std::string& topic) {
  const auto partitions = MUIR_TRY(partitions_of(client, topic));
  const auto admin = MUIR_TRY(client.admin());
  const auto ends = MUIR_TRY(settled_ends(*admin, partitions));
  const auto starts =
      MUIR_TRY(admin->list_offsets(partitions, client::OffsetSpec::earliest(), client::IsolationLevel::read_committed));
  std::vector<Row> out;
  for (const auto& partition : partitions) {
    if (starts.at(partition) >= ends.at(partition)) continue;
    const auto consumer = MUIR_TRY(client.consumer({{"isolation.level", "read_committed"}}));
    MUIR_RETURN_IF_ERROR(consumer->assign({{partition, client::kOffsetEarliest}}));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (true) {
      const auto records = MUIR_TRY(consumer->poll(100));
      for (const auto& part : records->partitions()) {
        for (const auto& record : part.records) out.push_back(row_of(partition.partition, record));
      }
      const auto position = consumer->position(partition);
      if (position.ok() && *position >= ends.at(partition)) break;
      if (std::chrono::steady_clock::now() > deadline)
        return error(Code::timed_out, "{}-{} was not read to its end", topic, partition.partition);
    }
  }
  return out;
}

}  // namespace muir::interop
