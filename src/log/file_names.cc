#include "log/file_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "wire/uuid.h"

namespace muir::storage {

std::string segment_file(Offset base_offset, std::string_view suffix) {
  return fmt::format("{:020}{}", base_offset.value(), suffix);
}

std::optional<Offset> parse_segment_file(std::string_view name, std::string_view suffix) {
  constexpr size_t kDigits = 20;
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  int64_t offset = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + kDigits, offset);
  if (failure != std::errc() || end != name.data() + kDigits || offset < 0) return std::nullopt;
  return Offset(offset);
}

std::string partition_folder(std::string_view topic, PartitionId partition) {
  return fmt::format("{}-{}", topic, partition);
}

std::optional<std::pair<std::string, PartitionId>> parse_partition_folder(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == name.size()) return std::nullopt;
  const std::string_view digits = name.substr(dash + 1);
  int32_t partition = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), partition);
  if (failure != std::errc() || end != digits.data() + digits.size() || partition < 0) return std::nullopt;
  // "t-01" is nobody's: taken as partition 1 it would be a second folder of "t-1".
  if (digits != std::to_string(partition)) return std::nullopt;
  if (!valid_topic_name(name.substr(0, dash))) return std::nullopt;
  return std::pair(std::string(name.substr(0, dash)), PartitionId(partition));
}

std::string folder_name_aside(std::string_view partition_folder, std::string_view id, std::string_view suffix) {
  const size_t dash = partition_folder.rfind('-');
  const std::string end = fmt::format("{}{}{}{}", partition_folder.substr(dash), id.empty() ? "" : ".", id, suffix);
  return fmt::format("{}{}", partition_folder.substr(0, std::min(dash, kFileNameBytesMax - end.size())), end);
}

bool is_deleted_folder(std::string_view name) {
  if (!name.ends_with(kDeleteSuffix)) return false;
  name.remove_suffix(kDeleteSuffix.size());
  const size_t dot = name.rfind('.');
  return dot != std::string_view::npos && wire::Uuid::parse(name.substr(dot + 1)) &&
         parse_partition_folder(name.substr(0, dot));
}

int fuzz_file_name(BytesView input) {
  bool understood = is_deleted_folder(input);
  for (const std::string_view suffix : kSegmentSuffixes) {
    const auto offset = parse_segment_file(input, suffix);
    CHECK(!offset || segment_file(*offset, suffix) == input, "a segment's file that none writes: {}", hex(input));
    understood = understood || offset.has_value();
  }
  if (const auto partition = parse_partition_folder(input)) {
    CHECK(partition_folder(partition->first, partition->second) == input, "a partition's folder that none makes: {}",
          hex(input));
    const std::string aside = folder_name_aside(input, wire::Uuid{}.to_string(), kDeleteSuffix);
    CHECK(aside.size() <= kFileNameBytesMax && is_deleted_folder(aside), "{} cannot be put aside", hex(input));
    understood = true;
  }
  return understood ? 1 : 0;
}

}  // namespace muir::storage
