// Requests of a few megabytes whose arrays have very many elements, and a client beside them that asks for what clients
// ask for: it is served before they are answered, the memory is bounded, and each is answered in full.
#include <gtest/gtest.h>

#include <poll.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "base/memory.h"
#include "broker/api/wide_requests.h"
#include "broker/internal/well_behaved_fixture.h"
#include "wire/messages/add_partitions_to_txn.h"
#include "wire/messages/create_partitions.h"
#include "wire/messages/delete_groups.h"
#include "wire/messages/delete_records.h"
#include "wire/messages/delete_topics.h"
#include "wire/messages/describe_configs.h"
#include "wire/messages/describe_groups.h"
#include "wire/messages/describe_log_dirs.h"
#include "wire/messages/describe_producers.h"
#include "wire/messages/describe_transactions.h"
#include "wire/messages/fetch.h"
#include "wire/messages/find_coordinator.h"
#include "wire/messages/incremental_alter_configs.h"
#include "wire/messages/list_groups.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/offset_delete.h"
#include "wire/messages/offset_fetch.h"
#include "wire/messages/offset_for_leader_epoch.h"
#include "wire/messages/write_txn_markers.h"

namespace muir::broker {
namespace {

using namespace wire;
constexpr size_t kMib = 1024 * 1024;
constexpr int kMany = 60'000;

std::string name(int i) { return "n" + std::to_string(i); }

template <class Request>
Bytes frame_of(const Request& request, int16_t version) {
  Bytes out;
  encode_request(request, version, 1, "hostile", out);
  return out;
}

// Sends a request and counts the bytes of its answer.
class WideClient {
 public:
  explicit WideClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~WideClient() { ::close(fd_); }
  WideClient(const WideClient&) = delete;
  WideClient& operator=(const WideClient&) = delete;

  void send(BytesView frame) {
    while (!frame.empty()) {
      const ssize_t n = ::send(fd_, frame.data(), frame.size(), MSG_NOSIGNAL);
      ASSERT_GT(n, 0) << "closed";
      frame.remove_prefix(static_cast<size_t>(n));
    }
  }
  [[nodiscard]] bool answered() const {
    pollfd waits{fd_, POLLIN, 0};
    return ::poll(&waits, 1, 0) > 0;
  }
  // Of its answer; 0 when the connection was closed.
  size_t answer_bytes() {
    Bytes piece(256 * 1024, '\0');
    size_t got = 0;
    for (size_t wanted = 4; got < wanted;) {
      const ssize_t n = ::recv(fd_, piece.data() + (got < 4 ? got : 0), got < 4 ? 4 - got : piece.size(), 0);
      if (n <= 0) return 0;
      got += static_cast<size_t>(n);
      if (wanted == 4 && got == 4) wanted += ByteReader(piece).u32();
    }
    return got - 4;
  }

