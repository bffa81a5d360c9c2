#include "schema/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "base/utf8.h"

namespace muir::schema {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A character that stands for itself in a JSON string, in one byte.
bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\';
}

void append_utf8(std::string& out, uint32_t code_point) {
  const auto push = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | (code_point >> 6));
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | (code_point >> 12));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | (code_point >> 18));
    push(0x80 | ((code_point >> 12) & 0x3F));
    push(0x80 | ((code_point >> 6) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

// Recursive descent over RFC 8259.
class Parser {
 public:
  Parser(std::string_view text, const JsonParseOptions& options)
      : text_(text), depth_left_(options.depth_max), options_(options) {}

  Result<Json> parse() {
    Json value = MUIR_TRY(parse_value());
    skip_blanks();
    if (pos_ != text_.size()) return fail("text after the value");
    return value;
  }

 private:
  Status fail(std::string_view why) const {
    return error(Code::invalid_argument, "parse JSON at byte {}: {}", pos_, why);
  }
  void skip_space() {
    do {
      skip_blanks();
    } while (options_.comments && skip_comment());
  }
  void skip_blanks() {
    while (pos_ < text_.size() &&
           (text_[pos_] == ' ' || text_[pos_] == '\n' || text_[pos_] == '\r' || text_[pos_] == '\t'))
      ++pos_;
  }
  // One that has no end is none.
  bool skip_comment() {
    const std::string_view begin = text_.substr(pos_, 2);
    if (begin == "//") {
      pos_ = std::min(text_.find_first_of("\r\n", pos_), text_.size());
      return true;
    }
    const size_t end = begin == "/*" ? text_.find("*/", pos_ + 2) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    pos_ = end + 2;
    return true;
  }
  bool take(char c) {
    if (pos_ < text_.size() && text_[pos_] == c) {
      ++pos_;
      return true;
    }
    return false;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(pos_, word.size()) != word) return false;
    pos_ += word.size();
    return true;
  }

  Result<Json> parse_value() {
    skip_space();
    if (pos_ == text_.size()) return fail("the text ends where a value is expected");
    switch (text_[pos_]) {
      case '{': return nested(&Parser::parse_object);
      case '[': return nested(&Parser::parse_array);
      case '"': return Json(MUIR_TRY(parse_string()));
      case 't':
        if (take_word("true")) return Json(true);
        break;
      case 'f':
        if (take_word("false")) return Json(false);
        break;
      case 'n':
        if (take_word("null")) return Json();
        break;
      default:
        if (text_[pos_] == '-' || is_digit(text_[pos_])) return parse_number();
    }
    return fail("no value starts here");
  }

  Result<Json> nested(Result<Json> (Parser::*parse_inner)()) {
    if (depth_left_ == 0) return fail("nested too deeply");
    --depth_left_;
    ++pos_;
    auto result = (this->*parse_inner)();
    ++depth_left_;
    return result;
  }

  Result<Json> parse_object() {
    Json::Object members;
    skip_space();
    if (take('}')) return Json(std::move(members));
    std::unordered_map<std::string, size_t> index;  // only of objects with many members, to stay linear
    do {
      skip_space();
      if (pos_ == text_.size() || text_[pos_] != '"') return fail("a member name is expected");
      std::string key = MUIR_TRY(parse_string());
      skip_space();
      if (!take(':')) return fail("':' is expected");
      Json value = MUIR_TRY(parse_value());
      const bool keep = options_.twice == JsonParseOptions::Twice::kept;
      const size_t at = keep ? members.size() : place_of(members, index, key);
      if (at == members.size()) {
        members.push_back({std::move(key), std::move(value)});
      } else if (options_.twice == JsonParseOptions::Twice::refused) {
        return fail(fmt::format("member '{}' is given twice", key.substr(0, 64)));
      } else {
        members[at].value = std::move(value);
      }
      skip_space();
    } while (take(','));
    if (!take('}')) return fail("',' or '}' is expected");
    return Json(std::move(members));
  }

  // Index of the member with that name, or members.size(), where it will be.
  static size_t place_of(const Json::Object& members, std::unordered_map<std::string, size_t>& index,
                         const std::string& key) {
    constexpr size_t kFewMembers = 16;
    if (members.size() < kFewMembers) {
      return static_cast<size_t>(
          std::find_if(members.begin(), members.end(), [&](const JsonMember& m) { return m.key == key; }) -
          members.begin());
    }
    for (size_t i = index.size(); i < members.size(); ++i) index.emplace(members[i].key, i);
    return index.emplace(key, members.size()).first->second;
  }

  Result<Json> parse_array() {
    Json::Array items;
    skip_space();
    if (take(']')) return Json(std::move(items));
    do {
      items.push_back(MUIR_TRY(parse_value()));
      skip_space();
    } while (take(','));
    if (!take(']')) return fail("',' or ']' is expected");
    return Json(std::move(items));
  }

  Result<Json> parse_number() {
    const size_t start = pos_;
    const auto digits = [&] {
      const size_t from = pos_;
      while (pos_ < text_.size() && is_digit(text_[pos_])) ++pos_;
      return pos_ > from;
    };
    take('-');
    if (!take('0') && !digits()) return fail("a digit is expected");
    if (take('.') && !digits()) return fail("a digit is expected after '.'");
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!digits()) return fail("a digit is expected in the exponent");
    }
    return Json(Json::Number{std::string(text_.substr(start, pos_ - start))});
  }

  Result<std::string> parse_string() {
    ++pos_;
    std::string out;
    while (pos_ < text_.size()) {
      const char c = text_[pos_];
      if (c == '"') {
        ++pos_;
        return out;
      }
      if (c == '\\') {
        ++pos_;
        MUIR_RETURN_IF_ERROR(parse_escape(out));
      } else if (static_cast<unsigned char>(c) < 0x20) {
        return fail("a control character in a string must be escaped");
      } else if (static_cast<unsigned char>(c) < 0x80) {
        const size_t start = pos_;
        while (pos_ < text_.size() && is_plain(text_[pos_])) ++pos_;
        out.append(text_, start, pos_ - start);
      } else {
        const size_t length = utf8_length(text_.substr(pos_));
        if (length == 0) return fail("a string is not UTF-8");
        out.append(text_.substr(pos_, length));
        pos_ += length;
      }
    }
    return fail("a string does not end");
  }

  Status parse_escape(std::string& out) {
    if (pos_ == text_.size()) return fail("a string does not end");
    switch (text_[pos_++]) {
      case '"': out.push_back('"'); return {};
      case '\\': out.push_back('\\'); return {};
      case '/': out.push_back('/'); return {};
      case 'b': out.push_back('\b'); return {};
      case 'f': out.push_back('\f'); return {};
      case 'n': out.push_back('\n'); return {};
      case 'r': out.push_back('\r'); return {};
      case 't': out.push_back('\t'); return {};
      case 'u': break;
      default: return fail("unknown escape in a string");
    }
    uint32_t unit = MUIR_TRY(parse_hex4());
    if (unit >= 0xD800 && unit < 0xDC00 && take_word("\\u")) {
      const uint32_t low = MUIR_TRY(parse_hex4());
      if (low >= 0xDC00 && low <= 0xDFFF) {
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      } else {
        pos_ -= 6;  // the escape after it stands for itself
      }
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) {
      if (options_.half == JsonParseOptions::Half::refused) return fail("half a surrogate pair");
      if (options_.half == JsonParseOptions::Half::question_mark) unit = '?';
    }
    append_utf8(out, unit);
    return {};
  }

  Result<uint32_t> parse_hex4() {
    uint32_t value = 0;
    const auto hex = text_.substr(pos_, 4);
    const auto [end, ec] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
    if (ec != std::errc() || end != hex.data() + 4) return fail("four hexadecimal digits are expected");
    pos_ += 4;
    return value;
  }

  std::string_view text_;
  size_t pos_ = 0;
  int depth_left_;
  const JsonParseOptions options_;
};

}  // namespace

