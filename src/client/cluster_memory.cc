#include "client/cluster_memory.h"

#include "client/internal/admin_memory.h"
#include "client/internal/consumer_memory.h"
#include "client/internal/kafka_config.h"
#include "client/internal/member_memory.h"
#include "client/internal/producer_memory.h"
#include "client/internal/state_memory.h"

namespace muir::client {
namespace {

class MemoryClient final : public Client {
 public:
  MemoryClient(MemoryCluster::State& state, Properties properties)
      : state_(state), properties_(std::move(properties)) {}

  Result<std::unique_ptr<Producer>> producer(const Properties& overrides) override {
    return internal::MemoryProducer::make(state_, internal::merged(properties_, overrides));
  }
  Result<std::unique_ptr<Consumer>> consumer(const Properties& overrides) override {
    return internal::MemoryConsumer::make(state_, internal::merged(properties_, overrides));
  }
  Result<std::unique_ptr<Admin>> admin(const Properties&) override {
    return std::unique_ptr<Admin>(new internal::MemoryAdmin(state_));
  }
  Result<std::unique_ptr<GroupMember>> group_member(const GroupMemberOptions& options,
                                                    GroupProtocol& protocol) override {
    if (options.group_id.empty()) return error(Code::invalid_argument, "group member: group_id is empty");
    return std::unique_ptr<GroupMember>(new internal::MemoryMember(state_, options, protocol));
  }

 private:
  MemoryCluster::State& state_;
  const Properties properties_;
};

}  // namespace

MemoryCluster::MemoryCluster(Clock& clock, MemoryClusterOptions options)
    : state_(std::make_unique<State>(clock, options)) {}
MemoryCluster::~MemoryCluster() = default;

std::unique_ptr<Client> MemoryCluster::client(const Properties& properties) {
  return std::make_unique<MemoryClient>(*state_, properties);
}

void MemoryCluster::inject(const FaultPlan& plan) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = plan;
  state_->random.seed(plan.seed);
}

void MemoryCluster::expire_member(const std::string& group, const std::string& member_id) {
  const std::lock_guard lock(state_->mutex);
  if (const auto it = state_->groups.find(group); it != state_->groups.end())
    state_->remove_member(it->second, member_id);
}

std::vector<StoredRecord> MemoryCluster::stored(const TopicPartition& partition) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<StoredRecord> all;
  const Result<internal::MemoryPartition*> found = state_->partition(partition);
  if (!found.ok()) return all;
  for (const auto& record : (*found)->records) all.push_back(*record);
  return all;
}

std::map<std::string, Bytes> MemoryCluster::assignments(const std::string& group) const {
  const std::lock_guard lock(state_->mutex);
  std::map<std::string, Bytes> all;
  const auto it = state_->groups.find(group);
  if (it == state_->groups.end()) return all;
  for (const auto& [id, member] : it->second.members) all[id] = member.assignment;
  return all;
}

GenerationId MemoryCluster::generation(const std::string& group) const {
  const std::lock_guard lock(state_->mutex);
  const auto it = state_->groups.find(group);
  return it == state_->groups.end() ? kNoGeneration : it->second.generation;
}

std::vector<std::string> MemoryCluster::history() const {
  const std::lock_guard lock(state_->mutex);
  return state_->history;
}

size_t MemoryCluster::history_size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->history.size();
}

}  // namespace muir::client
