// Nodes of streams: stateless operators, branches, sinks and users' processors.
#include "streams/nodes/cached_context.h"
#include "streams/nodes/operators.h"
#include "streams/nodes/record_codec.h"
#include "streams/nodes/task_context.h"

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
  // Behind tables, all have the same store.
  Result<Found> look_up(const void* key, int64_t as_of_ms) override {
    return task().nodes.at(spec().parents.front())->look_up(key, as_of_ms);
  }
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
    extract_topic_ = sink.extract_topic;
    codec_ = RecordEncoder(sink);
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
    if (auto status = codec_.encode(*topic, row); !status.ok()) {
      return task().fail(spec().name, FailureKind::production, status);
    }
    std::optional<PartitionId> partition;
    if (codec_.chooses_partition(row)) {
      // Sent without a partition, the record would go where its whole key hashes to, the window included: it is never
      // left to sending. No record is to blame for what the topic is, so that nobody is asked whether to skip it.
      const Result<int32_t> count = task().environment.sink->partition_count(*topic);
      if (!count.ok()) {
        return task().fatal(
            count.status().annotate(fmt::format("task {} node={}", to_string(task().environment.task), spec().name)));
      }
      auto chosen = codec_.partition(*topic, row, *count);
      if (!chosen.ok()) return task().fail(spec().name, FailureKind::production, chosen.status());
      partition = *chosen;
    }
    Status sent = task().environment.sink->send(*topic, partition, codec_.key(row), codec_.value(row), row.timestamp_ms,
                                                row.headers);
    return sent.ok() ? sent : task().fatal(std::move(sent));
  }

 private:
  std::string topic_;
  ExtractTopic extract_topic_;
  RecordEncoder codec_;
  std::string extracted_;  // reused from record to record
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
