#include "simulation/network.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/producer_fake.h"

namespace muir::simulation {
namespace {

using client::Offsets;
using client::PartitionStart;
using client::TopicPartition;

std::string property(const Properties& properties, const std::string& key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string() : found->second;
}

class FaultyConsumer final : public client::Consumer {
 public:
  FaultyConsumer(Link& link, std::unique_ptr<client::Consumer> inner) : link_(link), inner_(std::move(inner)) {}
  Status assign(const std::vector<PartitionStart>& add) override {
    MUIR_RETURN_IF_ERROR(link_.request("assign"));
    return inner_->assign(add);
  }
  Status unassign(const std::vector<TopicPartition>& remove) override { return inner_->unassign(remove); }
  Status seek(const PartitionStart& to) override { return inner_->seek(to); }
  Status pause(const std::vector<TopicPartition>& partitions) override { return inner_->pause(partitions); }
  Status resume(const std::vector<TopicPartition>& partitions) override { return inner_->resume(partitions); }
  client::Polled poll(int64_t timeout_ms, size_t records_max) override {
    // A consumer that cannot reach its brokers has nothing to give.
    return inner_->poll(timeout_ms, link_.request("poll").ok() ? records_max : 0);
  }
  Result<Offset> position(const TopicPartition& partition) override { return inner_->position(partition); }
  std::optional<Offset> end_offset(const TopicPartition& partition) override { return inner_->end_offset(partition); }
  void wakeup() override { inner_->wakeup(); }

 private:
  Link& link_;
  std::unique_ptr<client::Consumer> inner_;
};

class FaultyAdmin final : public client::Admin {
 public:
  FaultyAdmin(Link& link, std::unique_ptr<client::Admin> inner) : link_(link), inner_(std::move(inner)) {}
  Status create_topic(const client::NewTopic& topic, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("create topic"));
    return answered(inner_->create_topic(topic, timeout_ms));
  }
  Status delete_topic(const std::string& name, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("delete topic"));
    return inner_->delete_topic(name, timeout_ms);
  }
  Result<client::TopicDescription> describe_topic(const std::string& name, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("describe topic"));
    return inner_->describe_topic(name, timeout_ms);
  }
  Result<std::vector<client::TopicDescription>> list_topics(int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("list topics"));
    return inner_->list_topics(timeout_ms);
  }
  Result<client::ClusterDescription> describe_cluster(int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("describe cluster"));
    return inner_->describe_cluster(timeout_ms);
  }
  Result<std::map<std::string, std::string>> topic_configs(const std::string& name, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("describe configs"));
    return inner_->topic_configs(name, timeout_ms);
  }
  Result<std::map<TopicPartition, Offset>> list_offsets(const std::vector<TopicPartition>& partitions,
                                                        client::OffsetSpec at, client::IsolationLevel isolation,
                                                        int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("list offsets"));
    if (link_.sabotage == Sabotage::restores_to_stable_end) isolation = client::IsolationLevel::read_committed;
    return inner_->list_offsets(partitions, at, isolation, timeout_ms);
  }
  Result<Offsets> committed_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                                    bool require_stable, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("fetch offsets"));
    return inner_->committed_offsets(group, partitions, require_stable && link_.sabotage != Sabotage::unstable_offsets,
                                     timeout_ms);
  }
  Status delete_records(const std::map<TopicPartition, Offset>& before, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("delete records"));
    return answered(inner_->delete_records(before, timeout_ms));
  }

 private:
  Status answered(Status done) {
    if (!done.ok() || !link_.dice().chance(link_.faults.answer_lost)) return done;
    return error(Code::timed_out, "no answer");
  }
  Link& link_;
  std::unique_ptr<client::Admin> inner_;
};

