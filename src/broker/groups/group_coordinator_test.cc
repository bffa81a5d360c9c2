#include "broker/groups/group_coordinator.h"

#include <gtest/gtest.h>

#include "broker/groups/group_records.h"
#include "broker/internal/partition_log_memory.h"
#include "broker/internal/scheduler_fake.h"
#include "wire/murmur2.h"

namespace muir::broker {
namespace {

using wire::ErrorCode;

// The answer to a request, once there is one.
template <class Response>
using Answer = std::shared_ptr<std::optional<Response>>;

struct JoinOptions {
  std::string member_id{};
  std::optional<std::string> instance_id{};
  std::vector<std::string> protocols = {"range"};
  Bytes metadata = "subscription";
  int32_t session_timeout_ms = 10'000;
  int32_t rebalance_timeout_ms = 30'000;
  std::string protocol_type = "consumer";
  int16_t version = 5;
};

class GroupCoordinatorTest : public ::testing::Test {
 protected:
  GroupCoordinatorTest() {
    log.create("t", 3);
    start();
  }

  void start() {
    groups = std::make_unique<GroupCoordinator>(config, log, scheduler, clock);
    ASSERT_TRUE(groups->load().ok());
  }
  void restart() {
    groups.reset();
    log.restart();
    start();
  }

  template <class Response>
  static std::pair<Answer<Response>, std::function<void(Response)>> slot() {
    auto answer = std::make_shared<std::optional<Response>>();
    return {answer, [answer](Response response) {
              EXPECT_FALSE(answer->has_value()) << "answered twice";
              *answer = std::move(response);
            }};
  }

  Answer<wire::JoinGroupResponse> join(JoinOptions options) {
    wire::JoinGroupRequest request{.group_id = "g",
                                   .session_timeout_ms = options.session_timeout_ms,
                                   .rebalance_timeout_ms = options.rebalance_timeout_ms,
                                   .member_id = options.member_id,
                                   .group_instance_id = options.instance_id,
                                   .protocol_type = options.protocol_type};
    for (const auto& name : options.protocols)
      request.protocols.push_back({.name = name, .metadata = options.metadata});
    auto [answer, reply] = slot<wire::JoinGroupResponse>();
    groups->join_group({.client_id = "client", .host = "/127.0.0.1", .version = options.version}, request, reply);
    return answer;
  }
  // A dynamic member's first two requests.
  Answer<wire::JoinGroupResponse> join_anew(JoinOptions options = {}) {
    const auto first = join(options);
    EXPECT_EQ((*first)->error_code, ErrorCode::member_id_required);
    options.member_id = (*first)->member_id;
    return join(options);
  }
  Answer<wire::SyncGroupResponse> sync(const std::string& member_id, GenerationId generation,
                                       std::map<std::string, Bytes> assignments = {}) {
    wire::SyncGroupRequest request{.group_id = "g", .generation_id = generation.value(), .member_id = member_id};
    for (auto& [id, assignment] : assignments)
      request.assignments.push_back({.member_id = id, .assignment = assignment});
    auto [answer, reply] = slot<wire::SyncGroupResponse>();
    groups->sync_group(request, reply);
    return answer;
  }
  ErrorCode beat(const std::string& member_id, GenerationId generation, std::optional<std::string> instance_id = {}) {
    auto [answer, reply] = slot<wire::HeartbeatResponse>();
    groups->heartbeat({.group_id = "g",
                       .generation_id = generation.value(),
                       .member_id = member_id,
                       .group_instance_id = instance_id},
                      reply);
    return (*answer)->error_code;
  }
  wire::LeaveGroupResponse leave(std::vector<wire::LeaveGroupRequest::Member> members) {
    auto [answer, reply] = slot<wire::LeaveGroupResponse>();
    groups->leave_group(4, {.group_id = "g", .members = std::move(members)}, reply);
    return **answer;
  }
  Answer<wire::OffsetCommitResponse> commit_async(Offset offset, GenerationId generation = kNoGeneration,
                                                  std::string member_id = {}, std::string metadata = "m",
                                                  std::string topic = "t") {
    auto [answer, reply] = slot<wire::OffsetCommitResponse>();
    groups->offset_commit(7,
                          {.group_id = "g",
                           .generation_id_or_member_epoch = generation.value(),
                           .member_id = std::move(member_id),
                           .topics = {{.name = std::move(topic),
                                       .partitions = {{.partition_index = 1,
                                                       .committed_offset = offset.value(),
                                                       .committed_leader_epoch = 4,
                                                       .committed_metadata = metadata}}}}},
                          reply);
    return answer;
  }
  template <class... A>
  ErrorCode commit(A... a) {
    return (*commit_async(a...))->topics[0].partitions[0].error_code;
  }
  wire::OffsetFetchResponse::GroupPartition fetch(bool require_stable = false) {
    auto [answer, reply] = slot<wire::OffsetFetchResponse>();
    groups->offset_fetch(
        8,
        {.groups = {{.group_id = "g",
                     .topics =
                         std::vector<wire::OffsetFetchRequest::GroupTopic>{{.name = "t", .partition_indexes = {1}}}}},
         .require_stable = require_stable},
        reply);
    return (*answer)->groups[0].topics[0].partitions[0];
  }
  ErrorCode commit_in_txn(ProducerId producer_id, Offset offset) {
    auto [answer, reply] = slot<wire::TxnOffsetCommitResponse>();
    groups->txn_offset_commit(
        {.transactional_id = "x",
         .group_id = "g",
         .producer_id = producer_id.value(),
         .producer_epoch = 0,
         .topics = {{.name = "t", .partitions = {{.partition_index = 1, .committed_offset = offset.value()}}}}},
        reply);
    return (*answer)->topics[0].partitions[0].error_code;
  }
  void end_txn(ProducerId producer_id, bool commit) {
    const PartitionId partition = *groups->partition_for("g");
    log.append_marker(kConsumerOffsets, partition, commit ? wire::ControlType::commit : wire::ControlType::abort,
                      producer_id, ProducerEpoch(0), LeaderEpoch(0), [](const Status&, Offset) {});
    groups->complete_transaction(producer_id, {partition}, commit, [] {});
  }
  wire::DescribeGroupsResponse::Group describe() {
    auto [answer, reply] = slot<wire::DescribeGroupsResponse>();
    groups->describe_groups(5, {.groups = {"g"}}, reply);
    return (*answer)->groups[0];
  }
  // A stable group of one member; returns its id.
  std::string stable_member(JoinOptions options = {}) {
    const auto joined = options.instance_id ? join(options) : join_anew(options);
    const std::string id = (*joined)->member_id;
    EXPECT_EQ((*sync(id, GenerationId((*joined)->generation_id), {{id, "assigned"}}))->assignment, "assigned");
    return id;
  }

