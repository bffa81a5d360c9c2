#include "base/config.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>

namespace muir {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

// Whether the physical line goes on in the next one: an odd number of backslashes at its end.
bool continues(std::string_view line) {
  size_t count = 0;
  while (count < line.size() && line[line.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

// Without the blanks around it, but for one that is escaped. (Java keeps all blanks at the end, which nobody means.)
std::string_view trim_value(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back())) && !continues(s.substr(0, s.size() - 1)))
    s.remove_suffix(1);
  return s;
}

std::vector<std::pair<size_t, std::string>> logical_lines(std::string_view text) {
  std::vector<std::pair<size_t, std::string>> lines;
  size_t number = 0;
  bool continued = false;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front()))) line.remove_prefix(1);
    if (!continued && (line.empty() || line[0] == '#' || line[0] == '!')) continue;
    const bool more = continues(line);
    if (more) line.remove_suffix(1);
    if (continued) {
      lines.back().second += line;
    } else {
      lines.emplace_back(number, line);
    }
    continued = more;
  }
  return lines;
}

bool is_high_surrogate(uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// The UTF-16 unit of the four digits at the start of `text`.
std::optional<uint32_t> hex_unit(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t unit = 0;
  const char* end = text.data() + 4;
  return std::from_chars(text.data(), end, unit, 16).ptr == end ? std::optional(unit) : std::nullopt;
}

Result<std::string> unescape(std::string_view s) {
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      out += s[i];
      continue;
    }
    const char c = s[++i];
    switch (c) {
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        std::optional<uint32_t> code = hex_unit(s.substr(i + 1));
        if (!code) return error(Code::invalid_argument, "\\u needs four hexadecimal digits");
        i += 4;
        if (is_high_surrogate(*code) && s.substr(i + 1).starts_with("\\u")) {
          const std::optional<uint32_t> low = hex_unit(s.substr(i + 3));
          if (low && is_low_surrogate(*low)) {
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
            i += 6;
          }
        }
        if (is_high_surrogate(*code) || is_low_surrogate(*code))
          return error(Code::invalid_argument, "half a surrogate pair");
        append_utf8(out, *code);
        break;
      }
      default: out += c;
    }
  }
  return out;
}

// Where the key ends: the first '=', ':' or blank that no backslash escapes.
size_t key_end(std::string_view line) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=' || line[i] == ':' || std::isspace(static_cast<unsigned char>(line[i]))) {
      return i;
    }
  }
  return line.size();
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0u);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row.back();
}

// Variables of the program and its tests that stand for no key.
bool is_no_key(std::string_view variable) {
  return variable == "MUIR_LOG_LEVEL" || variable == "MUIR_BINARY" || variable == "MUIR_SCREENSHOT" ||
         variable.starts_with("MUIR_TEST_");
}

}  // namespace

Result<Properties> parse_properties(std::string_view text, std::string_view origin) {
  Properties out;
  for (const auto& [number, line] : logical_lines(text)) {
    const size_t end = key_end(line);
    std::string_view rest = trim_value(std::string_view(line).substr(end));
    if (!rest.empty() && (rest[0] == '=' || rest[0] == ':')) rest = trim_value(rest.substr(1));
    const auto key = unescape(std::string_view(line).substr(0, end));
    const auto value = unescape(rest);
    if (!key.ok()) return key.status().annotate(fmt::format("{} line {}", origin, number));
    if (!value.ok()) return value.status().annotate(fmt::format("{} line {}", origin, number));
    if (key->empty()) return error(Code::invalid_argument, "{} line {}: a value without a key", origin, number);
    out[*key] = *value;
  }
  return out;
}

int fuzz_properties(BytesView input) {
  const auto properties = parse_properties(input, "fuzz");
  if (!properties.ok()) return 0;
  std::string text;
  const auto write = [&text](const std::string& part) {
    for (const char c : part) {
      const bool has_other_meaning = std::string_view("tnrfu").find(c) != std::string_view::npos;
      if (!has_other_meaning) text += '\\';
      text += c == '\n' ? 'n' : c == '\r' ? 'r' : c;
    }
  };
  for (const auto& [key, value] : *properties) {
    write(key);
    text += '=';
    write(value);
    text += '\n';
  }
  const auto again = parse_properties(text, "fuzz");
  CHECK(again.ok() && *again == *properties, "properties do not survive being written: {}", text);
  return 1;
}

Result<Properties> load_properties(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) return error(Code::not_found, "cannot open configuration file {}: {}", path, std::strerror(errno));
  std::string text;
  char chunk[4096];
  while (const size_t n = std::fread(chunk, 1, sizeof(chunk), file.get())) text.append(chunk, n);
  // A folder can be opened, and no more.
  if (std::ferror(file.get()) != 0)
    return error(Code::invalid_argument, "configuration file {} cannot be read: {}", path, std::strerror(errno));
  return parse_properties(text, path);
}

Result<std::pair<std::string, std::string>> parse_assignment(std::string_view text) {
  const size_t at = text.find('=');
  if (at == std::string_view::npos || trim(text.substr(0, at)).empty()) {
    return error(Code::invalid_argument, "'{}' is not key=value", text);
  }
  return std::pair(std::string(trim(text.substr(0, at))), std::string(trim(text.substr(at + 1))));
}

Properties properties_from_environment(const char* const* environment) {
  constexpr std::string_view kPrefix = "MUIR_";
  Properties out;
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const size_t at = entry.find('=');
    if (!entry.starts_with(kPrefix) || at == std::string_view::npos) continue;
    if (is_no_key(entry.substr(0, at))) continue;
    std::string key(entry.substr(kPrefix.size(), at - kPrefix.size()));
    for (char& c : key) c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!key.empty()) out[key] = entry.substr(at + 1);
  }
  return out;
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  const size_t limit = std::max<size_t>(2, name.size() / 3);
  size_t best = limit + 1;
  std::string found;
  for (const auto& candidate : candidates) {
    if (const size_t distance = edit_distance(name, candidate); distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace muir
