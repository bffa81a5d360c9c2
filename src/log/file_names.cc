#include "log/file_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

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

}  // namespace muir::storage