  GroupConfig config{.initial_rebalance_delay_ms = 0};
  ManualClock clock{1'700'000'000'000};
  ManualScheduler scheduler{clock};
  MemoryPartitionLog log;
  std::unique_ptr<GroupCoordinator> groups;
};

TEST_F(GroupCoordinatorTest, ADynamicMemberIsToldItsIdFirst) {
  const auto first = join({});
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ((*first)->error_code, ErrorCode::member_id_required);
  EXPECT_TRUE((*first)->member_id.starts_with("client-"));
  EXPECT_EQ((*first)->member_id.size(), std::string("client-").size() + 36);
  const auto second = join({.member_id = (*first)->member_id});
  EXPECT_EQ((*second)->error_code, ErrorCode::none);
  EXPECT_EQ((*second)->generation_id, 1);
  EXPECT_EQ((*second)->leader, (*first)->member_id);
  ASSERT_EQ((*second)->members.size(), 1u);
  EXPECT_EQ((*second)->members[0].metadata, "subscription");
}

TEST_F(GroupCoordinatorTest, OlderVersionsJoinAtOnce) {
  const auto joined = join({.version = 3});
  EXPECT_EQ((*joined)->error_code, ErrorCode::none);
  EXPECT_EQ((*joined)->generation_id, 1);
}

TEST_F(GroupCoordinatorTest, AnIdThatIsNotUsedIsForgotten) {
  const auto first = join({});
  scheduler.advance(10'000);
  const auto late = join({.member_id = (*first)->member_id});
  EXPECT_EQ((*late)->error_code, ErrorCode::unknown_member_id);
}

TEST_F(GroupCoordinatorTest, ASecondMemberRebalancesTheGroup) {
  const std::string a = stable_member();
  EXPECT_EQ(beat(a, GenerationId(1)), ErrorCode::none);
  const auto b_join = join_anew();
  EXPECT_FALSE(b_join->has_value()) << "waits for the first member";
  EXPECT_EQ(beat(a, GenerationId(1)), ErrorCode::rebalance_in_progress);
  const auto a_join = join({.member_id = a});
  ASSERT_TRUE(a_join->has_value() && b_join->has_value());
  EXPECT_EQ((*a_join)->generation_id, 2);
  EXPECT_EQ((*b_join)->generation_id, 2);
  EXPECT_EQ((*a_join)->leader, a);
  EXPECT_EQ((*a_join)->members.size(), 2u);
  EXPECT_TRUE((*b_join)->members.empty()) << "only the leader is told the members";
  const std::string b = (*b_join)->member_id;

  const auto b_sync = sync(b, GenerationId(2));
  EXPECT_FALSE(b_sync->has_value()) << "waits for the leader";
  EXPECT_EQ(beat(a, GenerationId(2)), ErrorCode::none);
  const auto a_sync = sync(a, GenerationId(2), {{a, "A"}, {b, "B"}});
  EXPECT_EQ((*a_sync)->assignment, "A");
  EXPECT_EQ((*b_sync)->assignment, "B");
  EXPECT_EQ(describe().group_state, "Stable");
}

TEST_F(GroupCoordinatorTest, TheAssignmentIsDurableBeforeAnyoneIsToldIt) {
  const auto joined = join_anew();
  const std::string id = (*joined)->member_id;
  log.hold();
  const auto synced = sync(id, GenerationId(1), {{id, "A"}});
  EXPECT_FALSE(synced->has_value());
  log.release();
  EXPECT_EQ((*synced)->assignment, "A");
}

// Not at once: on a full disk it would do nothing else.
TEST_F(GroupCoordinatorTest, AnAssignmentThatCannotBeStoredRebalancesAgainAfterASecond) {
  const auto joined = join_anew();
  const std::string id = (*joined)->member_id;
  log.fail_next(1);
  const auto synced = sync(id, GenerationId(1), {{id, "A"}});
  scheduler.advance(999);
  EXPECT_FALSE(synced->has_value());
  scheduler.advance(1);
  EXPECT_EQ((*synced)->error_code, ErrorCode::not_coordinator);
  EXPECT_EQ(beat(id, GenerationId(1)), ErrorCode::rebalance_in_progress);
}

TEST_F(GroupCoordinatorTest, ANewGroupWaitsForMoreMembers) {
  config.initial_rebalance_delay_ms = 3000;
  start();
  const auto a = join_anew();
  scheduler.advance(2999);
  EXPECT_FALSE(a->has_value());
  const auto b = join_anew();
  scheduler.advance(1);
  EXPECT_FALSE(a->has_value()) << "someone came, so it waits once more";
  scheduler.advance(3000);
  ASSERT_TRUE(a->has_value() && b->has_value());
  EXPECT_EQ((*a)->generation_id, 1);
  EXPECT_EQ((*b)->generation_id, 1);
  EXPECT_EQ((*a)->members.size() + (*b)->members.size(), 2u);
}

TEST_F(GroupCoordinatorTest, ASilentMemberIsRemovedAfterItsSession) {
  const std::string a = stable_member();
  const auto b_join = join_anew({.session_timeout_ms = 60'000});
  const auto a_join = join({.member_id = a});
  const std::string b = (*b_join)->member_id;
  (void)sync(b, GenerationId(2));
  (void)sync(a, GenerationId(2), {{a, "A"}, {b, "B"}});
  for (int i = 0; i < 3; ++i) {
    scheduler.advance(9000);
    EXPECT_EQ(beat(a, GenerationId(2)), ErrorCode::none) << "heartbeats keep a member";
  }
  scheduler.advance(9999);
  EXPECT_EQ(beat(b, GenerationId(2)), ErrorCode::none);
  scheduler.advance(1);
  EXPECT_EQ(beat(a, GenerationId(2)), ErrorCode::unknown_member_id);
  EXPECT_EQ(beat(b, GenerationId(2)), ErrorCode::rebalance_in_progress);
  const auto again = join({.member_id = b, .session_timeout_ms = 60'000});
  EXPECT_EQ((*again)->generation_id, 3);
  EXPECT_EQ((*again)->leader, b);
}

TEST_F(GroupCoordinatorTest, MembersThatDoNotJoinAgainAreDroppedAfterTheRebalanceTimeout) {
  const std::string a = stable_member({.session_timeout_ms = 60'000, .rebalance_timeout_ms = 20'000});
  const auto b_join = join_anew({.session_timeout_ms = 60'000, .rebalance_timeout_ms = 20'000});
  scheduler.advance(19'999);
  EXPECT_FALSE(b_join->has_value());
  scheduler.advance(1);
  ASSERT_TRUE(b_join->has_value());
  EXPECT_EQ((*b_join)->generation_id, 2);
  EXPECT_EQ((*b_join)->leader, (*b_join)->member_id);
  EXPECT_EQ(beat(a, GenerationId(2)), ErrorCode::unknown_member_id);
}

TEST_F(GroupCoordinatorTest, AMemberThatDoesNotSyncIsDroppedAfterTheRebalanceTimeout) {
  const std::string a = stable_member({.session_timeout_ms = 100'000});
  const auto b_join = join_anew({.session_timeout_ms = 100'000});
  const auto a_join = join({.member_id = a, .session_timeout_ms = 100'000});
  const std::string b = (*b_join)->member_id;
  const auto a_sync = sync(b, GenerationId(2));
  scheduler.advance(30'000);
  ASSERT_TRUE(a_sync->has_value());
  EXPECT_EQ((*a_sync)->error_code, ErrorCode::rebalance_in_progress) << "the leader never assigned";
  EXPECT_EQ(beat(a, GenerationId(2)), ErrorCode::unknown_member_id);
}

TEST_F(GroupCoordinatorTest, AFollowerThatJoinsAgainUnchangedIsAnsweredAtOnce) {
  const std::string a = stable_member();
  const auto b_join = join_anew();
  (void)join({.member_id = a});
  const std::string b = (*b_join)->member_id;
  (void)sync(b, GenerationId(2));
  (void)sync(a, GenerationId(2), {});
  const auto same = join({.member_id = b});
  EXPECT_EQ((*same)->generation_id, 2);
  EXPECT_EQ(describe().group_state, "Stable");
  (void)join({.member_id = b, .metadata = "changed"});
  EXPECT_EQ(describe().group_state, "PreparingRebalance");
}

TEST_F(GroupCoordinatorTest, TheLeaderMayForceARebalance) {
  const std::string a = stable_member();
  EXPECT_EQ((*join({.member_id = a}))->generation_id, 2);
}

TEST_F(GroupCoordinatorTest, TheProtocolIsTheOneMostMembersPrefer) {
  const auto a = join_anew({.protocols = {"sticky", "range"}});
  const auto b = join_anew({.protocols = {"range", "sticky"}});
  const auto c = join_anew({.protocols = {"range", "roundrobin", "sticky"}});
  (void)join({.member_id = (*a)->member_id, .protocols = {"sticky", "range"}});
  ASSERT_TRUE(b->has_value() && c->has_value());
  EXPECT_EQ((*b)->protocol_name, "range");
}

TEST_F(GroupCoordinatorTest, RefusesJoinsThatCannotBe) {
  const std::string a = stable_member();
  const struct {
    const char* name;
    JoinOptions options;
    ErrorCode want;
  } cases[] = {
      {"no common protocol", {.protocols = {"roundrobin"}}, ErrorCode::inconsistent_group_protocol},
      {"another type", {.protocol_type = "connect"}, ErrorCode::inconsistent_group_protocol},
      {"an unknown member", {.member_id = "nobody"}, ErrorCode::unknown_member_id},
      {"a session too short", {.session_timeout_ms = 5999}, ErrorCode::invalid_session_timeout},
      {"a session too long", {.session_timeout_ms = 1'800'001}, ErrorCode::invalid_session_timeout},
      {"an unknown instance", {.member_id = a, .instance_id = "i"}, ErrorCode::unknown_member_id},
  };
  for (const auto& c : cases) {
    const auto joined = join(c.options);
    ASSERT_TRUE(joined->has_value()) << c.name;
    EXPECT_EQ((*joined)->error_code, c.want) << c.name;
  }
  EXPECT_EQ(beat(a, GenerationId(0)), ErrorCode::illegal_generation);
  EXPECT_EQ((*sync(a, GenerationId(7)))->error_code, ErrorCode::illegal_generation);
  EXPECT_EQ((*sync("nobody", GenerationId(1)))->error_code, ErrorCode::unknown_member_id);
}

TEST_F(GroupCoordinatorTest, AFullGroupTakesNobodyElse) {
  config.members_max = 1;
  start();
  stable_member();
  EXPECT_EQ((*join({}))->error_code, ErrorCode::group_max_size_reached);
}

// What members of all groups have sent is held in memory; members that are there go on.
TEST_F(GroupCoordinatorTest, MembersTakeNoMoreThanTheirBytesTogether) {
  constexpr size_t kMax = 1 << 20;
  config.members_bytes_max = kMax;
  start();
  const Bytes large(100'000, 'm');
  const std::string first = stable_member({.metadata = large});
  size_t taken = 1;
  ErrorCode refused = ErrorCode::none;
  for (; taken < 100 && refused == ErrorCode::none; ++taken) {
    const auto joined = join_anew({.metadata = large, .version = 5});
    if (joined->has_value()) refused = (*joined)->error_code;  // else it waits for the others
    EXPECT_LE(groups->members_bytes(), kMax);
  }
  EXPECT_EQ(refused, ErrorCode::group_max_size_reached);
  EXPECT_EQ(taken, 8U) << "seven, and the one that was refused: the last quarter is for small ones";

  const struct {
    const char* what;
    JoinOptions options;
    bool refused;
  } cases[] = {
      {"one that is there, as before", {.member_id = first, .metadata = large}, false},
      {"one that is there, with less", {.member_id = first, .metadata = "less"}, false},
      {"one that is there, with much more", {.member_id = first, .metadata = Bytes(kMax, 'm')}, true},
      {"a static member", {.instance_id = "i", .metadata = Bytes(200'000, 'm')}, true},
      {"one of an old client", {.metadata = Bytes(200'000, 'm'), .version = 3}, true},
      {"a small one", {.metadata = "small", .version = 3}, false},
      {"a small one, no protocol of which is large", {.metadata = Bytes(60'000, 's'), .version = 3}, false},
      {"many protocols", {.protocols = std::vector<std::string>(10'000, "range"), .version = 3}, true},
  };
  for (const auto& c : cases) {
    const auto joined = join(c.options);
    EXPECT_EQ(joined->has_value() && (*joined)->error_code == ErrorCode::group_max_size_reached, c.refused) << c.what;
    EXPECT_LE(groups->members_bytes(), kMax) << c.what;
  }
  scheduler.advance(1'000'000);  // nobody comes back
  EXPECT_EQ(groups->members_bytes(), 0U);
  stable_member({.metadata = large});
}

// Kafka has no bound of its own for it, but none that does not fit into a record can be stored, and says so by this
// code.
TEST_F(GroupCoordinatorTest, AnAssignmentThatIsTooLargeIsRefusedAndTheGroupBeginsAgain) {
  config.members_bytes_max = 1 << 20;
  start();
  const auto joined = join_anew();
  const std::string id = (*joined)->member_id;
  const auto synced = sync(id, GenerationId(1), {{id, Bytes(1 << 20, 'a')}});
  scheduler.advance(1000);
  ASSERT_TRUE(synced->has_value());
  EXPECT_EQ((*synced)->error_code, ErrorCode::unknown_server_error);
  EXPECT_EQ((*join({.member_id = id}))->generation_id, 2);
  const auto again = sync(id, GenerationId(2), {{id, Bytes(500'000, 'a')}, {"nobody", Bytes(2 << 20, 'a')}});
  EXPECT_EQ((*again)->error_code, ErrorCode::none) << "what is for nobody is not kept";
  EXPECT_GT(groups->members_bytes(), 500'000U);
  restart();
  EXPECT_GT(groups->members_bytes(), 500'000U);
}

TEST_F(GroupCoordinatorTest, IdsThatNobodyComesBackWithAreBoundedAndForgottenWithTheirGroups) {
  config.members_bytes_max = 100'000;
  start();
  int given = 0;
  while (given < 1000 && (*join({}))->error_code == ErrorCode::member_id_required) ++given;
  EXPECT_GT(given, 100);
  EXPECT_LT(given, 200);
  EXPECT_EQ((*join({}))->error_code, ErrorCode::group_max_size_reached);
  scheduler.advance(10'000);
  EXPECT_EQ(groups->members_bytes(), 0U);
  EXPECT_EQ(groups->group_counts().in(GroupState::empty), 0) << "the group is gone as well";
  stable_member();
}

TEST_F(GroupCoordinatorTest, AStaticMemberComesBackWithoutARebalance) {
  const std::string old_id = stable_member({.instance_id = "i1"});
  const auto back = join({.instance_id = "i1"});
  ASSERT_TRUE(back->has_value());
  EXPECT_EQ((*back)->generation_id, 1);
  EXPECT_NE((*back)->member_id, old_id);
  EXPECT_EQ((*back)->leader, old_id) << "so that it does not take itself for the leader";
  EXPECT_EQ((*sync((*back)->member_id, GenerationId(1)))->assignment, "assigned");
  EXPECT_EQ(beat(old_id, GenerationId(1), "i1"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(beat((*back)->member_id, GenerationId(1), "i1"), ErrorCode::none);
}

TEST_F(GroupCoordinatorTest, AStaticLeaderOfVersion9SkipsTheAssignment) {
  stable_member({.instance_id = "i1", .version = 9});
  const auto back = join({.instance_id = "i1", .version = 9});
  EXPECT_TRUE((*back)->skip_assignment);
  EXPECT_EQ((*back)->leader, (*back)->member_id);
  EXPECT_EQ((*back)->members.size(), 1u);
}

TEST_F(GroupCoordinatorTest, AStaticMemberWithNewProtocolsRebalances) {
  stable_member({.instance_id = "i1", .protocols = {"range"}});
  const auto back = join({.instance_id = "i1", .protocols = {"sticky", "range"}});
  EXPECT_EQ((*back)->generation_id, 2);
}

TEST_F(GroupCoordinatorTest, ADuplicateOfAWaitingStaticMemberFencesTheFirst) {
  stable_member();
  const auto first = join({.instance_id = "i1"});
  EXPECT_FALSE(first->has_value());
  const auto second = join({.instance_id = "i1"});
  ASSERT_TRUE(first->has_value());
  EXPECT_EQ((*first)->error_code, ErrorCode::fenced_instance_id);
  EXPECT_FALSE(second->has_value());
}

TEST_F(GroupCoordinatorTest, MembersLeaveSeveralAtOnce) {
  const std::string a = stable_member();
  const auto left = leave({{.member_id = a}, {.member_id = "nobody"}, {.member_id = "", .group_instance_id = "i9"}});
  EXPECT_EQ(left.error_code, ErrorCode::none);
  ASSERT_EQ(left.members.size(), 3u);
  EXPECT_EQ(left.members[0].error_code, ErrorCode::none);
  EXPECT_EQ(left.members[1].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(left.members[2].error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(describe().group_state, "Empty");
}

TEST_F(GroupCoordinatorTest, AnAdministratorRemovesAStaticMemberByItsInstance) {
  stable_member({.instance_id = "i1"});
  EXPECT_EQ(leave({{.group_instance_id = "i1"}}).members[0].error_code, ErrorCode::none);
  EXPECT_EQ(describe().group_state, "Empty");
}

// ---- offsets

TEST_F(GroupCoordinatorTest, CommittedOffsetsAreFetchedWithTheirMetadata) {
  EXPECT_EQ(fetch().committed_offset, -1);
  EXPECT_EQ(commit(Offset(42)), ErrorCode::none);
  const auto fetched = fetch();
  EXPECT_EQ(fetched.committed_offset, 42);
  EXPECT_EQ(fetched.committed_leader_epoch, 4);
  EXPECT_EQ(fetched.metadata, "m");
}

TEST_F(GroupCoordinatorTest, ACommitIsSeenOnceItIsDurable) {
  log.hold();
  const auto answer = commit_async(Offset(42));
  EXPECT_FALSE(answer->has_value());
  EXPECT_EQ(fetch().committed_offset, -1);
  log.release();
  EXPECT_TRUE(answer->has_value());
  EXPECT_EQ(fetch().committed_offset, 42);
}

TEST_F(GroupCoordinatorTest, CommitsAreChecked) {
  EXPECT_EQ(commit(Offset(1), GenerationId(3), "nobody"), ErrorCode::illegal_generation) << "no such group";
  const std::string a = stable_member();
  EXPECT_EQ(commit(Offset(1), GenerationId(1), a), ErrorCode::none);
  EXPECT_EQ(commit(Offset(1), GenerationId(0), a), ErrorCode::illegal_generation);
  EXPECT_EQ(commit(Offset(1), GenerationId(1), "nobody"), ErrorCode::unknown_member_id);
  EXPECT_EQ(commit(Offset(1)), ErrorCode::unknown_member_id) << "not a member while there are some";
  EXPECT_EQ(commit(Offset(1), GenerationId(1), a, std::string(4097, 'x')), ErrorCode::offset_metadata_too_large);
  EXPECT_EQ(commit(Offset(1), GenerationId(1), a, std::string("m"), std::string("unknown")),
            ErrorCode::unknown_topic_or_partition);
  (void)join({.member_id = a});
  EXPECT_EQ(commit(Offset(1), GenerationId(2), a), ErrorCode::rebalance_in_progress);
  log.fail_next(1);
  (void)sync(a, GenerationId(2), {});
}

TEST_F(GroupCoordinatorTest, ATransactionsOffsetsWaitForItsEnd) {
  EXPECT_EQ(commit(Offset(10)), ErrorCode::none);
  EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(20)), ErrorCode::none);
  EXPECT_EQ(fetch().committed_offset, 10);
  EXPECT_EQ(fetch(true).error_code, ErrorCode::unstable_offset_commit);
  end_txn(ProducerId(7), true);
  EXPECT_EQ(fetch(true).committed_offset, 20);
  EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(30)), ErrorCode::none);
  end_txn(ProducerId(7), false);
  EXPECT_EQ(fetch(true).committed_offset, 20);
}

TEST_F(GroupCoordinatorTest, ALaterCommitWinsOverAnEarlierTransaction) {
  EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(20)), ErrorCode::none);
  EXPECT_EQ(commit(Offset(50)), ErrorCode::none);
  end_txn(ProducerId(7), true);
  EXPECT_EQ(fetch().committed_offset, 50);
}

TEST_F(GroupCoordinatorTest, ATransactionsFailedAppendLeavesNothingPending) {
  log.fail_next(1);
  EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(20)), ErrorCode::not_coordinator);
  EXPECT_EQ(fetch(true).error_code, ErrorCode::none);
}

// Else the group would go on, in a topic of that name that is made anew, where it was in the old one.
TEST_F(GroupCoordinatorTest, ATransactionsOffsetsGoWithTheirTopic) {
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted ? "restarted" : "not restarted");
    EXPECT_EQ(commit(Offset(10)), ErrorCode::none);
    EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(20)), ErrorCode::none);
    groups->on_topics_deleted({"t"});
    if (restarted) restart();
    EXPECT_EQ(fetch(true).error_code, ErrorCode::none);
    end_txn(ProducerId(7), true);
    EXPECT_EQ(fetch(true).committed_offset, -1);
  }
}

// ---- restart

TEST_F(GroupCoordinatorTest, GroupsSurviveARestart) {
  const std::string a = stable_member({.instance_id = "i1"});
  EXPECT_EQ(commit(Offset(42), GenerationId(1), a), ErrorCode::none);
  EXPECT_EQ(commit_in_txn(ProducerId(7), Offset(99)), ErrorCode::none);
  EXPECT_EQ(commit_in_txn(ProducerId(8), Offset(77)), ErrorCode::none);
  end_txn(ProducerId(8), true);
  restart();
  const auto group = describe();
  EXPECT_EQ(group.group_state, "Stable");
  ASSERT_EQ(group.members.size(), 1u);
  EXPECT_EQ(group.members[0].member_id, a);
  EXPECT_EQ(group.members[0].group_instance_id, "i1");
  EXPECT_EQ(group.members[0].client_host, "/127.0.0.1");
  EXPECT_EQ(group.members[0].member_assignment, "assigned");
  EXPECT_EQ(beat(a, GenerationId(1)), ErrorCode::none);
  EXPECT_EQ(fetch().committed_offset, 77);
  EXPECT_EQ(fetch(true).error_code, ErrorCode::unstable_offset_commit) << "producer 7's transaction is still open";
  end_txn(ProducerId(7), true);
  EXPECT_EQ(fetch(true).committed_offset, 77) << "the record of producer 8 is the later one";
}

TEST_F(GroupCoordinatorTest, AMemberThatIsGoneAfterARestartIsRemoved) {
  const std::string a = stable_member();
  restart();
  scheduler.advance(10'000);
  EXPECT_EQ(describe().group_state, "Empty");
  EXPECT_EQ(beat(a, GenerationId(1)), ErrorCode::unknown_member_id);
}

// ---- administration

TEST_F(GroupCoordinatorTest, OnlyEmptyGroupsAreDeleted) {
  const auto remove = [&] {
    auto [answer, reply] = slot<wire::DeleteGroupsResponse>();
    groups->delete_groups({.groups_names = {"g", "unknown"}}, reply);
    EXPECT_EQ((*answer)->results[1].error_code, ErrorCode::group_id_not_found);
    return (*answer)->results[0].error_code;
  };
  const std::string a = stable_member();
  EXPECT_EQ(commit(Offset(5), GenerationId(1), a), ErrorCode::none);
  EXPECT_EQ(remove(), ErrorCode::non_empty_group);
  leave({{.member_id = a}});
  EXPECT_EQ(remove(), ErrorCode::none);
  EXPECT_EQ(fetch().committed_offset, -1);
  restart();
  EXPECT_EQ(describe().group_state, "Dead") << "the tombstones are stored";
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupCoordinatorTest, OffsetsOfSubscribedTopicsAreNotDeleted) {
  const auto remove = [&] {
    auto [answer, reply] = slot<wire::OffsetDeleteResponse>();
    groups->offset_delete({.group_id = "g", .topics = {{.name = "t", .partitions = {{.partition_index = 1}}}}}, reply);
    return **answer;
  };
  const Bytes subscription_to_t("\0\0\0\0\0\1\0\1t\0\0\0\0", 13);  // version 0, ["t"], no user data
  const std::string a = stable_member({.metadata = subscription_to_t});
  EXPECT_EQ(commit(Offset(5), GenerationId(1), a), ErrorCode::none);
  EXPECT_EQ(remove().topics[0].partitions[0].error_code, ErrorCode::group_subscribed_to_topic);
  leave({{.member_id = a}});
  EXPECT_EQ(remove().topics[0].partitions[0].error_code, ErrorCode::none);
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupCoordinatorTest, GroupsAreListedByState) {
  stable_member();
  const auto list = [&](std::vector<std::string> states) {
    auto [answer, reply] = slot<wire::ListGroupsResponse>();
    groups->list_groups({.states_filter = std::move(states)}, reply);
    return **answer;
  };
  ASSERT_EQ(list({}).groups.size(), 1u);
  EXPECT_EQ(list({}).groups[0].protocol_type, "consumer");
  EXPECT_EQ(list({"stable"}).groups.size(), 1u);
  EXPECT_EQ(list({"Empty"}).groups.size(), 0u);
}

TEST_F(GroupCoordinatorTest, OffsetsExpireAfterTheGroupHasBeenEmptyForTheRetention) {
  const std::string a = stable_member();
  EXPECT_EQ(commit(Offset(5), GenerationId(1), a), ErrorCode::none);
  for (int i = 0; i < 200; ++i) {
    scheduler.advance(6000);
    ASSERT_EQ(beat(a, GenerationId(1)), ErrorCode::none);
  }
  leave({{.member_id = a}});
  clock.advance_ms(config.offsets_retention_ms - 1);
  groups->expire_offsets();
  EXPECT_EQ(fetch().committed_offset, 5);
  clock.advance_ms(1);
  groups->expire_offsets();
  EXPECT_EQ(fetch().committed_offset, -1);
  EXPECT_EQ(describe().group_state, "Dead");
  restart();
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST_F(GroupCoordinatorTest, ACommitOnItsWayDoesNotExpireWithTheOffsetItReplaces) {
  EXPECT_EQ(commit(Offset(5)), ErrorCode::none);
  clock.advance_ms(config.offsets_retention_ms);
  log.hold();
  const auto answer = commit_async(Offset(6));
  groups->expire_offsets();
  log.release();
  EXPECT_EQ((*answer)->topics[0].partitions[0].error_code, ErrorCode::none);
  EXPECT_EQ(fetch().committed_offset, 6);
  groups->expire_offsets();
  restart();
  EXPECT_EQ(fetch().committed_offset, 6);
}

TEST_F(GroupCoordinatorTest, OffsetsGoWithTheirTopic) {
  EXPECT_EQ(commit(Offset(5)), ErrorCode::none);
  groups->on_topics_deleted({"t"});
  EXPECT_EQ(fetch().committed_offset, -1);
}

TEST(GroupRecords, KeysAndValuesAreKafkas) {
  EXPECT_EQ(hex(offset_key("g", {"t", PartitionId(3)})), "00 01 00 01 67 00 01 74 00 00 00 03");
  EXPECT_EQ(hex(offset_value(
                {.offset = Offset(5), .leader_epoch = LeaderEpoch(1), .metadata = "m", .commit_timestamp_ms = 256})),
            "00 03 00 00 00 00 00 00 00 05 00 00 00 01 00 01 6d 00 00 00 00 00 00 01 00");
  EXPECT_EQ(hex(group_key("g")), "00 02 00 01 67");
}

}  // namespace
}  // namespace muir::broker
