// Node: one operator of one task. Owned by the task's thread.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "streams/nodes/guarded.h"
#include "streams/row.h"

namespace muir::streams::internal {

class TaskContext;
struct GraphNode;

class Node : public Downstream {
 public:
  // Called once, before init().
  void connect(TaskContext& task, const GraphNode& spec, std::vector<Node*> children) {
    task_ = &task;
    spec_ = &spec;
    children_ = std::move(children);
  }
  // The stores are open and restored.
  virtual Status init() { return {}; }
  virtual Status process(const Row& row) = 0;
  virtual void close() {}
  // Times that are committed with the task's offsets, under a store's name: when closed windows were last emitted.
  virtual void save(std::map<std::string, int64_t>& metadata) const { (void)metadata; }
  virtual void load(const std::map<std::string, int64_t>& metadata) { (void)metadata; }
  // Tables: what the table holds for a key, and, where it is versioned, what it held at that time. The value is valid
  // until the next look-up or record.
  static constexpr int64_t kNow = std::numeric_limits<int64_t>::max();
  struct Found {
    const void* value = nullptr;  // null: nothing
    int64_t timestamp_ms = -1;
  };
  virtual Result<Found> look_up(const void* key, int64_t as_of_ms = kNow);

  // process(), with its failures brought before the task's failure handler. OK when the record was dealt with.
  Status receive(const Row& row);
  Status forward(const Row& row) final {
    for (Node* child : children_) MUIR_RETURN_IF_ERROR(child->receive(row));
    return {};
  }
  Status forward_to(size_t child, const Row& row) final { return children_[child]->receive(row); }
  void drop() final;

  [[nodiscard]] const GraphNode& spec() const { return *spec_; }
  [[nodiscard]] TaskContext& task() const { return *task_; }
  [[nodiscard]] std::span<Node* const> children() const { return children_; }

 private:
  TaskContext* task_ = nullptr;
  const GraphNode* spec_ = nullptr;
  std::vector<Node*> children_;
};

}  // namespace muir::streams::internal
