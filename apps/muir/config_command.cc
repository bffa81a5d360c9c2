#include "apps/muir/config_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "apps/muir/parts.h"
#include "apps/muir/say.h"
#include "apps/muir/servers.h"
#include "schema/json.h"

namespace muir::app {
namespace {

struct Row {
  std::string key;
  std::string value;
  std::string from;
  std::string part;
  std::string meaning;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// Whether key, value, part or meaning hold every one of the words.
bool holds(const Row& row, const std::vector<std::string>& words) {
  const std::string text = lower(fmt::format("{}\n{}\n{}\n{}", row.key, row.value, row.part, row.meaning));
  return std::all_of(words.begin(), words.end(),
                     [&](const auto& word) { return text.find(word) != std::string::npos; });
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(lower(text));
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// What is no configuration, though somebody looks for it here.
std::string elsewhere(const std::string& word) {
  const std::string text = lower(word);
  for (const std::string_view thing : {"zone", "geofence", "district", "polygon"}) {
    if (text.find(thing) != std::string::npos)
      return "; zones are data: PUT /api/v1/zones/{id}, GET /api/v1/zones, docs/guide/vts.md";
  }
  return "; muir config alone lists all";
}

// By key; where parts share one, the first part that declares it stands for it.
std::map<std::string, Row> declared() {
  std::map<std::string, Row> rows;
  for (const Part& part : parts()) {
    if (!part.top_level) continue;
    for (const ConfigKey& key : part.keys)
      rows.try_emplace(key.name, Row{key.name, shown_default(key), "default", part.name, key.doc});
  }
  return rows;
}

std::vector<Row> rows_of(const Settings& settings, const std::string& word) {
  std::map<std::string, Row> rows = declared();
  const std::vector<std::string> words = words_of(word);
  for (const auto& [key, value] : settings.values) {
    Row& row = rows.try_emplace(key, Row{key, "", "", "", ""}).first->second;
    row.value = is_secret_name(key) ? std::string(kHiddenValue) : value;
    row.from = settings.origins.at(key);
  }
  std::vector<Row> out;
  for (auto& [key, row] : rows) {
    if (holds(row, words)) out.push_back(std::move(row));
  }
  return out;
}

std::string as_table(const std::vector<Row>& rows) {
  size_t keys = 3;
  size_t values = 5;
  for (const Row& row : rows) {
    keys = std::max(keys, row.key.size());
    values = std::max(values, std::min<size_t>(row.value.size(), 24));
  }
  std::string out = fmt::format("{:{}}  {:{}}  {:11}  {}\n", "KEY", keys, "VALUE", values, "FROM", "MEANING");
  for (const Row& row : rows)
    out += fmt::format("{:{}}  {:{}}  {:11}  {}\n", row.key, keys, row.value, values, row.from, row.meaning);
  return out;
}

std::string as_json(const std::vector<Row>& rows) {
  std::string out = "[";
  for (const Row& row : rows) {
    out += &row == &rows.front() ? "\n " : ",\n ";
    char next = '{';
    for (const auto& [name, value] : {std::pair("key", &row.key),
                                      {"value", &row.value},
                                      {"from", &row.from},
                                      {"part", &row.part},
                                      {"meaning", &row.meaning}}) {
      fmt::format_to(std::back_inserter(out), "{}\"{}\":", next, name);
      schema::append_json_string(out, *value);
      next = ',';
    }
    out += '}';
  }
  return out + "\n]\n";
}

}  // namespace

Status run_config(const Settings& settings, const std::string& word, Output output) {
  const std::vector<Row> rows = rows_of(settings, word);
  Status right = check_configuration(settings.values, !settings.values.contains("bootstrap.servers"));
  if (right.ok()) right = check_addresses(settings.values);
  if (rows.empty()) {
    const Status none =
        error(Code::not_found, "no configuration key, value or meaning holds '{}'{}", word, elsewhere(word));
    if (right.ok()) return none;
    complain("muir: {}\n", none.message());  // what is wrong is wrong also for who looks for something else
    return right;
  }
  const Status printed = answer(output == Output::json ? as_json(rows) : as_table(rows));
  MUIR_RETURN_IF_ERROR(right);
  return printed;
}

}  // namespace muir::app