Json::Json(int64_t value) : data_(Number{fmt::format("{}", value)}) {}

Json::Json(double value) {
  std::string text;
  append_json_double(text, value);
  if (text.front() == '"') {
    data_ = text.substr(1, text.size() - 2);
  } else {
    data_ = Number{std::move(text)};
  }
}

Json::Json(std::initializer_list<JsonMember> members) : data_(Object(members)) {}

Result<Json> Json::parse(std::string_view text, const JsonParseOptions& options) {
  return Parser(text, options).parse();
}
Result<Json> Json::parse(std::string_view text, int depth_max) { return parse(text, {.depth_max = depth_max}); }

std::optional<int64_t> Json::as_int64() const {
  const auto* number = as_number();
  if (number == nullptr) return std::nullopt;
  int64_t value = 0;
  const char* end = number->text.data() + number->text.size();
  const auto result = std::from_chars(number->text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> Json::as_double() const {
  const auto* number = as_number();
  if (number == nullptr) return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(number->text.data(), number->text.data() + number->text.size(), value);
  if (result.ec == std::errc::result_out_of_range) return std::strtod(number->text.c_str(), nullptr);
  return value;
}

const Json* Json::find(std::string_view key) const {
  const auto* object = as_object();
  if (object == nullptr) return nullptr;
  for (const auto& member : *object) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

void Json::set(std::string_view key, Json value) {
  auto* object = as_object();
  CHECK(object != nullptr, "set '{}' on JSON that is no object", key);
  for (auto& member : *object) {
    if (member.key == key) {
      member.value = std::move(value);
      return;
    }
  }
  object->push_back({std::string(key), std::move(value)});
}

std::string Json::to_string() const {
  std::string out;
  append_to(out);
  return out;
}

void Json::append_to(std::string& out) const {
  if (is_null()) {
    out += "null";
  } else if (const auto* flag = as_bool()) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = as_number()) {
    out += number->text;
  } else if (const auto* text = as_string()) {
    append_json_string(out, *text);
  } else if (const auto* array = as_array()) {
    out.push_back('[');
    for (size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out.push_back(',');
      (*array)[i].append_to(out);
    }
    out.push_back(']');
  } else if (const auto* object = as_object()) {
    out.push_back('{');
    for (size_t i = 0; i < object->size(); ++i) {
      if (i > 0) out.push_back(',');
      append_json_string(out, (*object)[i].key);
      out.push_back(':');
      (*object)[i].value.append_to(out);
    }
    out.push_back('}');
  }
}

namespace {

constexpr size_t kExcerptBytesMax = 100;

// Goes on until `out` is longer than an excerpt.
void append_excerpt(std::string& out, const Json& json) {
  const auto is_full = [&] { return out.size() > kExcerptBytesMax; };
  if (is_full()) return;
  if (const auto* text = json.as_string()) return append_json_string(out, text->substr(0, kExcerptBytesMax + 1));
  if (const auto* array = json.as_array()) {
    for (const auto& item : *array) {
      out.push_back(&item == array->data() ? '[' : ',');
      append_excerpt(out, item);
      if (is_full()) return;
    }
    out += array->empty() ? "[]" : "]";
  } else if (const auto* object = json.as_object()) {
    for (const auto& member : *object) {
      out.push_back(&member == object->data() ? '{' : ',');
      append_excerpt(out, member.key);
      out.push_back(':');
      append_excerpt(out, member.value);
      if (is_full()) return;
    }
    out += object->empty() ? "{}" : "}";
  } else {
    json.append_to(out);
  }
}

}  // namespace

std::string Json::excerpt() const {
  std::string out;
  append_excerpt(out, *this);
  if (out.size() <= kExcerptBytesMax) return out;
  size_t end = kExcerptBytesMax;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;  // no character is cut in two
  return out.substr(0, end) + "...";
}

bool Json::operator==(const Json& other) const { return data_ == other.data_; }

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      switch (c) {
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default: out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
      }
      ++i;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      size_t end = i + 1;  // a run of plain characters at once
      while (end < text.size() && is_plain(text[end])) ++end;
      out.append(text, i, end - i);
      i = end;
    } else if (const size_t length = utf8_length(text.substr(i)); length > 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  out.push_back('"');
}

void append_json_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    const size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "{}", value);
    if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
  }
}

int fuzz_json(BytesView input) {
  const auto parsed = Json::parse(input);
  if (!parsed.ok()) return 0;
  const auto again = Json::parse(parsed->to_string());
  CHECK(again.ok() && *again == *parsed, "JSON text does not survive: {}", parsed->to_string());
  if (const auto number = parsed->as_double()) CHECK(Json::parse(Json(*number).to_string()).ok(), "a number is lost");
  return 1;
}

}  // namespace muir::schema
