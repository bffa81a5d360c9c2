// Nodes of streams: stateless operators, branches, sinks and users' processors.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/change.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/task_context.h"
#include "wire/murmur2.h"

namespace muir::streams::internal {
namespace {

class StatelessNode final : public Node {
 public:
  explicit StatelessNode(Apply apply) : apply_(std::move(apply)) {}
  Status process(const Row& row) override { return apply_(row, *this); }

 private:
  Apply apply_;
};

class PassThroughNode final : public Node {
 public:
  Status process(const Row& row) override { return forward(row); }
};

class BranchNode final : public Node {
 public:
  explicit BranchNode(std::vector<Predicate> predicates) : predicates_(std::move(predicates)) {}
  Status process(const Row& row) override {
    for (size_t i = 0; i < predicates_.size(); ++i) {
      if (predicates_[i](row)) return forward_to(i, row);
    }
    return {};
  }

 private:
  std::vector<Predicate> predicates_;
};

class SinkNode final : public Node {
 public:
  Status init() override {
    const SinkSpec& sink = *spec().sink;
    topic_ = task().topic_name(sink.topic, sink.internal_topic);
    if (dynamic_cast<const WindowedSerde*>(sink.key.get()) != nullptr) unpartitioned_ = kWindowStartSize;
    if (dynamic_cast<const SessionWindowedSerde*>(sink.key.get()) != nullptr) unpartitioned_ = 2 * kWindowStartSize;
    extract_topic_ = sink.extract_topic;
    partition_ = sink.partition;
    return {};
  }

  Status process(const Row& row) override {
    const std::string* topic = &topic_;
    if (extract_topic_) {
      extracted_ = extract_topic_(row);
      if (extracted_.empty()) {
        return task().fail(spec().name, FailureKind::production,
                           error(Code::invalid_argument, "send: the extractor gave no topic"));
      }
      topic = &extracted_;
    }
    if (auto status = encode(*topic, row); !status.ok()) {
      return task().fail(spec().name, FailureKind::production, status);
    }
    const auto key = row.key != nullptr ? OptBytesView(key_) : std::nullopt;
    const auto value = row.value != nullptr || spec().sink->changes ? OptBytesView(value_) : std::nullopt;
    std::optional<PartitionId> partition;
    if (partition_ || (unpartitioned_ > 0 && key)) {
      auto chosen = choose_partition(*topic, row, key);
      if (!chosen.ok()) {
        return chosen.status().code() == Code::unavailable
                   ? task().fatal(chosen.status())
                   : task().fail(spec().name, FailureKind::production, chosen.status());
      }
      partition = *chosen;
    }
    Status sent = task().environment.sink->send(*topic, partition, key, value, row.timestamp_ms, row.headers);
    return sent.ok() ? sent : task().fatal(std::move(sent));
  }

 private:
  // The partitioner's choice; of windowed keys the partition of their inner key, so that all windows of a key share
  // one.
  Result<std::optional<PartitionId>> choose_partition(const std::string& topic, const Row& row, OptBytesView key) {
    const Result<int32_t> count = task().environment.sink->partition_count(topic);
    if (!count.ok()) {
      // Sent without a partition, the record would go where its whole key hashes to, the window included. Only what no
      // topic can be made of is left to sending, which tells why.
      if (count.status().code() == Code::unavailable) return count.status();
      return std::optional<PartitionId>();
    }
    if (partition_) {
      const std::optional<int32_t> chosen = partition_(topic, row, *count);
      if (chosen && (*chosen < 0 || *chosen >= *count)) {
        return error(Code::invalid_argument, "send topic={}: the partitioner chose partition {} of {}", topic, *chosen,
                     *count);
      }
      if (chosen) return std::optional(PartitionId(*chosen));
    }
    if (unpartitioned_ == 0 || !key) return std::optional<PartitionId>();
    return std::optional(wire::partition_for_key(key->substr(0, key->size() - unpartitioned_), *count));
  }

  Status encode(const std::string& topic, const Row& row) {
    const SinkSpec& sink = *spec().sink;
    if (row.timestamp_ms < 0) {
      return error(Code::invalid_argument, "send topic={}: timestamp {} is negative", topic, row.timestamp_ms);
    }
    key_.clear();
    value_.clear();
    if (row.key != nullptr) MUIR_RETURN_IF_ERROR(sink.key->serialize(topic, row.key, key_));
    if (sink.changes) return encode_change(topic, row);
    if (row.value != nullptr) MUIR_RETURN_IF_ERROR(sink.value->serialize(topic, row.value, value_));
    return {};
  }

  Status encode_change(const std::string& topic, const Row& row) {
    const SinkSpec& sink = *spec().sink;
    now_.clear();
    before_.clear();
    if (row.value != nullptr) MUIR_RETURN_IF_ERROR(sink.value->serialize(topic, row.value, now_));
    if (row.old_value != nullptr) MUIR_RETURN_IF_ERROR(sink.value->serialize(topic, row.old_value, before_));
    append_change({row.value != nullptr ? OptBytesView(now_) : std::nullopt,
                   row.old_value != nullptr ? OptBytesView(before_) : std::nullopt},
                  value_);
    return {};
  }

  std::string topic_;
  ExtractTopic extract_topic_;
  ChoosePartition partition_;
  size_t unpartitioned_ = 0;  // bytes at the end of a key: all windows of a key are in one partition
  // Reused from record to record.
  std::string extracted_;
  Bytes key_;
  Bytes value_;
  Bytes now_;
  Bytes before_;
};

class ProcessNode final : public Node {
 public:
  explicit ProcessNode(std::function<std::unique_ptr<ErasedProcessor>()> make) : make_(std::move(make)) {}
  // The program's supplier is asked here, where a failure has a name.
  Status init() override {
    MUIR_RETURN_IF_ERROR(guarded([&] {
                           processor_ = make_();
                           return Status();
                         }).annotate("its supplier"));
    return guarded([&] { return processor_->init(*this); }).annotate("init");
  }
  Status process(const Row& row) override {
    const RowHeaders headers(task(), row.headers);
    const int64_t outer_ms = std::exchange(task().record_time_ms, row.timestamp_ms);
    Status status = guarded([&] { return processor_->process(row); });
    task().record_time_ms = outer_ms;
    return status;
  }
  void close() override {
    if (processor_) processor_->close();
  }

 private:
  const std::function<std::unique_ptr<ErasedProcessor>()> make_;
  std::unique_ptr<ErasedProcessor> processor_;
};

}  // namespace

NodeFactory sink_node() {
  return [] { return std::make_unique<SinkNode>(); };
}
NodeFactory stateless_node(Apply apply) {
  return [apply = std::move(apply)] { return std::make_unique<StatelessNode>(apply); };
}
NodeFactory pass_through_node() {
  return [] { return std::make_unique<PassThroughNode>(); };
}
NodeFactory branch_node(std::vector<Predicate> predicates) {
  return [predicates = std::move(predicates)] { return std::make_unique<BranchNode>(predicates); };
}
NodeFactory process_node(std::function<std::unique_ptr<ErasedProcessor>()> make) {
  return [make = std::move(make)] { return std::make_unique<ProcessNode>(make); };
}

}  // namespace muir::streams::internal
