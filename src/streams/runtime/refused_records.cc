#include "streams/runtime/refused_records.h"

namespace muir::streams::internal {

void KeptSource::assign(const RecordOrigin& origin, bool bytes) {
  task = origin.task;
  topic.assign(origin.topic);
  partition = origin.partition;
  offset = origin.record->offset;
  timestamp_ms_ = origin.record->timestamp_ms;
  headers_.clear();
  const auto keep = [bytes](OptBytes& to, OptBytesView from) {
    if (!bytes || !from) {
      to.reset();
    } else if (to) {
      to->assign(*from);
    } else {
      to.emplace(*from);
    }
  };
  keep(key_, origin.record->key);
  keep(value_, origin.record->value);
  if (!bytes) return;
  for (const auto& header : origin.record->headers) headers_.emplace_back(header.name, to_owned(header.value));
}

FailedRecord KeptSource::failed(std::string target, Status cause) const {
  views_.clear();
  for (const auto& [name, value] : headers_) views_.push_back({name, to_view(value)});
  FailedRecord out;
  out.kind = FailureKind::production;
  out.topic = topic;
  out.partition = partition;
  out.offset = offset;
  out.timestamp_ms = timestamp_ms_;
  out.target = std::move(target);
  out.task = task;
  out.raw_key = to_view(key_);
  out.raw_value = to_view(value_);
  out.headers = views_;
  out.cause = std::move(cause);
  return out;
}

uint32_t KeptSources::add(const RecordOrigin& origin, bool bytes) {
  if (size_ > 0 && sources_[size_ - 1].is(origin)) return static_cast<uint32_t>(size_ - 1);
  if (size_ == sources_.size()) sources_.emplace_back();
  sources_[size_].assign(origin, bytes);
  return static_cast<uint32_t>(size_++);
}

}  // namespace muir::streams::internal
