#include "streams/nodes/windowed_table.h"

#include <algorithm>
#include <tuple>

#include "streams/nodes/task_context.h"

namespace muir::streams::internal {

WindowedTable::WindowedTable(TableSpec table, logical::Aggregate aggregate, Windowing windowing)
    : declared_(std::move(table)),
      aggregate_(std::move(aggregate)),
      windowing_(windowing),
      value_(declared_.value),
      old_(declared_.value),
      windowed_key_(aggregate_.windowed.type),
      emitted_key_(declared_.key),
      found_(declared_.value) {}

Status WindowedTable::init() {
  store_ = MUIR_TRY(task().store<store::WindowStore>(declared_.store));
  topic_ = task().store_topic(declared_.store);
  types_ = &task().store_types(declared_.store);
  return cached_.attach(*this, declared_, {&aggregate_.windowed, windowing_.size_ms});
}

Result<Node::Found> WindowedTable::look_up(const void* windowed_key, int64_t) {
  sought_.clear();
  // WindowedOps gives parts to be changed; here they are only read.
  void* windowed = const_cast<void*>(windowed_key);
  const WindowedOps* ops = aggregate_.windowed.ops;
  MUIR_RETURN_IF_ERROR(types_->key.serde->serialize(topic_, ops->key(windowed), sought_));
  const bool present = MUIR_TRY(store_->fetch(sought_, ops->window(windowed)->start_ms, seen_));
  if (!present) return Found{};
  MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, seen_.value, found_.get()));
  return Found{found_.get(), seen_.timestamp_ms};
}

void WindowedTable::save(std::map<std::string, int64_t>& metadata) const {
  if (emitted_until_ms_) metadata[declared_.store] = *emitted_until_ms_;
}
void WindowedTable::load(const std::map<std::string, int64_t>& metadata) {
  const auto at = metadata.find(declared_.store);
  if (at != metadata.end()) emitted_until_ms_ = at->second;
}

Status WindowedTable::update(const Row& row, int64_t start_ms, const store::ValueAndTimestamp* stored) {
  const SharedSerde& serde = types_->value.serde;
  if (stored != nullptr) MUIR_RETURN_IF_ERROR(serde->deserialize(topic_, stored->value, value_.get()));
  const bool present = stored != nullptr;
  const bool tells_old = declared_.tells_old && keep_old(aggregate_.initial, present ? value_.get() : nullptr, old_);
  if (!present && row.value == nullptr && aggregate_.keeps_null) return keep_null(row, start_ms);
  if (!aggregate_.apply(row, present, value_.get())) {
    drop();
    return {};
  }
  const int64_t timestamp_ms = present ? std::max(stored->timestamp_ms, row.timestamp_ms) : row.timestamp_ms;
  encoded_.clear();
  MUIR_RETURN_IF_ERROR(serde->serialize(topic_, value_.get(), encoded_));
  MUIR_RETURN_IF_ERROR(store_->put(key_, encoded_, start_ms, timestamp_ms));
  if (!tells()) return {};
  return forward(
      {windowed(row.key, start_ms), value_.get(), timestamp_ms, row.headers, tells_old ? old_.get() : nullptr});
}

Status WindowedTable::copy(const Row& row, int64_t start_ms, const store::ValueAndTimestamp& stored) {
  MUIR_RETURN_IF_ERROR(store_->put(key_, BytesView(stored.value), start_ms, stored.timestamp_ms));
  if (!tells()) return {};
  MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, stored.value, value_.get()));
  return forward({windowed(row.key, start_ms), value_.get(), stored.timestamp_ms, row.headers});
}

// The first row of a window has no value, and so has the window.
Status WindowedTable::keep_null(const Row& row, int64_t start_ms) {
  MUIR_RETURN_IF_ERROR(store_->put(key_, std::nullopt, start_ms, row.timestamp_ms));
  return tells() ? forward({windowed(row.key, start_ms), nullptr, row.timestamp_ms, row.headers}) : Status();
}

Status WindowedTable::emit_closed(int64_t close_ms, const Row& row) {
  if (!windowing_.emits_on_close) return {};
  if (emitted_until_ms_ && *emitted_until_ms_ >= close_ms) return {};
  // Where a window has its end, too, it closes when that is past.
  const int64_t closed_ms = windowing_.end_included ? close_ms - 1 : close_ms;
  const int64_t first_ms = windowing_.end_included ? 0 : 1;
  const int64_t from_ms =
      emitted_until_ms_ ? std::max<int64_t>(0, *emitted_until_ms_ - windowing_.size_ms + first_ms) : 0;
  const int64_t to_ms = closed_ms - windowing_.size_ms;
  if (to_ms >= 0 && from_ms <= to_ms) MUIR_RETURN_IF_ERROR(emit_range(from_ms, to_ms, row));
  emitted_until_ms_ = close_ms;
  return {};
}

Status WindowedTable::emit_range(int64_t from_ms, int64_t to_ms, const Row& row) {
  struct Closed {
    int64_t start_ms;
    Bytes key;
    Bytes value;
    int64_t timestamp_ms;
  };
  std::vector<Closed> all;
  const auto rows = MUIR_TRY(store_->fetch_range(std::nullopt, std::nullopt, from_ms, to_ms));
  while (rows->next()) {
    all.push_back({rows->window_start_ms(), Bytes(rows->key()), Bytes(rows->value()), rows->timestamp_ms()});
  }
  MUIR_RETURN_IF_ERROR(rows->status());
  std::sort(all.begin(), all.end(),
            [](const Closed& a, const Closed& b) { return std::tie(a.start_ms, a.key) < std::tie(b.start_ms, b.key); });
  for (const Closed& closed : all) {
    MUIR_RETURN_IF_ERROR(types_->key.serde->deserialize(topic_, closed.key, emitted_key_.get()));
    MUIR_RETURN_IF_ERROR(types_->value.serde->deserialize(topic_, closed.value, value_.get()));
    MUIR_RETURN_IF_ERROR(
        forward({windowed(emitted_key_.get(), closed.start_ms), value_.get(), closed.timestamp_ms, row.headers}));
  }
  return {};
}

}  // namespace muir::streams::internal
