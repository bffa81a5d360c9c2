// KafkaGroupMember against a coordinator whose answers are written down: what each error code means for the membership.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/kafka_client.h"
#include "net/frame_server.h"
#include "testing/eventually.h"
#include "wire/frame.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/find_coordinator.h"
#include "wire/messages/heartbeat.h"
#include "wire/messages/join_group.h"
#include "wire/messages/leave_group.h"
#include "wire/messages/offset_commit.h"
#include "wire/messages/sync_group.h"

namespace muir::client {
namespace {

using wire::ApiKey;
using wire::ErrorCode;

// A group coordinator of one member. Without a script everything succeeds; script(api, codes) makes the next answers
// fail in turn.
class FakeCoordinator {
 public:
  // `version_cap`: no API is offered above it, as by an old broker.
  explicit FakeCoordinator(int16_t version_cap = INT16_MAX) : version_cap_(version_cap), loop_("fake") {
    server_ = net::FrameServer::start(loop_, {}, [this](std::shared_ptr<net::FrameConnection> connection) {
                return std::make_unique<Session>(*this, std::move(connection));
              }).value();
  }
  ~FakeCoordinator() { server_->stop(); }

  void script(ApiKey api, std::vector<ErrorCode> codes) {
    const std::lock_guard lock(mutex_);
    scripts_[api].insert(scripts_[api].end(), codes.begin(), codes.end());
  }
  // Requests of this API are not answered, and their connection is closed when `close`.
  void park(ApiKey api, bool parked) {
    const std::lock_guard lock(mutex_);
    parked_[api] = parked;
  }
  void close_on_next(ApiKey api) {
    const std::lock_guard lock(mutex_);
    close_on_ = api;
  }
  // The next answer to this API is not what the protocol says.
  void garble(ApiKey api) {
    const std::lock_guard lock(mutex_);
    garble_ = api;
  }
  void skip_assignment() {
    const std::lock_guard lock(mutex_);
    skip_assignment_ = true;
  }
  [[nodiscard]] int count(ApiKey api) const {
    const std::lock_guard lock(mutex_);
    const auto it = counts_.find(api);
    return it == counts_.end() ? 0 : it->second;
  }
  // The member ids that JoinGroup requests carried, in order.
  [[nodiscard]] std::vector<std::string> joined_as() const {
    const std::lock_guard lock(mutex_);
    return joined_as_;
  }
  [[nodiscard]] std::vector<std::string> left() const {
    const std::lock_guard lock(mutex_);
    return left_;
  }
  [[nodiscard]] uint16_t port() const { return server_->port(); }

 private:
  class Session final : public net::FrameSession {
   public:
    Session(FakeCoordinator& owner, std::shared_ptr<net::FrameConnection> connection)
        : owner_(owner), connection_(std::move(connection)) {}
    void on_frame(Bytes frame) override { owner_.answer(*connection_, frame); }
    void on_closed() override {}

   private:
    FakeCoordinator& owner_;
    std::shared_ptr<net::FrameConnection> connection_;
  };

  template <class Request>
  static Request body(ByteReader& reader, int16_t version) {
    Request request;
    EXPECT_TRUE(decode(reader, version, request).ok());
    return request;
  }
  template <class Response>
  static void reply(net::FrameConnection& connection, const wire::RequestHeader& header, const Response& response) {
    Bytes frame;
    wire::encode_response(response, header.request_api_version, header.correlation_id, frame);
    connection.send(frame.substr(4));
  }

