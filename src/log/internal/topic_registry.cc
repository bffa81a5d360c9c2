#include "log/internal/topic_registry.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "wire/crc32c.h"

namespace muir::storage {
namespace {

constexpr std::string_view kFirstLine = "muir-topics 1\n";

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i];
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view take(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return out;
}

Status read_topic(std::string_view rest, TopicEntries& topics, std::string& current) {
  current = std::string(take(rest, ' '));
  const auto id = wire::Uuid::parse(take(rest, ' '));
  TopicEntry entry;
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), entry.partitions);
  const bool whole = failure == std::errc() && end == rest.data() + rest.size();
  if (current.empty() || !id || !whole || entry.partitions < 1) {
    return muir::error(Code::data_loss, "muir-topics: malformed topic \"{}\"", current);
  }
  entry.id = *id;
  topics[current] = std::move(entry);
  return {};
}

}  // namespace

Bytes encode_topic_registry(const TopicEntries& topics) {
  Bytes out(kFirstLine);
  for (const auto& [name, entry] : topics) {
    out += fmt::format("topic {} {} {}\n", name, entry.id.to_string(), entry.partitions);
    for (const auto& [key, value] : entry.overrides) out += fmt::format("config {} {}\n", key, escape(value));
  }
  out += fmt::format("end {:08x}\n", wire::crc32c(out));
  return out;
}

Result<TopicEntries> decode_topic_registry(BytesView text) {
  const BytesView whole = text;
  if (!text.starts_with(kFirstLine) || !text.ends_with('\n'))
    return muir::error(Code::data_loss, "muir-topics: unknown first line, or cut off");
  text.remove_prefix(kFirstLine.size());
  TopicEntries out;
  std::string current;
  while (!text.empty()) {
    const size_t at = whole.size() - text.size();
    std::string_view line = take(text, '\n');
    const std::string_view kind = take(line, ' ');
    if (kind == "topic") {
      MUIR_RETURN_IF_ERROR(read_topic(line, out, current));
    } else if (kind == "config" && !current.empty()) {
      const std::string key(take(line, ' '));
      out[current].overrides[key] = unescape(line);
    } else if (kind == "end" && line == fmt::format("{:08x}", wire::crc32c(whole.substr(0, at))) && text.empty()) {
      return out;
    } else {
      return muir::error(Code::data_loss, "muir-topics: malformed or damaged at byte {}", at);
    }
  }
  return muir::error(Code::data_loss, "muir-topics: the last line is missing");
}

int fuzz_topic_registry(BytesView input) {
  // With the right last line, so that the lines before it are read as well.
  Bytes text(input.substr(0, std::min(input.rfind("end "), input.size())));
  text += fmt::format("end {:08x}\n", wire::crc32c(text));
  const auto topics = decode_topic_registry(text);
  if (!topics.ok()) return 0;
  const auto again = decode_topic_registry(encode_topic_registry(*topics));
  CHECK(again.ok() && *again == *topics, "a topic registry does not survive: {}", text);
  return 1;
}

}  // namespace muir::storage
