#include "log/internal/segment_seal.h"

#include <array>
#include <charconv>
#include <optional>

#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr std::string_view kFirstLine = "muir-segment 1";

// The two numbers of a line that begins with `name`.
std::optional<std::array<uint64_t, 2>> numbers(std::string_view line, std::string_view name) {
  if (!line.starts_with(name)) return std::nullopt;
  std::array<uint64_t, 2> out{};
  const char* at = line.data() + name.size();
  const char* const end = line.data() + line.size();
  for (uint64_t& value : out) {
    if (at == end || *at != ' ') return std::nullopt;
    const auto [next, failure] = std::from_chars(at + 1, end, value);
    if (failure != std::errc()) return std::nullopt;
    at = next;
  }
  return at == end ? std::optional(out) : std::nullopt;
}

}  // namespace

FileSum FileSum::of(BytesView content) { return {content.size(), wire::crc32c(content)}; }

Bytes encode_seal(const SegmentSeal& seal) {
  Bytes out = fmt::format("{}\nlog {} {}\nindex {} {}\ntimeindex {} {}\ntxnindex {} {}\n", kFirstLine, seal.log_bytes,
                          seal.next_offset, seal.index.bytes, seal.index.crc, seal.time_index.bytes,
                          seal.time_index.crc, seal.txn_index.bytes, seal.txn_index.crc);
  out += fmt::format("end {:08x}\n", wire::crc32c(out));
  return out;
}

Result<SegmentSeal> decode_seal(BytesView text) {
  std::array<std::string_view, 5> lines;
  BytesView rest = text;
  for (std::string_view& line : lines) {
    const size_t end = rest.find('\n');
    line = rest.substr(0, end);
    rest.remove_prefix(end == BytesView::npos ? rest.size() : end + 1);
  }
  const uint32_t crc = wire::crc32c(text.substr(0, text.size() - rest.size()));
  const auto log = numbers(lines[1], "log");
  const auto index = numbers(lines[2], "index");
  const auto time_index = numbers(lines[3], "timeindex");
  const auto txn_index = numbers(lines[4], "txnindex");
  const bool whole = lines[0] == kFirstLine && log && index && time_index && txn_index &&
                     (*log)[1] <= static_cast<uint64_t>(INT64_MAX) && rest == fmt::format("end {:08x}\n", crc);
  if (!whole) return muir::error(Code::data_loss, "seal: not what was written");
  const auto sum = [](const std::array<uint64_t, 2>& line) { return FileSum{line[0], static_cast<uint32_t>(line[1])}; };
  return SegmentSeal{(*log)[0], Offset(static_cast<int64_t>((*log)[1])), sum(*index), sum(*time_index),
                     sum(*txn_index)};
}

int fuzz_seal(BytesView input) {
  // With the right checksum, so that the lines are read as well.
  const Bytes closed = Bytes(input) + fmt::format("end {:08x}\n", wire::crc32c(input));
  const auto seal = decode_seal(closed);
  if (!seal.ok()) return 0;
  CHECK(decode_seal(encode_seal(*seal)).value() == *seal, "a seal does not survive: {}", input);
  return 1;
}

}  // namespace muir::storage