  void answer(net::FrameConnection& connection, const Bytes& frame) {
    const std::lock_guard lock(mutex_);
    ByteReader reader(frame);
    wire::RequestHeader header;
    ASSERT_TRUE(wire::decode_request_header(reader, header).ok());
    const auto api = static_cast<ApiKey>(header.request_api_key);
    const int16_t version = header.request_api_version;
    EXPECT_LE(version,
              std::max(api == ApiKey::api_versions ? int16_t{3} : version_cap_, wire::api_info(api).version_min));
    ++counts_[api];
    if (close_on_ == api) {
      close_on_.reset();
      return connection.close();
    }
    if (garble_ == api) {
      garble_.reset();
      return connection.send(Bytes("\xff\xff\xff\xff\x7f garbage", 13));
    }
    if (parked_[api]) return;
    ErrorCode code = ErrorCode::none;
    if (std::deque<ErrorCode>& codes = scripts_[api]; !codes.empty()) {
      code = codes.front();
      codes.pop_front();
    }
    switch (api) {
      case ApiKey::api_versions: return reply(connection, header, versions());
      case ApiKey::find_coordinator: return reply(connection, header, coordinator(version, code));
      case ApiKey::join_group:
        return reply(connection, header, join(body<wire::JoinGroupRequest>(reader, version), version, code));
      case ApiKey::sync_group: {
        const auto request = body<wire::SyncGroupRequest>(reader, version);
        wire::SyncGroupResponse response;
        response.error_code = code;
        response.protocol_type = request.protocol_type;
        response.protocol_name = request.protocol_name;
        for (const auto& one : request.assignments) response.assignment = one.assignment;
        if (request.assignments.empty()) response.assignment = "kept";
        return reply(connection, header, response);
      }
      case ApiKey::heartbeat: {
        wire::HeartbeatResponse response;
        response.error_code = code;
        return reply(connection, header, response);
      }
      case ApiKey::leave_group: {
        const auto request = body<wire::LeaveGroupRequest>(reader, version);
        left_.push_back(request.members.empty() ? request.member_id : request.members[0].member_id);
        wire::LeaveGroupResponse response;
        response.error_code = code;
        return reply(connection, header, response);
      }
      case ApiKey::offset_commit: {
        const auto request = body<wire::OffsetCommitRequest>(reader, version);
        wire::OffsetCommitResponse response;
        for (const auto& topic : request.topics) {
          auto& out = response.topics.emplace_back();
          out.name = topic.name;
          for (const auto& partition : topic.partitions)
            out.partitions.push_back({.partition_index = partition.partition_index, .error_code = code});
        }
        return reply(connection, header, response);
      }
      default: ADD_FAILURE() << "unexpected request " << wire::name_of(api);
    }
  }

  [[nodiscard]] wire::ApiVersionsResponse versions() const {
    wire::ApiVersionsResponse response;
    for (const wire::ApiInfo& api : wire::api_table()) {
      response.api_keys.push_back({.api_key = static_cast<int16_t>(api.key),
                                   .min_version = api.version_min,
                                   .max_version = std::max(api.version_min, std::min(api.version_max, version_cap_))});
    }
    return response;
  }
  [[nodiscard]] wire::FindCoordinatorResponse coordinator(int16_t version, ErrorCode code) const {
    wire::FindCoordinatorResponse response;
    response.error_code = code;
    response.host = "127.0.0.1";
    response.port = server_->port();
    if (version >= 4) {
      auto& one = response.coordinators.emplace_back();
      one.host = "127.0.0.1";
      one.port = server_->port();
      one.error_code = code;
    }
    return response;
  }
  wire::JoinGroupResponse join(const wire::JoinGroupRequest& request, int16_t version, ErrorCode code) {
    joined_as_.push_back(request.member_id);
    wire::JoinGroupResponse response;
    response.error_code = code;
    response.member_id = request.member_id;
    if (code == ErrorCode::none && request.member_id.empty() && !request.group_instance_id && version >= 4) {
      response.error_code = ErrorCode::member_id_required;
    }
    if (request.member_id.empty()) response.member_id = fmt::format("member-{}", ++members_);
    if (response.error_code != ErrorCode::none) return response;
    response.generation_id = ++generation_;
    response.protocol_type = request.protocol_type;
    response.protocol_name = request.protocols.at(0).name;
    response.leader = response.member_id;
    response.skip_assignment = skip_assignment_ && version >= 9;
    response.members.push_back({.member_id = response.member_id, .metadata = request.protocols.at(0).metadata});
    return response;
  }

