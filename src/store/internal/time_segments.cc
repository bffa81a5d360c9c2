#include "store/internal/time_segments.h"

#include <algorithm>

#include "base/cursor.h"

namespace muir::store::internal {

int64_t default_segment_interval_ms(int64_t retention_ms) { return std::max<int64_t>(retention_ms / 2, 60'000); }

Status TimeSegments::load(const KeyRange& within) {
  first_ = MUIR_TRY(edge(within, Order::ascending));
  last_ = MUIR_TRY(edge(within, Order::descending));
  // Something in the newest segment was written: time is at least its beginning.
  if (last_ != kNever) observed_ms_ = last_ * interval_ms_;
  return {};
}

int64_t TimeSegments::oldest_readable() const { return std::max<int64_t>(0, observed_ms_ - retention_ms_ + 1); }

int64_t TimeSegments::oldest_live() const { return of(std::max<int64_t>(0, observed_ms_ - retention_ms_)); }

bool TimeSegments::expired(int64_t time_ms) const {
  if (kind_ == StoreKind::in_memory) return time_ms <= observed_ms_ - retention_ms_;
  return of(time_ms) < oldest_live();
}

Status TimeSegments::advance(int64_t time_ms) {
  if (time_ms <= observed_ms_) return {};
  observed_ms_ = time_ms;
  const int64_t live = oldest_live();
  if (first_ == kNever || first_ >= live) return {};
  Bytes from;
  Bytes to;
  append_segment(first_, from);
  append_segment(live, to);
  MUIR_RETURN_IF_ERROR(engine_.erase_range(from, to));
  first_ = live > last_ ? kNever : live;
  if (first_ == kNever) last_ = kNever;
  return {};
}

void TimeSegments::wrote(int64_t segment) {
  if (first_ == kNever || segment < first_) first_ = segment;
  if (segment > last_) last_ = segment;
}

TimeSegments::Span TimeSegments::between(int64_t from_ms, int64_t to_ms) const {
  const int64_t oldest = first_;
  if (oldest == kNever || to_ms < 0) return {};
  return {std::max(oldest, of(from_ms)), std::min(last_.load(), of(to_ms))};
}

Result<int64_t> TimeSegments::edge(const KeyRange& within, Order order) {
  const auto rows = MUIR_TRY(engine_.iterate(within, order));
  if (!rows->next()) {
    MUIR_RETURN_IF_ERROR(rows->status());
    return kNever;
  }
  ByteReader reader(rows->key());
  const int64_t segment = reader.i64();
  if (!reader.ok()) return error(Code::data_loss, "open store: a key of {} bytes", rows->key().size());
  return segment;
}

}  // namespace muir::store::internal
