#include "apps/vts/position_json.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "apps/vts/dead_letters.h"
#include "apps/vts/json_items.h"
#include "apps/vts/json_number.h"
#include "apps/vts/timestamps.h"
#include "base/check.h"
#include "base/utf8.h"
#include "schema/json.h"

namespace muir::vts {
namespace {

using Element = simdjson::dom::element;
using Object = simdjson::dom::object;

constexpr size_t kTimestampTextMax = 128;

bool read_vehicle_id(const Object& object, ParsedItem& item, const PositionLimits& limits) {
  Element value;
  if (object["vehicleId"].get(value) != simdjson::SUCCESS || value.is_null()) {
    item.error = "vehicleId is missing";
    return false;
  }
  if (value.is_string()) {
    item.position.vehicle_id = std::string_view(value.get_string().value_unsafe());
  } else if (value.is_int64()) {
    item.position.vehicle_id = std::to_string(value.get_int64().value_unsafe());
  } else if (value.is_uint64()) {
    item.position.vehicle_id = std::to_string(value.get_uint64().value_unsafe());
  } else {
    item.error = "vehicleId is neither a string nor a whole number";
    return false;
  }
  const Status named = check_id("vehicleId", item.position.vehicle_id, limits.vehicle_id_bytes_max);
  if (!named.ok()) item.error = named.message();
  return named.ok();
}

bool read_coordinate(const Object& object, std::string_view name, double& out, ParsedItem& item) {
  Element value;
  if (object[name].get(value) != simdjson::SUCCESS) {
    item.error = fmt::format("{} is missing", name);
    return false;
  }
  if (value.get_double().get(out) != simdjson::SUCCESS) {
    item.error = fmt::format("{} is no number", name);
    return false;
  }
  return true;
}

bool read_optional(const Object& object, std::string_view name, std::optional<double>& out, ParsedItem& item) {
  Element value;
  if (object[name].get(value) != simdjson::SUCCESS || value.is_null()) return true;
  double number = 0;
  if (value.get_double().get(number) != simdjson::SUCCESS) {
    item.error = fmt::format("{} is no number", name);
    return false;
  }
  out = number;
  return true;
}

// A time that cannot be read is no fault of structure: the position is recorded, and rejected by its rule.
void read_timestamp(const Object& object, RawPosition& position) {
  Element value;
  if (object["timestamp"].get(value) != simdjson::SUCCESS || value.is_null()) {
    position.timestamp_text = "";
    return;
  }
  if (value.is_string()) {
    const std::string_view text = value.get_string().value_unsafe();
    position.timestamp = parse_timestamp(text);
    if (!position.timestamp) position.timestamp_text = std::string(start_of(text, kTimestampTextMax));
  } else if (value.is_int64()) {
    position.timestamp = epoch_ms(value.get_int64().value_unsafe());
  } else if (value.is_double()) {
    position.timestamp = epoch_ms(value.get_double().value_unsafe());
  }
  if (!position.timestamp && !position.timestamp_text)
    position.timestamp_text = std::string(start_of(simdjson::minify(value), kTimestampTextMax));
}

ParsedItem read_item(Element element, int64_t received_at, const PositionLimits& limits) {
  ParsedItem item;
  item.position.received_at = received_at;
  Object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) {
    item.error = "not an object";
    return item;
  }
  if (read_vehicle_id(object, item, limits) && read_coordinate(object, "lat", item.position.lat, item) &&
      read_coordinate(object, "lon", item.position.lon, item) &&
      read_optional(object, "speed", item.position.speed, item) &&
      read_optional(object, "heading", item.position.heading, item)) {
    read_timestamp(object, item.position);
  }
  return item;
}

Status too_many(const PositionLimits& limits) {
  return error(Code::resource_exhausted, "more than {} positions in one request", limits.items_max);
}

// One parser per thread keeps its memory from request to request.
simdjson::dom::parser& parser() {
  thread_local simdjson::dom::parser instance;
  return instance;
}

// Gives the memory of a large body back when the request is done with it.
class ParserOfOneRequest {
 public:
  ParserOfOneRequest() = default;
  ~ParserOfOneRequest() {
    if (parser().capacity() > kKeptBytes) parser() = simdjson::dom::parser();
  }
  ParserOfOneRequest(const ParserOfOneRequest&) = delete;
  ParserOfOneRequest& operator=(const ParserOfOneRequest&) = delete;

 private:
  static constexpr size_t kKeptBytes = 1024 * 1024;
};

std::string fault_of(std::string_view json) {
  const auto code = parser().parse(json.data(), json.size(), true).error();
  return code == simdjson::SUCCESS ? std::string() : simdjson::error_message(code);
}

Status malformed(BytesView body, simdjson::error_code code) {
  BadItem bad = find_bad_item(body, fault_of);
  if (bad.why.empty()) bad.why = simdjson::error_message(code);
  return error(Code::invalid_argument, "malformed JSON: {}", to_string(bad));
}

Result<std::vector<ParsedItem>> parse_lines(BytesView body, int64_t received_at, const PositionLimits& limits) {
  std::vector<ParsedItem> items;
  for (size_t number = 1; !body.empty(); ++number) {
    const size_t end = std::min(body.find('\n'), body.size());
    const BytesView line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == BytesView::npos) continue;
    if (items.size() == limits.items_max) return too_many(limits);
    Element element;
    if (const auto code = parser().parse(line.data(), line.size(), true).get(element); code != simdjson::SUCCESS) {
      items.emplace_back().error = fmt::format("malformed JSON: line {}: {}", number, simdjson::error_message(code));
      continue;
    }
    items.push_back(read_item(element, received_at, limits));
  }
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
  if (const auto code = parser().parse(body.data(), body.size(), true).get(root); code != simdjson::SUCCESS)
    return malformed(body, code);
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