class FaultyMember final : public client::GroupMember {
 public:
  FaultyMember(Link& link, std::unique_ptr<client::GroupMember> inner) : link_(link), inner_(std::move(inner)) {}
  ~FaultyMember() override {
    if (link_.is_cut()) link_.left_members.push_back(std::move(inner_));
  }
  Status poll(int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("heartbeat"));
    return inner_->poll(timeout_ms);
  }
  void request_rejoin() override { inner_->request_rejoin(); }
  [[nodiscard]] bool stable() const override { return inner_->stable(); }
  [[nodiscard]] client::GroupMetadata metadata() const override { return inner_->metadata(); }
  Status commit(const Offsets& offsets, int64_t timeout_ms) override {
    MUIR_RETURN_IF_ERROR(link_.request("commit offsets"));
    MUIR_RETURN_IF_ERROR(inner_->commit(offsets, timeout_ms));
    if (link_.dice().chance(link_.faults.answer_lost)) return error(Code::timed_out, "commit offsets: no answer");
    return {};
  }
  Status leave() override {
    if (link_.away()) return error(Code::unavailable, "leave: no answer");
    return inner_->leave();
  }

 private:
  Link& link_;
  std::unique_ptr<client::GroupMember> inner_;
};

class FaultyClient final : public client::Client {
 public:
  FaultyClient(Link& link, std::unique_ptr<client::Client> inner) : link_(link), inner_(std::move(inner)) {}
  Result<std::unique_ptr<client::Producer>> producer(const Properties& overrides) override {
    auto inner = MUIR_TRY(inner_->producer(overrides));
    return std::unique_ptr<client::Producer>(
        std::make_unique<FaultyProducer>(link_, std::move(inner), !property(overrides, "transactional.id").empty()));
  }
  Result<std::unique_ptr<client::Consumer>> consumer(const Properties& overrides) override {
    Properties as = overrides;
    const bool restores = property(overrides, "client.id").ends_with("-restore-consumer");
    if (link_.sabotage == (restores ? Sabotage::restores_uncommitted : Sabotage::reads_uncommitted)) {
      as["isolation.level"] = "read_uncommitted";
    }
    auto inner = MUIR_TRY(inner_->consumer(as));
    return std::unique_ptr<client::Consumer>(std::make_unique<FaultyConsumer>(link_, std::move(inner)));
  }
  Result<std::unique_ptr<client::Admin>> admin(const Properties& overrides) override {
    auto inner = MUIR_TRY(inner_->admin(overrides));
    return std::unique_ptr<client::Admin>(std::make_unique<FaultyAdmin>(link_, std::move(inner)));
  }
  Result<std::unique_ptr<client::GroupMember>> group_member(const client::GroupMemberOptions& options,
                                                            client::GroupProtocol& protocol) override {
    auto inner = MUIR_TRY(inner_->group_member(options, protocol));
    return std::unique_ptr<client::GroupMember>(std::make_unique<FaultyMember>(link_, std::move(inner)));
  }

 private:
  Link& link_;
  std::unique_ptr<client::Client> inner_;
};

}  // namespace

std::string_view to_string(Sabotage sabotage) {
  switch (sabotage) {
    case Sabotage::none: return "none";
    case Sabotage::flush_does_not_wait: return "flush does not wait";
    case Sabotage::changelogs_after_commit: return "changelogs after commit";
    case Sabotage::restores_uncommitted: return "restores uncommitted";
    case Sabotage::reads_uncommitted: return "reads uncommitted";
    case Sabotage::zombies_are_not_fenced: return "zombies are not fenced";
    case Sabotage::unstable_offsets: return "unstable offsets";
    case Sabotage::restores_to_stable_end: return "restores to the stable end";
  }
  return "?";
}

Status Link::request(std::string_view what) {
  if (!cut_ && on_cut && dice_.chance(faults.cut)) {
    on_cut();
    cut_ = true;
  }
  if (!cut_ && on_pause && dice_.chance(faults.pause)) on_pause();
  if (away() || dice_.chance(faults.refused)) return error(Code::unavailable, "{}: no broker answers", what);
  return {};
}

void Link::turn() {
  for (FaultyProducer* producer : producers_) producer->turn();
}

std::unique_ptr<client::Client> behind(Link& link, std::unique_ptr<client::Client> cluster) {
  return std::make_unique<FaultyClient>(link, std::move(cluster));
}

}  // namespace muir::simulation
