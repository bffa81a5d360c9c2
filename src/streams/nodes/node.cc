#include "streams/nodes/node.h"

#include "streams/nodes/task_context.h"
#include "streams/plan/graph.h"

namespace muir::streams::internal {

Result<Node::Found> Node::look_up(const void*, int64_t) {
  return error(Code::unsupported, "{} cannot be looked up by key", spec_->name);
}

// The named place where exceptions of operators' functions end: a failure is handled at the node where it arose, and
// the nodes above go on with their other children.
Status Node::receive(const Row& row) {
  Status status = guarded([&] { return process(row); });
  if (status.ok() || task_->failing) return status;
  return task_->fail(spec_->name, FailureKind::processing, status);
}

void Node::drop() { task_->dropped_records.fetch_add(1, std::memory_order_relaxed); }

}  // namespace muir::streams::internal
