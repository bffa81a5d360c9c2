// For tests of the runtime: a plan of one counting subtopology, with its runner, and no DSL. It counts the records of
// each key in a store with a changelog and writes every new count, as text, to a topic.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "store/key_value_store.h"
#include "streams/plan/subtopology.h"
#include "streams/runtime/stream_task.h"

namespace muir::streams::internal {

class CountingPlan final : public TopologyPlan {
 public:
  explicit CountingPlan(std::string application, std::vector<std::string> sources = {"in"}, std::string sink = "out",
                        store::StoreKind kind = store::StoreKind::in_memory)
      : kind_(kind), sink_(std::move(sink)) {
    changelog_ = application + "-counts-changelog";
    subtopologies_.push_back({.id = 0,
                              .source_topics = std::move(sources),
                              .sink_topics = {sink_},
                              .stores = {{.name = "counts", .changelog_topic = changelog_}}});
    internal_.push_back({.name = changelog_, .changelog = true, .configs = {{"cleanup.policy", "compact"}}});
  }
  [[nodiscard]] const std::vector<SubtopologyPlan>& subtopologies() const override { return subtopologies_; }
  [[nodiscard]] const std::vector<InternalTopic>& internal_topics() const override { return internal_; }
  [[nodiscard]] const std::vector<std::vector<std::string>>& copartition_groups() const override { return groups_; }
  [[nodiscard]] SourceSettings source_settings(const std::string&) const override { return {}; }
  [[nodiscard]] std::string describe() const override { return "count"; }

  std::vector<SubtopologyPlan> subtopologies_;
  std::vector<InternalTopic> internal_;
  std::vector<std::vector<std::string>> groups_;
  store::StoreKind kind_;
  std::string sink_;
  std::string changelog_;
};

class CountingRunner final : public SubtopologyRunner, private store::ChangelogWriter {
 public:
  CountingRunner(const CountingPlan& plan, RunnerEnvironment environment)
      : plan_(plan), environment_(std::move(environment)) {}

  Status open_stores() override {
    counts_ = store::make_key_value_store({.name = "counts", .kind = plan_.kind_, .format = store::ValueFormat::plain});
    MUIR_RETURN_IF_ERROR(counts_->open(environment_.state_dir + "/rocksdb/counts", *environment_.files));
    counts_->set_changelog(this);
    return {};
  }
  Status restore_store(const std::string&, std::span<const client::ConsumedRecord> records) override {
    std::vector<store::ChangelogRecord> changes;
    for (const auto& record : records) changes.push_back({*record.key, record.value, record.timestamp_ms});
    return counts_->restore(changes);
  }
  Status init_processors() override { return {}; }
  Status process(std::string_view topic, PartitionId partition, const client::ConsumedRecord& record) override {
    if (record.value == "poison") return error(Code::invalid_argument, "cannot process \"poison\"");
    const RecordOrigin origin{environment_.task, topic, partition, &record};
    environment_.sink->set_origin(&origin);
    const Status counted = count(record);
    environment_.sink->set_origin(nullptr);
    return counted;
  }
  Status count(const client::ConsumedRecord& record) {
    store::ValueAndTimestamp before;
    int64_t count = 0;
    if (MUIR_TRY(counts_->get(*record.key, before))) count = std::stoll(before.value);
    const std::string text = std::to_string(count + 1);
    MUIR_RETURN_IF_ERROR(counts_->put(*record.key, BytesView(text), record.timestamp_ms));
    return environment_.sink->send(plan_.sink_, std::nullopt, record.key, BytesView(text), record.timestamp_ms, {});
  }
  Result<int64_t> extract_timestamp(std::string_view, const client::ConsumedRecord& record, int64_t) override {
    return record.timestamp_ms;
  }
  Result<bool> punctuate_stream_time(int64_t) override { return false; }
  Result<bool> punctuate_wall_clock(int64_t) override { return false; }
  Status flush() override { return {}; }
  Status sync_stores() override { return counts_->sync(); }
  Status close() override { return counts_->close(); }
  [[nodiscard]] store::StateStore* store(const std::string& name) override {
    return name == "counts" ? counts_.get() : nullptr;
  }

 private:
  Status log(BytesView key, OptBytesView value, int64_t timestamp_ms) override {
    return environment_.sink->send(plan_.changelog_, environment_.task.partition, key, value, timestamp_ms, {});
  }
  const CountingPlan& plan_;
  const RunnerEnvironment environment_;
  std::unique_ptr<store::KeyValueStore> counts_;
};

inline RunnerFactory counting_factory(std::shared_ptr<const CountingPlan> plan) {
  return [plan](int32_t, RunnerEnvironment environment) -> Result<std::unique_ptr<SubtopologyRunner>> {
    return std::unique_ptr<SubtopologyRunner>(std::make_unique<CountingRunner>(*plan, std::move(environment)));
  };
}

}  // namespace muir::streams::internal
