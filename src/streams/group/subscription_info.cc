#include "streams/group/subscription_info.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "base/cursor.h"

namespace muir::streams::internal {
namespace {

using client::TopicPartition;

constexpr int16_t kConsumerProtocolVersion = 3;

void write_string(ByteWriter& out, std::string_view text) {  // also DataOutput.writeUTF: topic and host names are ASCII
  out.i16(static_cast<int16_t>(text.size()));
  out.bytes(text);
}
void write_bytes(ByteWriter& out, OptBytesView bytes) {
  out.i32(bytes ? static_cast<int32_t>(bytes->size()) : -1);
  if (bytes) out.bytes(*bytes);
}
std::string read_string(ByteReader& in) {
  const auto size = static_cast<uint16_t>(in.i16());
  return std::string(in.bytes(size));
}
OptBytes read_nullable_string(ByteReader& in) {
  const int16_t size = in.i16();
  if (size < 0) return std::nullopt;
  return Bytes(in.bytes(static_cast<size_t>(size)));
}
OptBytes read_bytes(ByteReader& in) {
  const int32_t size = in.i32();
  if (size < 0) return std::nullopt;
  return Bytes(in.bytes(static_cast<size_t>(size)));
}
// An element takes at least `bytes_min` bytes: a count that cannot be true is refused before memory is reserved.
size_t read_count(ByteReader& in, size_t bytes_min) {
  const int32_t count = in.i32();
  if (count < 0 || static_cast<size_t>(count) > in.remaining() / bytes_min) {
    in.fail();
    return 0;
  }
  return static_cast<size_t>(count);
}

// Partitions grouped by topic, both in ascending order.
void write_topic_partitions(ByteWriter& out, std::vector<TopicPartition> partitions) {
  std::sort(partitions.begin(), partitions.end());
  const size_t count_at = out.size();
  out.i32(0);
  int32_t topics = 0;
  for (size_t i = 0; i < partitions.size();) {
    size_t end = i;
    while (end < partitions.size() && partitions[end].topic == partitions[i].topic) ++end;
    write_string(out, partitions[i].topic);
    out.i32(static_cast<int32_t>(end - i));
    for (; i < end; ++i) out.i32(partitions[i].partition.value());
    ++topics;
  }
  out.patch_be(count_at, topics);
}
std::vector<TopicPartition> read_topic_partitions(ByteReader& in) {
  std::vector<TopicPartition> out;
  for (size_t topics = read_count(in, 6); topics > 0; --topics) {
    const std::string topic = read_string(in);
    for (size_t n = read_count(in, 4); n > 0; --n) out.push_back({topic, PartitionId(in.i32())});
  }
  return out;
}

Status truncated(std::string_view what) {
  return error(Code::invalid_argument, "decode {}: the bytes end early or a length is wrong", what);
}

void write_task(ByteWriter& out, const TaskId& task, int32_t version) {
  out.i32(task.subtopology);
  out.i32(task.partition.value());
  if (version >= 10) out.i32(0);  // no named topology
}
TaskId read_task(ByteReader& in, int32_t version) {
  TaskId task;
  task.subtopology = in.i32();
  task.partition = PartitionId(in.i32());
  if (version >= 10) {
    const size_t chars = read_count(in, 2);
    in.skip(chars * 2);
  }
  return task;
}

using HostMap = std::map<HostInfo, std::vector<TopicPartition>>;
void write_hosts(ByteWriter& out, const HostMap& hosts, const std::map<std::string, int32_t>& topic_ids) {
  out.i32(static_cast<int32_t>(hosts.size()));
  for (const auto& [host, partitions] : hosts) {
    write_string(out, host.host);
    out.i32(host.port);
    out.i32(static_cast<int32_t>(partitions.size()));
    for (const auto& tp : partitions) {
      out.i32(topic_ids.at(tp.topic));
      out.i32(tp.partition.value());
    }
  }
}
void read_hosts(ByteReader& in, const std::map<int32_t, std::string>& topics, HostMap& hosts) {
  for (size_t n = read_count(in, 10); n > 0; --n) {
    HostInfo host;
    host.host = read_string(in);
    host.port = in.i32();
    auto& partitions = hosts[host];
    for (size_t m = read_count(in, 8); m > 0; --m) {
      const int32_t topic = in.i32();
      const PartitionId partition(in.i32());
      if (const auto found = topics.find(topic); found != topics.end()) {
        partitions.push_back({found->second, partition});
      } else {
        in.fail();
      }
    }
  }
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(BytesView in) {
  std::string out;
  for (size_t i = 0; i < in.size(); i += 3) {
    uint32_t bits = 0;
    const size_t n = std::min<size_t>(3, in.size() - i);
    for (size_t j = 0; j < 3; ++j) bits = bits << 8 | (j < n ? static_cast<uint8_t>(in[i + j]) : 0u);
    for (size_t j = 0; j < 4; ++j) out += j <= n ? kBase64[bits >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::optional<Bytes> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  Bytes out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const char* at = std::find(kBase64, kBase64 + 64, c);
    if (at == kBase64 + 64) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(at - kBase64);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return out;
}

}  // namespace

ProcessId random_process_id() {
  std::random_device random;
  ProcessId id;
  for (auto& byte : id) byte = static_cast<uint8_t>(random());
  id[6] = static_cast<uint8_t>((id[6] & 0x0f) | 0x40);  // RFC 4122, version 4
  id[8] = static_cast<uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

std::string to_string(const ProcessId& id) {
  std::string out;
  for (size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", id[i]);
  }
  return out;
}

Result<ProcessId> parse_process_id(std::string_view text) {
  ProcessId id{};
  size_t digits = 0;
  for (const char c : text) {
    if (c == '-') continue;
    uint8_t nibble = 0;
    if (c >= '0' && c <= '9')
      nibble = static_cast<uint8_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      nibble = static_cast<uint8_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      nibble = static_cast<uint8_t>(c - 'A' + 10);
    else
      digits = 99;
    if (digits >= 32) return error(Code::invalid_argument, "process id \"{}\" is no UUID", text);
    id[digits / 2] = static_cast<uint8_t>(id[digits / 2] << 4 | nibble);
    ++digits;
  }
  if (digits != 32) return error(Code::invalid_argument, "process id \"{}\" is no UUID", text);
  return id;
}

Result<HostInfo> parse_host(std::string_view text) {
  if (text.empty()) return HostInfo{};
  const size_t colon = text.rfind(':');
  HostInfo host;
  if (colon != std::string_view::npos) {
    host.host = std::string(text.substr(0, colon));
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, host.port);
    if (parsed.ec == std::errc() && parsed.ptr == end && host.port > 0 && host.port < 65536 && colon > 0) return host;
  }
  return error(Code::invalid_argument, "application.server \"{}\" is not host:port", text);
}

Bytes encode(const ConsumerSubscription& subscription) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.i16(kConsumerProtocolVersion);
  out.i32(static_cast<int32_t>(subscription.topics.size()));
  for (const auto& topic : subscription.topics) write_string(out, topic);
  write_bytes(out, to_view(subscription.user_data));
  write_topic_partitions(out, subscription.owned);
  out.i32(subscription.generation_id.value());
  if (subscription.rack_id) {
    write_string(out, *subscription.rack_id);
  } else {
    out.i16(-1);
  }
  return bytes;
}

Result<ConsumerSubscription> decode_consumer_subscription(BytesView bytes) {
  ByteReader in(bytes);
  ConsumerSubscription out;
  const int16_t version = in.i16();
  if (version < 0) return truncated("consumer subscription");
  for (size_t n = read_count(in, 2); n > 0; --n) out.topics.push_back(read_string(in));
  out.user_data = read_bytes(in);
  if (version >= 1) out.owned = read_topic_partitions(in);
  if (version >= 2) out.generation_id = GenerationId(in.i32());
  if (version >= 3) out.rack_id = read_nullable_string(in);
  if (!in.ok()) return truncated("consumer subscription");
  return out;
}

Bytes encode(const ConsumerAssignment& assignment) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.i16(kConsumerProtocolVersion);
  write_topic_partitions(out, assignment.partitions);
  write_bytes(out, to_view(assignment.user_data));
  return bytes;
}

Result<ConsumerAssignment> decode_consumer_assignment(BytesView bytes) {
  ConsumerAssignment out;
  if (bytes.empty()) return out;  // what a coordinator gives a member that the leader left out
  ByteReader in(bytes);
  if (in.i16() < 0) return truncated("consumer assignment");
  out.partitions = read_topic_partitions(in);
  out.user_data = read_bytes(in);
  if (!in.ok()) return truncated("consumer assignment");
  return out;
}

Bytes encode(const SubscriptionInfo& info) {
  CHECK(info.version >= kAssignmentVersionOldest && info.version <= kAssignmentVersionLatest, "version {}",
        info.version);
  Bytes bytes;
  ByteWriter out(bytes);
  out.i32(info.version);
  out.i32(info.latest_supported);
  out.bytes(BytesView(reinterpret_cast<const char*>(info.process_id.data()), info.process_id.size()));
  write_bytes(out, BytesView(info.user_endpoint));
  if (info.version >= 10) {
    out.i32(static_cast<int32_t>(info.task_offset_sums.size()));
    for (const auto& sum : info.task_offset_sums) {
      out.i32(sum.task.subtopology);
      out.i32(sum.task.partition.value());
      out.i64(sum.offset_sum);
      out.i16(-1);  // no named topology
    }
  } else {
    std::map<int32_t, std::vector<std::pair<PartitionId, int64_t>>> groups;
    for (const auto& sum : info.task_offset_sums) {
      groups[sum.task.subtopology].emplace_back(sum.task.partition, sum.offset_sum);
    }
    out.i32(static_cast<int32_t>(groups.size()));
    for (const auto& [subtopology, sums] : groups) {
      out.i32(subtopology);
      out.i32(static_cast<int32_t>(sums.size()));
      for (const auto& [partition, sum] : sums) {
        out.i32(partition.value());
        out.i64(sum);
      }
    }
  }
  if (info.version >= 8) out.i8(info.unique_field);
  if (info.version >= 9) out.i32(info.error_code);
  if (info.version >= 11) {
    out.i32(static_cast<int32_t>(info.client_tags.size()));
    for (const auto& [key, value] : info.client_tags) {
      write_bytes(out, BytesView(key));
      write_bytes(out, BytesView(value));
    }
  }
  return bytes;
}

Result<SubscriptionInfo> decode_subscription_info(BytesView bytes) {
  ByteReader in(bytes);
  SubscriptionInfo out;
  out.version = in.i32();
  out.latest_supported = in.i32();
  if (in.ok() && out.version < kAssignmentVersionOldest) {
    return error(Code::unsupported, "decode subscription: version {} is older than {} (Kafka Streams 2.6)", out.version,
                 kAssignmentVersionOldest);
  }
  const BytesView id = in.bytes(16);
  if (!in.ok()) return truncated("subscription");
  std::copy(id.begin(), id.end(), out.process_id.begin());
  if (out.version > kAssignmentVersionLatest) return out;
  out.user_endpoint = read_bytes(in).value_or(Bytes());
  if (out.version >= 10) {
    for (size_t n = read_count(in, 18); n > 0; --n) {
      TaskOffsetSum sum;
      sum.task.subtopology = in.i32();
      sum.task.partition = PartitionId(in.i32());
      sum.offset_sum = in.i64();
      (void)read_nullable_string(in);
      out.task_offset_sums.push_back(sum);
    }
  } else {
    for (size_t n = read_count(in, 8); n > 0; --n) {
      const int32_t subtopology = in.i32();
      for (size_t m = read_count(in, 12); m > 0; --m) {
        const PartitionId partition(in.i32());
        const int64_t sum = in.i64();
        out.task_offset_sums.push_back({{subtopology, partition}, sum});
      }
    }
  }
  if (out.version >= 8) out.unique_field = in.i8();
  if (out.version >= 9) out.error_code = in.i32();
  if (out.version >= 11) {
    for (size_t n = read_count(in, 8); n > 0; --n) {
      Bytes key = read_bytes(in).value_or(Bytes());
      Bytes value = read_bytes(in).value_or(Bytes());
      out.client_tags.emplace_back(std::move(key), std::move(value));
    }
  }
  if (!in.ok()) return truncated("subscription");
  return out;
}

Bytes encode(const AssignmentInfo& info) {
  CHECK(info.version >= kAssignmentVersionOldest && info.version <= kAssignmentVersionLatest, "version {}",
        info.version);
  Bytes bytes;
  ByteWriter out(bytes);
  out.i32(info.version);
  out.i32(info.commonly_supported);
  out.i32(static_cast<int32_t>(info.active.size()));
  for (const auto& task : info.active) write_task(out, task, info.version);
  out.i32(static_cast<int32_t>(info.standby.size()));
  for (const auto& [task, partitions] : info.standby) {
    write_task(out, task, info.version);
    out.i32(static_cast<int32_t>(partitions.size()));
    for (const auto& tp : partitions) {
      write_string(out, tp.topic);
      out.i32(tp.partition.value());
    }
  }
  std::map<std::string, int32_t> topic_ids;
  for (const auto* hosts : {&info.partitions_by_host, &info.standby_by_host}) {
    for (const auto& [host, partitions] : *hosts) {
      for (const auto& tp : partitions) topic_ids.emplace(tp.topic, static_cast<int32_t>(topic_ids.size()));
    }
  }
  out.i32(static_cast<int32_t>(topic_ids.size()));
  for (const auto& [topic, id] : topic_ids) {
    out.i32(id);
    write_string(out, topic);
  }
  write_hosts(out, info.partitions_by_host, topic_ids);
  write_hosts(out, info.standby_by_host, topic_ids);
  out.i32(info.error_code);
  out.i64(info.next_rebalance_ms);
  return bytes;
}

Result<AssignmentInfo> decode_assignment_info(BytesView bytes) {
  ByteReader in(bytes);
  AssignmentInfo out;
  out.version = in.i32();
  out.commonly_supported = in.i32();
  if (in.ok() && (out.version < kAssignmentVersionOldest || out.version > kAssignmentVersionLatest)) {
    return error(Code::unsupported, "decode assignment: version {} is outside {}..{}", out.version,
                 kAssignmentVersionOldest, kAssignmentVersionLatest);
  }
  for (size_t n = read_count(in, 8); n > 0; --n) out.active.push_back(read_task(in, out.version));
  for (size_t n = read_count(in, 12); n > 0; --n) {
    auto& partitions = out.standby[read_task(in, out.version)];
    for (size_t m = read_count(in, 6); m > 0; --m) {
      std::string topic = read_string(in);
      partitions.push_back({std::move(topic), PartitionId(in.i32())});
    }
  }
  std::map<int32_t, std::string> topics;
  for (size_t n = read_count(in, 6); n > 0; --n) {
    const int32_t id = in.i32();
    topics[id] = read_string(in);
  }
  read_hosts(in, topics, out.partitions_by_host);
  read_hosts(in, topics, out.standby_by_host);
  out.error_code = in.i32();
  out.next_rebalance_ms = in.i64();
  if (!in.ok()) return truncated("assignment");
  return out;
}

std::string encode_commit_metadata(const CommitMetadata& metadata) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.i8(2);
  out.i64(metadata.partition_time_ms);
  if (!metadata.store_times.empty()) {
    out.i32(static_cast<int32_t>(metadata.store_times.size()));
    for (const auto& [store, time] : metadata.store_times) {
      write_bytes(out, BytesView(store));
      out.i64(time);
    }
  }
  return base64(bytes);
}

Result<CommitMetadata> decode_commit_metadata(std::string_view text) {
  const auto bytes = unbase64(text);
  if (bytes) {
    ByteReader in(*bytes);
    CommitMetadata out;
    const int8_t version = in.i8();
    out.partition_time_ms = in.i64();
    if (version >= 2 && in.ok() && in.remaining() > 0) {
      for (size_t n = read_count(in, 12); n > 0; --n) {
        std::string store = read_bytes(in).value_or(Bytes());
        out.store_times[std::move(store)] = in.i64();
      }
    }
    if (in.ok() && version >= 1) return out;
  }
  return error(Code::invalid_argument, "decode commit metadata \"{}\": not written by a Streams application", text);
}

namespace {

// Whether `decode` took the bytes; what it made of them must survive being written.
template <class Decode, class Encode>
bool survives(BytesView input, Decode decode, Encode encode) {
  const auto decoded = decode(input);
  if (!decoded.ok()) return false;
  const Bytes once = encode(*decoded);
  const auto again = decode(once);
  CHECK(again.ok() && encode(*again) == once, "what was decoded does not survive: {}", hex(once));
  return true;
}

}  // namespace

int fuzz_subscription_info(BytesView input) {
  const auto write = [](const auto& decoded) { return encode(decoded); };
  bool decoded = survives(input, decode_consumer_subscription, write);
  decoded = survives(input, decode_consumer_assignment, write) || decoded;
  decoded = survives(input, decode_assignment_info, write) || decoded;
  decoded = survives(input, decode_commit_metadata, encode_commit_metadata) || decoded;
  const auto info = decode_subscription_info(input);
  if (info.ok() && info->version > kAssignmentVersionLatest) return 1;
  return survives(input, decode_subscription_info, write) || decoded ? 1 : 0;
}

}  // namespace muir::streams::internal