  const int16_t version_cap_;
  mutable std::mutex mutex_;
  std::map<ApiKey, std::deque<ErrorCode>> scripts_;
  std::map<ApiKey, bool> parked_;
  std::map<ApiKey, int> counts_;
  std::optional<ApiKey> close_on_;
  std::optional<ApiKey> garble_;
  std::vector<std::string> joined_as_;
  std::vector<std::string> left_;
  bool skip_assignment_ = false;
  int members_ = 0;
  int32_t generation_ = 0;
  net::EventLoop loop_;
  std::unique_ptr<net::FrameServer> server_;
};

// Writes down what it is told: p(repare), a(ssigned) with the generation, l(ost).
class Noting final : public GroupProtocol {
 public:
  std::vector<std::pair<std::string, Bytes>> metadata() override { return {{"stream", "subscription"}}; }
  Result<std::map<std::string, Bytes>> assign(const std::string&,
                                              const std::map<std::string, Bytes>& members) override {
    std::map<std::string, Bytes> all;
    for (const auto& [id, bytes] : members) all[id] = "for " + bytes;
    return all;
  }
  void on_prepare(GenerationId, const std::string&) override { events += "p"; }
  Status on_assigned(GenerationId generation, const std::string&, BytesView bytes) override {
    events += fmt::format("a{}", generation);
    assignment = bytes;
    return {};
  }
  void on_lost() override { events += "l"; }
  std::string events;
  Bytes assignment;
};

class GroupMemberTest : public ::testing::Test {
 protected:
  void start(GroupMemberOptions options = {}, int16_t version_cap = INT16_MAX) {
    fake_ = std::make_unique<FakeCoordinator>(version_cap);
    client_ = connect_kafka({{"bootstrap.servers", fmt::format("127.0.0.1:{}", fake_->port())}}).value();
    options.group_id = "g";
    options.heartbeat_interval_ms = 20;
    options.retry_backoff_ms = 10;
    options.request_timeout_ms = 5'000;
    member_ = client_->group_member(options, protocol_).value();
  }
  void TearDown() override { member_.reset(); }
  // Polls until the events are these.
  void expect_events(const std::string& wanted) {
    EXPECT_TRUE(muir::testing::eventually([&] {
      const Status status = member_->poll(5);
      EXPECT_TRUE(status.ok()) << status.to_string();
      return protocol_.events == wanted && member_->stable();
    })) << "events: "
        << protocol_.events;
  }
  Status poll_until_error() {
    Status status;
    EXPECT_TRUE(muir::testing::eventually([&] {
      status = member_->poll(5);
      return !status.ok();
    }));
    return status;
  }

