#include "net/internal/request_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>

namespace muir::net {
namespace {

constexpr size_t kBytesMax = 128;

bool fit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._:/+=").find(c) != std::string_view::npos;
}

uint64_t random_prefix() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

std::string request_id(std::string_view given) {
  if (!given.empty() && given.size() <= kBytesMax && std::all_of(given.begin(), given.end(), fit))
    return std::string(given);
  static const uint64_t process = random_prefix();
  static std::atomic<uint64_t> next{0};
  return fmt::format("{:016x}-{}", process, next.fetch_add(1, std::memory_order_relaxed));
}

}  // namespace muir::net
