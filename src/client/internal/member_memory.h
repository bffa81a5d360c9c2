// MemoryMember: the GroupMember of a MemoryCluster. Owned by one thread, except request_rejoin().
#pragma once

#include <atomic>

#include "client/internal/state_memory.h"

namespace muir::client::internal {

class MemoryMember final : public GroupMember {
 public:
  MemoryMember(MemoryCluster::State& state, GroupMemberOptions options, GroupProtocol& protocol)
      : state_(state), options_(std::move(options)), protocol_(protocol) {}
  ~MemoryMember() override;

  Status poll(int64_t timeout_ms) override;
  void request_rejoin() override;
  [[nodiscard]] bool stable() const override { return phase_ == Phase::stable; }
  [[nodiscard]] GroupMetadata metadata() const override;
  Status commit(const Offsets& offsets, int64_t timeout_ms) override;
  Status leave() override;

 private:
  enum class Phase : unsigned char { unjoined, joined, stable };
  using Lock = std::unique_lock<std::mutex>;

  // One transition; true when something happened. The protocol is called with the lock released.
  Result<bool> advance(Lock& lock);
  Result<bool> join(Lock& lock);
  Result<bool> follow(Lock& lock, MemoryGroup& group);
  Result<bool> lead(Lock& lock, MemoryGroup& group);
  Result<bool> take_assignment(Lock& lock, MemoryGroup& group);
  Status check_place(Lock& lock, MemoryGroup& group, bool& lost);
  bool take_over_static_place(MemoryGroup& group, const std::vector<std::pair<std::string, Bytes>>& metadata);

  MemoryCluster::State& state_;
  const GroupMemberOptions options_;
  GroupProtocol& protocol_;
  Phase phase_ = Phase::unjoined;
  std::string member_id_;
  GenerationId generation_ = kNoGeneration;
  Status fenced_;
  std::atomic<bool> rejoin_ = false;
};

}  // namespace muir::client::internal
