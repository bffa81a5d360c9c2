#include "apps/vts/position_json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "apps/vts/json_items.h"
#include "apps/vts/json_number.h"
#include "apps/vts/position_members.h"
#include "base/check.h"
#include "base/utf8.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

using Kind = MemberValue::Kind;

// How deep the values of an item may nest; simdjson's own limit is set to the same.
constexpr size_t kNestingMax = 512;

MemberValue value_of(const Element& element, bool is_timestamp) {
  MemberValue out{.kind = Kind::other};
  if (element.is_string()) {
    out.kind = Kind::text;
    out.text = element.get_string().value_unsafe();
  } else if (element.is_int64()) {
    out.kind = Kind::whole;
    out.int64 = element.get_int64().value_unsafe();
    out.written = std::to_string(*out.int64);
    out.number = static_cast<double>(*out.int64);
  } else if (element.is_uint64()) {
    out.kind = Kind::whole;
    out.written = std::to_string(element.get_uint64().value_unsafe());
    out.number = static_cast<double>(element.get_uint64().value_unsafe());
  } else if (element.is_double()) {
    out.kind = Kind::fraction;
    out.number = element.get_double().value_unsafe();
  } else if (element.is_null()) {
    out.kind = Kind::null;
  }
  if (is_timestamp && out.written.empty() && out.kind != Kind::text) out.written = simdjson::minify(element);
  return out;
}

MemberValue value_of(const schema::Json& json, bool is_timestamp) {
  MemberValue out{.kind = Kind::other};
  if (const std::string* text = json.as_string()) {
    out.kind = Kind::text;
    out.text = *text;
  } else if (json.is_number()) {
    const std::string& digits = json.as_number()->text;
    out.kind = digits.find_first_of(".eE") == std::string::npos ? Kind::whole : Kind::fraction;
    out.number = *json.as_double();
    out.int64 = json.as_int64();
    uint64_t whole = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
    out.beyond_64_bits = out.kind == Kind::whole && !out.int64 && failure != std::errc();
    out.written = out.int64 ? std::to_string(*out.int64) : digits;
  } else if (json.is_null()) {
    out.kind = Kind::null;
  }
  if (is_timestamp && out.written.empty() && out.kind != Kind::text) out.written = json.excerpt();
  return out;
}

ParsedItem read_item(Element element, int64_t received_at, const PositionLimits& limits) {
  Object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) return ParsedItem{.error = "not an object"};
  PositionMembers members;
  for (const auto& [name, value] : object) {
    if (MemberValue* place = members.place_of(name)) *place = value_of(value, name == PositionMembers::kTimestamp);
  }
  return members.read(received_at, limits);
}

ParsedItem read_item(const schema::Json& json, int64_t received_at, const PositionLimits& limits) {
  const schema::Json::Object* object = json.as_object();
  if (object == nullptr) return ParsedItem{.error = "not an object"};
  PositionMembers members;
  for (const auto& [name, value] : *object) {
    if (MemberValue* place = members.place_of(name)) *place = value_of(value, name == PositionMembers::kTimestamp);
  }
  return members.read(received_at, limits);
}

Status too_many(const PositionLimits& limits) {
  return error(Code::resource_exhausted, "more than {} positions in one request", limits.items_max);
}

simdjson::dom::parser make_parser() {
  simdjson::dom::parser parser;
  const auto allocated = parser.allocate(4096, kNestingMax + 1);  // within an array
  MUIR_CHECK(allocated == simdjson::SUCCESS, "no memory for a JSON parser");
  return parser;
}

// One parser per thread keeps its memory from request to request.
simdjson::dom::parser& parser() {
  thread_local simdjson::dom::parser instance = make_parser();
  return instance;
}

// Gives the memory of a large body back when the request is done with it.
class ParserOfOneRequest {
 public:
  ParserOfOneRequest() = default;
  ~ParserOfOneRequest() {
    if (parser().capacity() > kKeptBytes) parser() = make_parser();
  }
  ParserOfOneRequest(const ParserOfOneRequest&) = delete;
  ParserOfOneRequest& operator=(const ParserOfOneRequest&) = delete;

 private:
  static constexpr size_t kKeptBytes = 1024 * 1024;
};

// What simdjson does not read is read value by value, which takes memory: no position is so large.
constexpr size_t kApartBytesMax = 64 * 1024;