  Noting protocol_;
  std::unique_ptr<FakeCoordinator> fake_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<GroupMember> member_;
};

using Ids = std::vector<std::string>;

TEST_F(GroupMemberTest, JoinsAgainWithTheIdItIsGiven) {
  start();
  expect_events("pa1");
  EXPECT_EQ(fake_->joined_as(), Ids({"", "member-1"}));
  EXPECT_EQ(protocol_.assignment, "for subscription");
  EXPECT_EQ(member_->metadata().member_id, "member-1");
  EXPECT_EQ(member_->metadata().generation_id, GenerationId(1));
}

TEST_F(GroupMemberTest, SpeaksTheOldestVersionsToo) {
  for (const int16_t cap : {int16_t{0}, int16_t{2}, int16_t{3}, int16_t{5}, int16_t{7}}) {
    SCOPED_TRACE(cap);
    protocol_.events.clear();
    start({}, cap);
    expect_events("pa1");
    EXPECT_TRUE(member_->commit({{{"t", PartitionId(0)}, {Offset(1)}}}, 5'000).ok());
    EXPECT_TRUE(member_->leave().ok());
    EXPECT_EQ(fake_->left().size(), 1u);
    member_.reset();
  }
}

TEST_F(GroupMemberTest, LooksForTheCoordinatorAgainWhenItMoved) {
  start();
  fake_->script(ApiKey::find_coordinator, {ErrorCode::coordinator_not_available});
  fake_->script(ApiKey::join_group, {ErrorCode::not_coordinator, ErrorCode::coordinator_load_in_progress});
  expect_events("pa1");
  EXPECT_GE(fake_->count(ApiKey::find_coordinator), 4);
}

TEST_F(GroupMemberTest, RejoinsWithItsIdWhenTheGroupRebalances) {
  start();
  expect_events("pa1");
  fake_->script(ApiKey::heartbeat, {ErrorCode::rebalance_in_progress});
  expect_events("pa1pa2");
  EXPECT_EQ(fake_->joined_as().back(), "member-1");
}

TEST_F(GroupMemberTest, IsLostAndJoinsAsANewMemberWhenItIsUnknown) {
  start();
  expect_events("pa1");
  fake_->script(ApiKey::heartbeat, {ErrorCode::unknown_member_id});
  expect_events("pa1lpa2");
  EXPECT_EQ(fake_->joined_as(), Ids({"", "member-1", "", "member-2"}));
}

TEST_F(GroupMemberTest, IsLostButKeepsItsIdWhenItsGenerationIsOver) {
  start();
  expect_events("pa1");
  fake_->script(ApiKey::heartbeat, {ErrorCode::illegal_generation});
  expect_events("pa1lpa2");
  EXPECT_EQ(fake_->joined_as().back(), "member-1");
}

TEST_F(GroupMemberTest, JoinsAgainWhenTheGroupRebalancesBeforeItSynced) {
  start();
  fake_->script(ApiKey::sync_group, {ErrorCode::rebalance_in_progress, ErrorCode::not_coordinator});
  expect_events("pppa3");
}

TEST_F(GroupMemberTest, IsFencedForGoodByAnotherWithItsInstanceId) {
  start({.group_instance_id = "pod-1"});
  expect_events("pa1");
  fake_->script(ApiKey::heartbeat, {ErrorCode::fenced_instance_id});
  EXPECT_EQ(poll_until_error().code(), Code::fenced);
  EXPECT_EQ(member_->poll(0).code(), Code::fenced);
  EXPECT_EQ(protocol_.events, "pa1l");
}

TEST_F(GroupMemberTest, TellsAnErrorThatNeedsAPersonAndTriesAgainAtTheNextPoll) {
  start();
  fake_->script(ApiKey::join_group, {ErrorCode::group_authorization_failed});
  EXPECT_EQ(poll_until_error().code(), Code::permission_denied);
  expect_events("ppa1");
}

TEST_F(GroupMemberTest, AStaticLeaderThatComesBackDoesNotAssignAnew) {
  start({.group_instance_id = "pod-1"});
  fake_->skip_assignment();
  expect_events("pa1");
  EXPECT_EQ(protocol_.assignment, "kept");
}

TEST_F(GroupMemberTest, CommitsSayWhetherTheGenerationIsOver) {
  const std::pair<ErrorCode, Code> expected[] = {
      {ErrorCode::none, Code::ok},
      {ErrorCode::illegal_generation, Code::aborted},
      {ErrorCode::unknown_member_id, Code::aborted},
      {ErrorCode::rebalance_in_progress, Code::aborted},
      {ErrorCode::group_authorization_failed, Code::permission_denied},
      {ErrorCode::offset_metadata_too_large, Code::invalid_argument},
      {ErrorCode::coordinator_load_in_progress, Code::ok},  // tried again
      {ErrorCode::not_coordinator, Code::ok},               // tried again at the new one
      {ErrorCode::fenced_instance_id, Code::fenced},
  };
  start();
  for (const auto& [code, status] : expected) {
    ASSERT_TRUE(muir::testing::eventually([&] { return member_->poll(5).ok() && member_->stable(); }));
    fake_->script(ApiKey::offset_commit, {code});
    const Status got =
        member_->commit({{{"t", PartitionId(0)}, {Offset(1)}}, {{"t", PartitionId(1)}, {Offset(2)}}}, 5'000);
    EXPECT_EQ(got.code(), status) << wire::name_of(code) << ": " << got.to_string();
    if (!got.ok()) {
      EXPECT_EQ(got.number(Domain::kafka), static_cast<int>(code));
    }
  }
}

TEST_F(GroupMemberTest, OutlivesConnectionsThatBreak) {
  start();
  expect_events("pa1");
  fake_->close_on_next(ApiKey::heartbeat);
  const int before = fake_->count(ApiKey::heartbeat);
  EXPECT_TRUE(muir::testing::eventually([&] { return fake_->count(ApiKey::heartbeat) > before + 2; }));
  fake_->close_on_next(ApiKey::offset_commit);
  EXPECT_TRUE(member_->commit({{{"t", PartitionId(0)}, {Offset(1)}}}, 5'000).ok());
  EXPECT_TRUE(member_->poll(0).ok());
  EXPECT_EQ(protocol_.events, "pa1");
}

TEST_F(GroupMemberTest, OutlivesAnswersThatAreNotTheProtocols) {
  for (const ApiKey api :
       {ApiKey::api_versions, ApiKey::find_coordinator, ApiKey::join_group, ApiKey::sync_group, ApiKey::heartbeat}) {
    SCOPED_TRACE(wire::name_of(api));
    protocol_.events.clear();
    start();
    fake_->garble(api);
    ASSERT_TRUE(muir::testing::eventually([&] { return member_->poll(5).ok() && member_->stable(); }));
    const int before = fake_->count(ApiKey::heartbeat);
    EXPECT_TRUE(muir::testing::eventually([&] { return fake_->count(ApiKey::heartbeat) > before + 2; }));
    EXPECT_EQ(protocol_.events.find('l'), std::string::npos);
    member_.reset();
  }
  start();
  ASSERT_TRUE(muir::testing::eventually([&] { return member_->poll(5).ok() && member_->stable(); }));
  fake_->garble(ApiKey::offset_commit);
  EXPECT_EQ(member_->commit({{{"t", PartitionId(0)}, {Offset(1)}}}, 5'000).code(), Code::data_loss);
  EXPECT_TRUE(member_->commit({{{"t", PartitionId(0)}, {Offset(1)}}}, 5'000).ok());
}

TEST_F(GroupMemberTest, APollNeverWaitsForTheRestOfTheGroup) {
  start();
  fake_->park(ApiKey::join_group, true);
  EXPECT_TRUE(member_->poll(1).ok());
  EXPECT_TRUE(muir::testing::eventually([&] { return fake_->count(ApiKey::join_group) == 1; }));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(member_->poll(0).ok());
  EXPECT_FALSE(member_->stable());
  // The destructor ends the wait for an answer that never comes.
}

TEST_F(GroupMemberTest, LeavesWhenItIsDestroyedUnlessItIsStatic) {
  start();
  expect_events("pa1");
  member_.reset();
  EXPECT_EQ(fake_->left(), Ids({"member-1"}));
  protocol_.events.clear();
  start({.group_instance_id = "pod-1"});
  expect_events("pa1");
  member_.reset();
  EXPECT_TRUE(fake_->left().empty());
}

TEST_F(GroupMemberTest, LeavesTheGroupWhenItsOwnerDoesNotPoll) {
  start({.rebalance_timeout_ms = 200});
  expect_events("pa1");
  EXPECT_TRUE(muir::testing::eventually([&] { return fake_->left() == Ids({"member-1"}); }));
  expect_events("pa1lpa2");
}

TEST_F(GroupMemberTest, ARequestedRejoinAsksForNewMetadata) {
  start();
  expect_events("pa1");
  member_->request_rejoin();
  expect_events("pa1pa2");
}

}  // namespace
}  // namespace muir::client
