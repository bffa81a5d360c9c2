#include "streams/nodes/cached_table.h"

#include "streams/nodes/cached_context.h"
#include "streams/nodes/task_context.h"

namespace muir::streams::internal {

Status CachedTable::attach(Node& node, const TableSpec& table, WindowedRows windowed) {
  store::StateStore* opened = MUIR_TRY(node.task().state_store(table.store));
  auto* cached = opened->as<store::CachedStore>();
  if (cached == nullptr) return {};
  types_ = node.task().store_types(table.store);
  topic_ = node.task().store_topic(table.store);
  windowed_ = windowed;
  key_ = ErasedObject(types_.key.type);
  now_ = ErasedObject(types_.value.type);
  before_ = ErasedObject(types_.value.type);
  if (windowed.type != nullptr) windowed_key_ = ErasedObject(windowed.type->type);
  node_ = &node;
  cached->set_listener(this, table.tells_old);
  return {};
}

Status CachedTable::flushed(const store::CachedChange& change) {
  TaskContext& task = node_->task();
  const CachedContext context = MUIR_TRY(parse_cached_context(change.context));
  const ResumedRecord record(task, context, change.timestamp_ms);
  const auto& serdes = types_;
  MUIR_RETURN_IF_ERROR(serdes.key.serde->deserialize(topic_, change.key, key_.get()));
  if (change.now) MUIR_RETURN_IF_ERROR(serdes.value.serde->deserialize(topic_, *change.now, now_.get()));
  if (change.before) MUIR_RETURN_IF_ERROR(serdes.value.serde->deserialize(topic_, *change.before, before_.get()));
  const void* key = key_.get();
  if (windowed_.type != nullptr) {
    windowed_.type->ops->assign(windowed_key_.get(), key,
                                {change.window_start_ms, change.window_start_ms + windowed_.size_ms});
    key = windowed_key_.get();
  }
  return node_->forward({key, change.now ? now_.get() : nullptr, change.timestamp_ms, context.headers,
                         change.before ? before_.get() : nullptr});
}

}  // namespace muir::streams::internal
