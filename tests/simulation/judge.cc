#include "simulation/judge.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <vector>

namespace muir::simulation {
namespace {

using ByKey = std::map<Bytes, std::vector<Written>>;

int64_t number(const OptBytes& value) {
  if (!value || value->size() != 8) return 0;
  uint64_t out = 0;
  for (const char c : *value) out = out << 8 | static_cast<unsigned char>(c);
  return static_cast<int64_t>(out);
}

std::string show(const Bytes& bytes) {
  std::string out;
  for (const char c : bytes) out += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '.';
  return out;
}
std::string show(const std::vector<Written>& records) {
  std::string out;
  for (const Written& one : records) {
    out += fmt::format(" {}@{}",
                       !one.value               ? "-"
                       : one.value->size() == 8 ? std::to_string(number(one.value))
                                                : show(*one.value),
                       one.timestamp_ms);
  }
  return out.empty() ? " nothing" : out;
}

std::vector<OptBytes> values(const std::vector<Written>& records) {
  std::vector<OptBytes> out;
  for (const Written& one : records) out.push_back(one.value);
  return out;
}
std::vector<OptBytes> sorted(std::vector<OptBytes> all, bool once) {
  std::sort(all.begin(), all.end());
  if (once) all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}
int64_t sum(const std::vector<Written>& records) {
  int64_t out = 0;
  for (const Written& one : records) out += number(one.value);
  return out;
}

int64_t total(const std::vector<Written>& records) { return records.empty() ? 0 : number(records.back().value); }

// A key that was never told of is as one that was deleted: caches say nothing of what came and went.
const Written* last_row(const std::vector<Written>& records) {
  return records.empty() || !records.back().value ? nullptr : &records.back();
}
bool same_row(const std::vector<Written>& want, const std::vector<Written>& got, bool with_time) {
  const Written* wanted = last_row(want);
  const Written* found = last_row(got);
  if (wanted == nullptr || found == nullptr) return wanted == found;
  return wanted->value == found->value && (!with_time || wanted->timestamp_ms == found->timestamp_ms);
}

bool agree(Form form, const std::vector<Written>& want, const std::vector<Written>& got) {
  switch (form) {
    case Form::sequence: return want == got;
    case Form::values: return values(want) == values(got);
    case Form::bag: return sorted(values(want), false) == sorted(values(got), false);
    case Form::set: return sorted(values(want), true) == sorted(values(got), true);
    case Form::last: return same_row(want, got, true);
    case Form::last_value: return same_row(want, got, false);
    case Form::total: return total(want) == total(got);
    case Form::not_less: return want.empty() || (!got.empty() && number(got.back().value) >= number(want.back().value));
    case Form::sum: return sum(want) == sum(got);
    case Form::unchecked: return true;
  }
  return false;
}

void compare(const std::string& what, Form form, const ByKey& want, const ByKey& got, std::vector<std::string>& out) {
  static const std::vector<Written> nothing;
  std::map<Bytes, bool> keys;
  for (const auto& [key, records] : want) keys[key];
  for (const auto& [key, records] : got) keys[key];
  for (const auto& [key, unused] : keys) {
    const auto& wanted = want.contains(key) ? want.at(key) : nothing;
    const auto& found = got.contains(key) ? got.at(key) : nothing;
    if (agree(form, wanted, found)) continue;
    out.push_back(fmt::format("{}, key {}: wanted{}; got{}", what, show(key), show(wanted), show(found)));
  }
}

ByKey by_key(const std::vector<Written>& records) {
  ByKey out;
  for (const Written& one : records) out[one.key].push_back(one);
  return out;
}
ByKey by_key(const std::map<std::string, Rows>& stores, const std::string& name) {
  ByKey out;
  const auto found = stores.find(name);
  if (found == stores.end()) return out;
  for (const auto& [key, row] : found->second) out[key] = {{key, row.second, row.first}};
  return out;
}

}  // namespace

std::vector<std::string> judge(const Setting& setting, const Outcome& wanted, const Outcome& got) {
  std::vector<std::string> out = got.problems;
  for (const std::string& problem : wanted.problems) out.push_back("undisturbed: " + problem);
  if (!out.empty()) return out;
  for (const Output& output : setting.application->outputs) {
    Form form = !setting.exactly_once ? output.at_least_once : setting.cached ? output.cached : output.exactly_once;
    // What a cache told before a commit that failed is not known to the next attempt, which may find, of a longer
    // stretch of input, that there is nothing to tell: in Kafka Streams as well.
    if (!setting.exactly_once && setting.cached && form == Form::last) form = Form::unchecked;
    compare("topic " + output.topic, form, by_key(wanted.outputs.at(output.topic)),
            by_key(got.outputs.at(output.topic)), out);
  }
  for (const StoreRows& store : setting.application->stores) {
    const Form form = setting.exactly_once ? store.exactly_once : store.at_least_once;
    compare("store " + store.name, form, by_key(wanted.live, store.name), by_key(got.live, store.name), out);
    compare("restored store " + store.name, Form::last, by_key(got.live, store.name), by_key(got.restored, store.name),
            out);
  }
  return out;
}

}  // namespace muir::simulation
