// KafkaGroupMember: the classic group protocol (KIP-62, 345, 394) over our own client.
//
// A thread of its own does all that may block: finding the coordinator, JoinGroup (which the coordinator answers when
// the whole group has joined), SyncGroup and heartbeats. poll() only exchanges state with it and calls the protocol.
// Commits and the departure go over a second connection, from the owner's thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "client/group_member.h"
#include "client/internal/protocol_client.h"
#include "wire/messages/join_group.h"

namespace muir::client::internal {

class KafkaGroupMember final : public GroupMember {
 public:
  KafkaGroupMember(ProtocolClientOptions client, GroupMemberOptions options, GroupProtocol& protocol);
  ~KafkaGroupMember() override;

  Status poll(int64_t timeout_ms) override;
  void request_rejoin() override;
  [[nodiscard]] bool stable() const override;
  [[nodiscard]] GroupMetadata metadata() const override;
  Status commit(const Offsets& offsets, int64_t timeout_ms) override;
  Status leave() override;

 private:
  using Lock = std::unique_lock<std::mutex>;
  enum class Stage : unsigned char {
    unjoined,  // the owner prepares and hands over its metadata
    joining,   // the thread's: JoinGroup
    leading,   // the owner's: assign
    syncing,   // the thread's: SyncGroup
    assigned,  // the owner's: on_assigned
    stable,
    lost,  // the owner's: on_lost, then unjoined
    left,  // after leave(); the next poll joins anew
  };

  // Owner's side, with mutex_ held; the lock is released around calls of the protocol.
  Result<bool> advance(Lock& lock);
  void prepare(Lock& lock);
  Status lead(Lock& lock);
  Status take_assignment(Lock& lock);
  void tell_lost(Lock& lock);
  Status commit_once(const Offsets& offsets, const GroupMetadata& identity, const Deadline& deadline);
  Status note_commit_error(wire::ErrorCode code, const std::string& what);
  Status send_leave(const std::string& member_id, int64_t timeout_ms);

  // Thread's side.
  void run();
  void join(Lock& lock);
  void take_join_answer(const wire::JoinGroupResponse& answer);
  void sync(Lock& lock);
  void heartbeat(Lock& lock);
  void leave_overdue(Lock& lock);
  // A connection to the coordinator, found anew when the last one is gone. Called without the lock.
  Result<BrokerConnection*> coordinator(int64_t timeout_ms);
  template <class Request>
  Result<typename Request::Response> ask(Lock& lock, const Request& request, int64_t timeout_ms, int16_t cap);
  // With the lock held: what an error of the group's coordinator means for the membership.
  void take_error(wire::ErrorCode code, const std::string& what);
  void forget_coordinator();
  void pause(Lock& lock, int64_t ms);

  const GroupMemberOptions options_;
  GroupProtocol& protocol_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Stage stage_ = Stage::unjoined;
  bool stop_ = false;
  bool rejoin_ = false;        // the metadata changed, or the coordinator said that the group rebalances
  bool heartbeating_ = false;  // from a generation's start until the next join is sent
  Status fenced_;              // final
  Status failure_;             // of the last join; told to the owner once
  int64_t polled_at_ms_ = 0;
  std::string member_id_;
  GenerationId generation_ = kNoGeneration;
  std::string protocol_name_;
  // Owner to thread and back.
  std::vector<std::pair<std::string, Bytes>> join_metadata_;
  std::map<std::string, Bytes> members_;      // the leader's: metadata by member
  std::map<std::string, Bytes> assignments_;  // the leader's answer
  Bytes assignment_;
  GroupMetadata identity_;              // as of the last on_assigned
  BrokerConnection* in_use_ = nullptr;  // the thread's connection while it may block, for abort()

  ProtocolClient thread_client_;
  std::optional<Endpoint> coordinator_;  // thread's
  ProtocolClient owner_client_;
  std::optional<Endpoint> owner_coordinator_;  // owner's
  std::thread thread_;
};

}  // namespace muir::client::internal
