// keep_named_once(): what a request names several times is answered once. Of a topic or group the answer may be a
// thousand times as long as its name, and a request can name it a million times.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace muir::broker {

// The places of the items whose key comes before in `items`. Keys are compared, not hashed: a peer chooses them.
template <class Item, class KeyOf>
std::vector<bool> repeated_places(const std::vector<Item>& items, KeyOf key_of) {
  std::vector<bool> repeated(items.size(), false);
  if (items.size() < 2) return repeated;
  std::vector<size_t> order(items.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto& key_a = key_of(items[a]);
    const auto& key_b = key_of(items[b]);
    return key_a < key_b || (!(key_b < key_a) && a < b);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    repeated[order[i]] = !(key_of(items[order[i - 1]]) < key_of(items[order[i]]));
  }
  return repeated;
}

// Drops the items whose key comes before, and leaves the others in their order. `key_of` may return what borrows the
// item.
template <class Item, class KeyOf>
void keep_named_once(std::vector<Item>& items, KeyOf key_of) {
  const std::vector<bool> repeated = repeated_places(items, key_of);
  size_t kept = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (repeated[i]) continue;
    if (kept != i) items[kept] = std::move(items[i]);
    ++kept;
  }
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(kept), items.end());
}

}  // namespace muir::broker
