#include "store/internal/write_cache.h"

#include <algorithm>

#include "base/cursor.h"

namespace muir::store::internal {

// sequence, timestamp, whether there is a value, length of the context; context, value.
CacheEntry decode_cache_entry(BytesView bytes) {
  ByteReader reader(bytes);
  CacheEntry out;
  out.sequence = static_cast<uint64_t>(reader.i64());
  out.timestamp_ms = reader.i64();
  const bool present = reader.i8() != 0;
  const auto context_size = static_cast<size_t>(reader.i32());
  out.context = reader.bytes(context_size);
  if (present) out.value = reader.rest();
  return out;
}

void WriteCache::put(BytesView key, OptBytesView value, int64_t timestamp_ms) {
  entry_.clear();
  ByteWriter writer(entry_);
  writer.i64(static_cast<int64_t>(++sequence_));
  writer.i64(timestamp_ms);
  writer.i8(value ? 1 : 0);
  const size_t size_at = entry_.size();
  writer.i32(0);
  if (shared_.context != nullptr) shared_.context->save(entry_);
  writer.patch_be(size_at, static_cast<int32_t>(entry_.size() - size_at - sizeof(int32_t)));
  if (value) writer.bytes(*value);
  const std::lock_guard lock(*mutex_);
  entries_->put(key, entry_);
  count();
}

WriteCache::Held WriteCache::find(BytesView key, ValueAndTimestamp& out) const {
  const std::lock_guard lock(*mutex_);
  const OptBytes* found = entries_->find(key);
  if (found == nullptr || !*found) return Held::nothing;
  const CacheEntry entry = decode_cache_entry(**found);
  if (!entry.value) return Held::erased;
  out.value.assign(*entry.value);
  out.timestamp_ms = entry.timestamp_ms;
  return Held::value;
}

std::unique_ptr<VersionedMap::Walk> WriteCache::walk(KeyRange range, Order order) {
  const std::lock_guard lock(*mutex_);
  return entries_->walk(std::move(range), order);
}

void WriteCache::close() {
  const std::lock_guard lock(*mutex_);
  entries_->end_walks();
  entries_ = std::make_shared<VersionedMap>(mutex_, false);
  count();
}

bool WriteCache::empty() const {
  const std::lock_guard lock(*mutex_);
  return entries_->size() == 0;
}

size_t WriteCache::bytes() const {
  const std::lock_guard lock(*mutex_);
  return entries_->bytes();
}

std::vector<Bytes> WriteCache::by_age() const {
  std::vector<std::pair<uint64_t, Bytes>> found;
  {
    const std::lock_guard lock(*mutex_);
    found.reserve(entries_->size());
    entries_->for_each([&](BytesView key, const OptBytes& value) {
      if (value) found.emplace_back(decode_cache_entry(*value).sequence, key);
    });
  }
  std::sort(found.begin(), found.end());
  std::vector<Bytes> out;
  out.reserve(found.size());
  for (auto& [sequence, key] : found) out.push_back(std::move(key));
  return out;
}

bool WriteCache::copy(BytesView key, Bytes& out) const {
  const std::lock_guard lock(*mutex_);
  const OptBytes* found = entries_->find(key);
  if (found == nullptr || !*found) return false;
  out = **found;
  return true;
}

void WriteCache::drop(BytesView key, uint64_t sequence) {
  const std::lock_guard lock(*mutex_);
  const OptBytes* found = entries_->find(key);
  if (found == nullptr || !*found || decode_cache_entry(**found).sequence != sequence) return;
  entries_->erase(key);
  count();
}

void WriteCache::count() {
  shared_.budget->give_back(counted_);
  counted_ = entries_->bytes();
  shared_.budget->take(counted_);
}

}  // namespace muir::store::internal
