#include "store/internal/versioned_map.h"

#include <algorithm>

namespace muir::store::internal {
namespace {

constexpr size_t kEntryOverhead = 96;  // of an entry, besides its bytes

}  // namespace

// The version that a write of `key` goes into; the one before it is kept if a walk needs it.
VersionedMap::Version& VersionedMap::touch(BytesView key) {
  auto entry = entries_.find(key);
  if (entry == entries_.end()) {
    entry = entries_.try_emplace(Bytes(key)).first;
    entry->second.epoch = epoch_;
    bytes_ += key.size() + kEntryOverhead;
    if (indexed_) index_.emplace(entry->first, &entry->second);
    return entry->second;
  }
  Version& version = entry->second;
  // Walks that began before this version have one of their own already.
  if (!walks_.empty() && walks_.back() >= version.epoch) {
    if (version.value) {
      bytes_ -= version.value->size();
      --live_;
    }
    auto older = std::make_unique<Version>();
    older->value = std::exchange(version.value, std::nullopt);
    older->epoch = version.epoch;
    older->older = std::move(version.older);
    version.older = std::move(older);
    // No walk looks past the version that the oldest one sees.
    for (Version* at = version.older.get(); at != nullptr; at = at->older.get()) {
      if (at->epoch <= walks_.front()) at->older.reset();
    }
    list(*entry);
  }
  version.epoch = epoch_;
  return version;
}

void VersionedMap::put(BytesView key, BytesView value) {
  Version& version = touch(key);
  if (version.value) {
    bytes_ -= version.value->size();
    version.value->assign(value);
  } else {
    version.value.emplace(value);
    ++live_;
  }
  bytes_ += value.size();
}

void VersionedMap::erase(BytesView key) {
  if (keeps_erased_) {
    Version& version = touch(key);
    if (!version.value) return;
    bytes_ -= version.value->size();
    version.value.reset();
    --live_;
  } else if (const auto at = entries_.find(key); at != entries_.end()) {
    erase(at);
  }
}

void VersionedMap::erase(Entries::iterator at) {
  if (walks_.empty()) {
    drop(at);
    return;
  }
  Version& version = touch(at->first);
  if (version.value) {
    bytes_ -= version.value->size();
    version.value.reset();
    --live_;
  }
  list(*at);
}

void VersionedMap::erase_range(BytesView from, BytesView to) {
  Index& index = this->index();
  for (auto at = index.lower_bound(from); at != index.end() && at->first < to;) {
    const BytesView key = (at++)->first;
    erase(entries_.find(key));
  }
}

void VersionedMap::drop(Entries::iterator at) {
  bytes_ -= at->first.size() + kEntryOverhead;
  if (at->second.value) {
    bytes_ -= at->second.value->size();
    --live_;
  }
  if (indexed_) index_.erase(at->first);
  entries_.erase(at);
}

void VersionedMap::clear() {
  index_.clear();
  indexed_ = false;
  outdated_.clear();
  entries_.clear();
  bytes_ = 0;
  live_ = 0;
}

const OptBytes* VersionedMap::find(BytesView key) const {
  const auto at = entries_.find(key);
  return at == entries_.end() ? nullptr : &at->second.value;
}

void VersionedMap::list(Entries::value_type& entry) {
  if (std::exchange(entry.second.listed, true)) return;
  outdated_.push_back(&entry.first);
}

VersionedMap::Index& VersionedMap::index() {
  if (!indexed_) {
    for (auto& [key, version] : entries_) index_.emplace(key, &version);
    indexed_ = true;
  }
  return index_;
}

std::unique_ptr<VersionedMap::Walk> VersionedMap::walk(KeyRange range, Order order) {
  index();
  const Epoch epoch = epoch_++;
  walks_.push_back(epoch);
  return std::make_unique<Walk>(shared_from_this(), epoch, std::move(range), order);
}

void VersionedMap::end_walk(Epoch epoch) {
  walks_.erase(std::find(walks_.begin(), walks_.end(), epoch));
  if (!walks_.empty()) return;
  for (const Bytes* key : outdated_) {
    const auto at = entries_.find(*key);
    at->second.listed = false;
    at->second.older.reset();
    if (!keeps_erased_ && !at->second.value) drop(at);
  }
  outdated_.clear();
}

VersionedMap::Walk::Walk(std::shared_ptr<VersionedMap> map, Epoch epoch, KeyRange range, Order order)
    : map_(std::move(map)), epoch_(epoch), range_(std::move(range)), order_(order) {}

VersionedMap::Walk::~Walk() {
  const std::lock_guard lock(*map_->mutex_);
  map_->end_walk(epoch_);
}

void VersionedMap::Walk::seek(KeyRange range) {
  range_ = std::move(range);
  started_ = false;
  ended_ = false;
}

bool VersionedMap::Walk::cut_short() const {
  const std::lock_guard lock(*map_->mutex_);
  return map_->ended_ && !ended_;
}

// To the next key of the range, whether this walk sees it or not.
bool VersionedMap::Walk::step() {
  const Index& index = map_->index_;
  if (order_ == Order::ascending) {
    at_ = started_ ? std::next(at_) : index.lower_bound(range_.from);
    started_ = true;
    return at_ != index.end() && (!range_.to || at_->first < *range_.to);
  }
  if (!started_) at_ = range_.to ? index.lower_bound(*range_.to) : index.end();
  started_ = true;
  if (at_ == index.begin()) return false;
  --at_;
  return at_->first >= range_.from;
}

bool VersionedMap::Walk::next() {
  const std::lock_guard lock(*map_->mutex_);
  if (map_->ended_) return false;
  while (!ended_) {
    if (!step()) {
      ended_ = true;
      break;
    }
    const Version* version = at_->second;
    while (version != nullptr && version->epoch > epoch_) version = version->older.get();
    if (version == nullptr) continue;
    present_ = version->value.has_value();
    if (!present_ && !map_->keeps_erased_) continue;
    key_.assign(at_->first);
    if (present_) value_.assign(*version->value);
    return true;
  }
  return false;
}

}  // namespace muir::store::internal
