// Fuzz entry of what a changelog tells a store: any program may have written to that topic.
#include <vector>

#include "base/check.h"
#include "base/cursor.h"
#include "store/key_value_store.h"
#include "store/window_store.h"

namespace muir::store {
namespace {

// Records as the entry takes them: for each a byte for the size of its key and one for that of its value, 255 for none,
// 8 bytes of timestamp, key and value.
std::vector<ChangelogRecord> records_of(BytesView input) {
  constexpr uint8_t kNoValue = 255;
  std::vector<ChangelogRecord> out;
  for (ByteReader reader(input); reader.remaining() > 0;) {
    const size_t key_bytes = reader.u8();
    const size_t value_bytes = reader.u8();
    ChangelogRecord record;
    record.timestamp_ms = reader.i64();
    record.key = reader.bytes(key_bytes);
    if (value_bytes != kNoValue) record.value = reader.bytes(value_bytes);
    if (!reader.ok()) break;
    out.push_back(record);
  }
  return out;
}

int check_key_value_store(const std::vector<ChangelogRecord>& records) {
  const auto store = make_key_value_store({.name = "s", .kind = StoreKind::in_memory});
  CHECK(store->open("").ok());
  CHECK(store->restore(records).ok(), "a changelog of keys and values is not taken");
  int found = 0;
  for (auto all = *store->all(); all->next(); ++found) {
    ValueAndTimestamp value;
    CHECK(*store->get(all->key(), value) && value.value == all->value(), "{} is not found", hex(all->key()));
  }
  return found;
}

int check_window_store(const std::vector<ChangelogRecord>& records) {
  const auto store =
      make_window_store({.name = "w", .kind = StoreKind::in_memory, .window_size_ms = 1000, .retention_ms = 100'000});
  CHECK(store->open("").ok());
  for (const ChangelogRecord& record : records) {
    // One that is not its own is refused, and those before it are there.
    if (!store->restore({&record, 1}).ok()) break;
  }
  int found = 0;
  for (auto all = *store->all(); all->next(); ++found) {
    ValueAndTimestamp value;
    CHECK(store->fetch(all->key(), all->window_start_ms(), value).ok() && all->window_start_ms() >= 0);
  }
  return found;
}

}  // namespace

int fuzz_changelog(BytesView input) {
  const auto records = records_of(input);
  return check_key_value_store(records) + check_window_store(records) > 0 ? 1 : 0;
}

}  // namespace muir::store