// One item by itself. simdjson gives up on numbers beyond 64 bits or a double, and on half surrogate pairs, wherever
// they are: what is good JSON all the same is read by the parser that keeps numbers as they were written, so that only
// who uses such a value is refused. Why it is no JSON at all; empty: `out` is filled.
std::string parse_item(std::string_view text, int64_t received_at, const PositionLimits& limits, ParsedItem& out) {
  Element element;
  const auto code = parser().parse(text.data(), text.size(), true).get(element);
  if (code == simdjson::SUCCESS) {
    out = read_item(element, received_at, limits);
    return {};
  }
  if (code == simdjson::MEMALLOC || code == simdjson::CAPACITY) return simdjson::error_message(code);
  if (nesting_of(text) > kNestingMax) {
    out.error = fmt::format("values are nested more than {} deep", kNestingMax);
    return {};
  }
  if (text.size() > kApartBytesMax) {
    const bool of_a_value = code == simdjson::NUMBER_ERROR || code == simdjson::STRING_ERROR;
    if (!of_a_value) return simdjson::error_message(code);
    out.error = fmt::format("{} in an item of {} bytes", simdjson::error_message(code), text.size());
    return {};
  }
  const auto json = schema::Json::parse(text, {.depth_max = static_cast<int>(kNestingMax),
                                               .half = schema::JsonParseOptions::Half::bytes,
                                               .twice = schema::JsonParseOptions::Twice::kept});
  if (json.ok()) {
    out = read_item(*json, received_at, limits);
    return {};
  }
  return json.status().message();
}

Status malformed(const BadItem& bad) { return error(Code::invalid_argument, "malformed JSON: {}", to_string(bad)); }

Result<std::vector<ParsedItem>> parse_lines(BytesView body, int64_t received_at, const PositionLimits& limits) {
  std::vector<ParsedItem> items;
  for (size_t number = 1; !body.empty(); ++number) {
    const size_t end = std::min(body.find('\n'), body.size());
    const BytesView line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == BytesView::npos) continue;
    if (items.size() == limits.items_max) return too_many(limits);
    ParsedItem& item = items.emplace_back();
    const std::string why = parse_item(line, received_at, limits, item);
    if (!why.empty()) item.error = fmt::format("malformed JSON: line {}: {}", number, why);
  }
  return items;
}

// One by one: the whole could not be parsed.
Result<std::vector<ParsedItem>> parse_apart(BytesView body, int64_t received_at, const PositionLimits& limits) {
  std::vector<ParsedItem> items;
  bool many = false;
  const BadItem bad = find_bad_item(body, [&](std::string_view text) -> std::string {
    many = items.size() == limits.items_max;
    if (many) return "too many";
    ParsedItem item;
    std::string why = parse_item(text, received_at, limits, item);
    if (why.empty()) items.push_back(std::move(item));
    return why;
  });
  if (many) return too_many(limits);
  if (!bad.why.empty()) return malformed(bad);
  return items;
}

}  // namespace

bool is_lines_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  // x-ndjson, ndjson; jsonl, jsonlines, x-jsonlines: none is registered, all are in use.
  return type.find("ndjson") != std::string::npos || type.find("jsonl") != std::string::npos;
}

Result<std::vector<ParsedItem>> parse_positions(BytesView body, bool lines, int64_t received_at,
                                                const PositionLimits& limits) {
  const ParserOfOneRequest memory;
  body = without_byte_order_mark(body);
  if (lines) return parse_lines(body, received_at, limits);
  Element root;
  if (parser().parse(body.data(), body.size(), true).get(root) != simdjson::SUCCESS)
    return parse_apart(body, received_at, limits);
  std::vector<ParsedItem> items;
  simdjson::dom::array array;
  if (root.get_array().get(array) != simdjson::SUCCESS) {
    items.push_back(read_item(root, received_at, limits));
    return items;
  }
  for (const Element element : array) {
    if (items.size() == limits.items_max) return too_many(limits);
    items.push_back(read_item(element, received_at, limits));
  }
  return items;
}

std::string to_json(const RawPosition& position) {
  std::string out = "{\"vehicleId\":";
  schema::append_json_string(out, position.vehicle_id);
  out += ",\"lat\":";
  append_json_number(out, position.lat);
  out += ",\"lon\":";
  append_json_number(out, position.lon);
  if (position.speed) {
    out += ",\"speed\":";
    append_json_number(out, *position.speed);
  }
  if (position.heading) {
    out += ",\"heading\":";
    append_json_number(out, *position.heading);
  }
  out += ",\"timestamp\":";
  if (position.timestamp) {
    out += std::to_string(*position.timestamp);
  } else {
    schema::append_json_string(out, position.timestamp_text.value_or(""));
  }
  out += '}';
  return out;
}

int fuzz_positions(BytesView input) {
  int parsed = 0;
  for (const bool lines : {false, true}) {
    const auto items = parse_positions(input, lines, 0, {.items_max = 10, .vehicle_id_bytes_max = 20});
    if (!items.ok()) continue;
    MUIR_CHECK(items->size() <= 10, "more items than allowed");
    for (const ParsedItem& item : *items) {
      if (!item.error.empty()) continue;
      parsed = 1;
      MUIR_CHECK(!item.position.vehicle_id.empty() && item.position.vehicle_id.size() <= 20,
                 "a vehicle id beyond its limits");
      MUIR_CHECK(item.position.timestamp.has_value() != item.position.timestamp_text.has_value(),
                 "a time and its text");
      const auto again = parse_positions(to_json(item.position), false, 0, {});
      MUIR_CHECK(again.ok() && again->size() == 1 && (*again)[0].position.vehicle_id == item.position.vehicle_id,
                 "JSON does not round-trip");
    }
  }
  return parsed;
}

}  // namespace muir::vts