 private:
  const int fd_;
};

struct Case {
  const char* name;
  std::function<Bytes()> frame;
  size_t answer_bytes_min;  // for each element
};

template <class Request>
Bytes named(std::vector<std::string> Request::*names, int16_t version) {
  Request request;
  for (int i = 0; i < kMany; ++i) (request.*names).push_back(name(i));
  return frame_of(request, version);
}

std::vector<Case> cases() {
  return {
      {"Metadata of unknown topics",
       [] {
         MetadataRequest request;
         request.topics.emplace();
         for (int i = 0; i < kMany; ++i) request.topics->emplace_back().name = name(i);
         return frame_of(request, 8);
       },
       10},
      {"ListOffsets of one topic",
       [] {
         ListOffsetsRequest request;
         auto& topic = request.topics.emplace_back();
         topic.name = "t";
         topic.partitions.resize(kMany, {0, -1, -1, {}});
         return frame_of(request, 7);
       },
       20},
      {"ListOffsets of unknown topics",
       [] {
         ListOffsetsRequest request;
         for (int i = 0; i < kMany; ++i) request.topics.push_back({name(i), {{0, -1, -1, {}}}, {}});
         return frame_of(request, 7);
       },
       20},
      {"OffsetForLeaderEpoch",
       [] {
         OffsetForLeaderEpochRequest request;
         auto& topic = request.topics.emplace_back();
         topic.topic = "t";
         topic.partitions.resize(kMany, {0, -1, 0, {}});
         return frame_of(request, 4);
       },
       18},
      {"OffsetFetch of one group",
       [] {
         OffsetFetchRequest request;
         request.group_id = "g";
         auto& topic = request.topics.emplace().emplace_back();
         topic.name = "t";
         topic.partition_indexes.resize(kMany, 0);
         return frame_of(request, 7);
       },
       10},
      {"OffsetCommit",
       [] {
         OffsetCommitRequest request;
         request.group_id = "g";
         request.generation_id_or_member_epoch = -1;
         auto& topic = request.topics.emplace_back();
         topic.name = "t";
         topic.partitions.resize(kMany);
         return frame_of(request, 8);
       },
       6},
      {"DescribeGroups", [] { return named(&DescribeGroupsRequest::groups, 5); }, 20},
      {"DeleteGroups", [] { return named(&DeleteGroupsRequest::groups_names, 2); }, 4},
      {"DescribeTransactions", [] { return named(&DescribeTransactionsRequest::transactional_ids, 0); }, 20},
      {"ListGroups in strange states", [] { return named(&ListGroupsRequest::states_filter, 4); }, 0},
      {"FindCoordinator", [] { return named(&FindCoordinatorRequest::coordinator_keys, 4); }, 10},
      {"DescribeConfigs",
       [] {
         DescribeConfigsRequest request;
         for (int i = 0; i < kMany; ++i) request.resources.push_back({2, name(i), std::nullopt, {}});
         return frame_of(request, 4);
       },
       10},
      {"DescribeConfigs of one topic, over and over",
       [] {
         DescribeConfigsRequest request;
         request.resources.resize(kMany, {2, "t", std::nullopt, {}});
         return frame_of(request, 4);
       },
       0},
      {"DescribeLogDirs",
       [] {
         DescribeLogDirsRequest request;
         request.topics.emplace();
         for (int i = 0; i < kMany; ++i) request.topics->push_back({name(i), {0}, {}});
         return frame_of(request, 4);
       },
       0},
      {"DescribeProducers",
       [] {
         DescribeProducersRequest request;
         auto& topic = request.topics.emplace_back();
         topic.name = "t";
         for (int i = 0; i < kMany; ++i) topic.partition_indexes.push_back(i);
         return frame_of(request, 0);
       },
       7},
      {"CreateTopics without partitions",
       [] {
         CreateTopicsRequest request;
         for (int i = 0; i < kMany; ++i) request.topics.push_back({name(i), 0, 1, {}, {}, {}});
         return frame_of(request, 7);
       },
       10},
      {"DeleteTopics",
       [] {
         DeleteTopicsRequest request;
         for (int i = 0; i < kMany; ++i) request.topics.push_back({name(i), {}, {}});
         return frame_of(request, 6);
       },
       20},
      {"DeleteRecords of one partition",
       [] {
         DeleteRecordsRequest request;
         auto& topic = request.topics.emplace_back();
         topic.name = "t";
         topic.partitions.resize(kMany, {0, 0, {}});
         return frame_of(request, 2);
       },
       14},
      {"IncrementalAlterConfigs",
       [] {
         IncrementalAlterConfigsRequest request;
         for (int i = 0; i < kMany; ++i) request.resources.push_back({2, name(i), {}, {}});
         return frame_of(request, 1);
       },
       10},
      {"AddPartitionsToTxn",
       [] {
         AddPartitionsToTxnRequest request;
         request.v3_and_below_transactional_id = "x";
         auto& topic = request.v3_and_below_topics.emplace_back();
         topic.name = "t";
         for (int i = 0; i < kMany; ++i) topic.partitions.push_back(i);
         return frame_of(request, 3);
       },
       6},
      {"WriteTxnMarkers of unknown topics",
       [] {
         WriteTxnMarkersRequest request;
         auto& topic = request.markers.emplace_back().topics.emplace_back();
         topic.name = "unknown";
         for (int i = 0; i < kMany; ++i) topic.partition_indexes.push_back(i);
         return frame_of(request, 1);
       },
       6},
      {"Produce to unknown topics",
       [] {
         ProduceRequest request;
         request.acks = 1;
         request.timeout_ms = 5000;
         auto& topic = request.topic_data.emplace_back();
         topic.name = "unknown";
         for (int i = 0; i < kMany; ++i) topic.partition_data.push_back({i, std::nullopt, {}});
         return frame_of(request, 9);
       },
       20},
      {"Fetch that waits",
       [] {
         FetchRequest request;
         request.max_wait_ms = 600'000;
         request.min_bytes = 1'000'000'000;
         request.max_bytes = 1'000'000'000;
         auto& topic = request.topics.emplace_back();
         topic.topic = "t";
         topic.partitions.resize(kMany);
         for (auto& partition : topic.partitions) partition.fetch_offset = 1;
         return frame_of(request, 12);
       },
       20},
  };
}

TEST(WideRequests, KeepNobodyWaitingAndAreAnswered) {
  constexpr size_t kMemory = 160 * kMib;  // a kilobyte for each element of one of them, and what the test holds
  TestBroker broker;
  WellBehaved client(broker->port());
  client.is_served(100);
  int served_meanwhile = 0;
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const Bytes frame = c.frame();
    return_free_memory();
    const size_t before = resident();
    std::vector<std::unique_ptr<WideClient>> hostile;
    for (int i = 0; i < 2; ++i) {
      hostile.push_back(std::make_unique<WideClient>(broker->port()));
      hostile.back()->send(frame);
    }
    client.is_served(100);
    if (!hostile.back()->answered()) ++served_meanwhile;
    size_t most = resident();
    for (const auto& one : hostile) {
      EXPECT_GE(one->answer_bytes(), std::max<size_t>(c.answer_bytes_min * kMany, 10));
      most = std::max(most, resident());
    }
    EXPECT_LT(most, before + kMemory);
    client.is_served(100);
  }
  // Some of them take no longer than what the client asks for.
  EXPECT_GE(served_meanwhile, 5);
}

// More than any cluster has, in a few bytes each: refused before it is decoded.
TEST(WideRequests, WithTooManyElementsTheConnectionIsClosed) {
  TestBroker broker;
  WellBehaved client(broker->port());
  DescribeGroupsRequest groups;
  groups.groups.resize(WideRequests::kElementsMax + 1);
  FetchRequest fetch;
  fetch.topics.emplace_back().partitions.resize(WideRequests::kFetchElementsMax);
  for (const Bytes& frame : {frame_of(groups, 5), frame_of(fetch, 12)}) {
    WideClient hostile(broker->port());
    hostile.send(frame);
    EXPECT_EQ(hostile.answer_bytes(), 0u);
    client.is_served(100);
  }
}

}  // namespace
}  // namespace muir::broker
