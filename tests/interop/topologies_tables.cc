// Tables, and what is joined with them and with streams.
#include <optional>
#include <string>
#include <vector>

#include "topologies.h"

namespace muir::interop::topologies {

const std::vector<Case>& filters() {
  static const std::vector<Case> cases = {
      {"filter of a table", [](auto& b) { out(table(b).filter(is_a)); }},
      {"filter of a table with a store", [](auto& b) { out(stored(b).filter(is_a)); }},
      {"filters and mapped values with stores",
       [](auto& b) {
         const auto rows = table(b);
         const auto kept = rows.filter(is_a, {.store = "kept"});
         out(kept);
         const auto mapped = kept.map_values([](const std::string& v) { return v + "m"; }, {.store = "mapped"});
         out(mapped.filter_not(is_short, {.name = "long", .store = "long-ones"}));
         stream(b).left_join(mapped, join_null).to("out");
         mapped.group_by(initial).reduce(plus, minus).to_stream().to("out");
       }},
      {"filters behind each other", [](auto& b) { out(stored(b).filter(is_a).filter_not(is_short)); }},
      {"filter behind mapped values",
       [](auto& b) {
         out(stored(b).map_values([](const std::string& v) { return v + std::to_string(v.size()); }).filter(is_a));
       }},
      {"filter behind mapped values without a store",
       [](auto& b) { out(table(b).map_values([](const std::string& v) { return v + "x"; }).filter(is_a)); }},
      {"filter of a count",
       [](auto& b) {
         out(stream(b).group_by_key().count().filter([](int64_t n) { return n % 3 == 0; }).map_values(text));
       }},
      {"filter of a windowed count",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kWindows).count().filter(is_even).map_values(text)).to("out");
       }},
      {"filter, then a group",
       [](auto& b) {
         const auto kept = table(b).filter(is_a);
         kept.to_stream().to("out");
         kept.group_by(initial).count().map_values(text).to_stream().to("out");
       }},
      {"a group, then a filter beside it",
       [](auto& b) {
         const auto rows = table(b);
         rows.group_by(initial).count().to_stream().map_values(text).to("out");
         rows.filter(is_a).to_stream().to("out");
       }},
      {"a filter beside a group",
       [](auto& b) {
         const auto rows = table(b);
         rows.filter(is_a).to_stream().to("out");
         rows.group_by(initial).count().to_stream().map_values(text).to("out");
       }},
      {"filter of toTable", [](auto& b) { out(stream(b).to_table().filter(is_a)); }},
      {"filter of a table of a stream with a store",
       [](auto& b) { out(stream(b).to_table({.store = "latest"}).filter(is_a)); }}};
  return cases;
}

const std::vector<Case>& joins() {
  static const std::vector<Case> cases = {
      {"join with a filtered table",
       [](auto& b) {
         const auto records = stream(b);
         records.join(table(b).filter(is_a), join).to("out");
       }},
      {"join with a filtered table that is also written",
       [](auto& b) {
         const auto kept = table(b).filter(is_a);
         stream(b).left_join(kept, join_null).to("out");
         out(kept);
       }},
      {"join, table first",
       [](auto& b) {
         const auto rows = table(b);
         stream(b).join(rows, join).to("out");
       }},
      {"join, stream first",
       [](auto& b) {
         const auto records = stream(b);
         records.join(table(b), join).to("out");
       }},
      {"joins of one stream",
       [](auto& b) {
         const auto rows = table(b);
         const auto records = stream(b);
         records.left_join(rows, join_null).to("out");
         records.filter(is_a).join(rows, join).map_values([](const std::string& v) { return v + "!"; }).to("out");
         records.filter(any).select_key(first).join(rows, join).to("out");
       }},
      {"join behind an aggregate",
       [](auto& b) {
         const auto counts = stream(b).group_by_key().count().map_values(text);
         stream(b).join(counts, join).to("out");
       }},
      {"join with a name", [](auto& b) {
         const auto rekeyed = stream(b)
                                  .filter([](const std::string&, const std::string&) { return true; })
                                  .select_key([](const std::string& k, const std::string&) { return k; });
         rekeyed.join(table(b), join, {.name = "with-rows"}).to("out");
       }}};
  return cases;
}

const std::vector<Case>& table_joins() {
  static const std::vector<Case> cases = {
      {"tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), join));
       }},
      {"tables, left",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), join_null));
       }},
      {"tables, outer",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any));
       }},
      {"tables with a store",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         out(left.join(right, join, {.store = "inner"}));
         out(left.left_join(right, join_null, {.store = "left"}));
         out(left.outer_join(right, join_any, {.store = "outer"}));
       }},
      {"tables with names",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         out(left.join(right, join, {.name = "both"}));
         out(left.outer_join(right, join_any, {.name = "any", .store = "any-rows"}));
       }},
      {"filtered and mapped tables",
       [](auto& b) {
         const auto left = table(b).filter(is_a);
         const auto right = other(b).map_values([](const std::string& v) { return v + "m"; });
         out(left.join(right, join));
         out(left.left_join(right, join_null));
         out(right.outer_join(left, join_any));
       }},
      {"filter of joined tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any).filter(is_a));
       }},
      {"filter of joined tables with a store",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), join_null, {.store = "joined"}).filter(is_a));
       }},
      {"group of joined tables",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), join).group_by(initial).reduce(plus, minus));
       }},
      {"group of joined tables with a store",
       [](auto& b) {
         const auto left = table(b);
         out(left.outer_join(other(b), join_any, {.store = "joined"}).group_by(initial).reduce(plus, minus));
       }},
      {"joined tables joined again",
       [](auto& b) {
         const auto left = table(b);
         const auto right = other(b);
         const auto any_of_both = left.outer_join(right, join_any);
         out(any_of_both.left_join(left.filter(is_a), join_null));
         out(right.join(any_of_both, join));
       }},
      {"stream with joined tables",
       [](auto& b) {
         const auto left = stored(b);
         const auto counts = stream(b).group_by_key().count().map_values(text);
         const auto both = left.outer_join(counts, join_any);
         stream(b).filter(any).left_join(both, join_null).to("out");
       }},
      {"windowed tables", [](auto& b) {
         const auto counts = stream(b).group_by_key().windowed_by(kWindows).count().map_values(text);
         const auto all =
             b.template stream<std::string, std::string>("tab").group_by_key().windowed_by(kWindows).reduce(join_null);
         unwindowed(counts.join(all, join)).to("out");
         unwindowed(counts.left_join(all, join_null)).to("out");
         unwindowed(counts.outer_join(all, join_any)).to("out");
       }}};
  return cases;
}

static std::string foreign_key(const std::string& value) { return value.substr(0, 1); }
static std::optional<std::string> some_foreign_key(const std::string&, const std::string& value) {
  return value.starts_with("b") ? std::nullopt : std::optional(value.substr(0, 1));
}

const std::vector<Case>& foreign_key_joins() {
  static const std::vector<Case> cases = {
      {"by a foreign key",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), foreign_key, join));
       }},
      {"by a foreign key, left",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), foreign_key, join_null));
       }},
      {"by a foreign key that may be missing",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), some_foreign_key, join));
       }},
      {"by a foreign key that may be missing, left",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), some_foreign_key, join_null));
       }},
      {"by a foreign key, with names",
       [](auto& b) {
         const auto left = table(b);
         out(left.join(other(b), foreign_key, join, {.name = "by-initial", .store = "joined"}));
       }},
      {"by a foreign key, left, with a name",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), foreign_key, join_null, {.name = "all"}));
       }},
      {"by a foreign key of mapped and filtered tables",
       [](auto& b) {
         const auto left = stored(b).map_values([](const std::string& v) { return v + "m"; }).filter_not(is_short);
         const auto right = other(b).filter(is_a);
         out(left.join(right, foreign_key, join));
       }},
      {"group of a join by a foreign key",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other(b), foreign_key, join_null).group_by(initial).reduce(plus, minus));
       }},
      {"join behind a join by a foreign key", [](auto& b) {
         const auto left = table(b);
         const auto counts = stream(b).group_by_key().count().map_values(text);
         out(left.join(counts, foreign_key, join).left_join(left, join_null));
       }}};
  return cases;
}

constexpr streams::JoinWindows kNear{.before = 2s, .after = 2s, .grace = 1s};

const std::vector<Case>& stream_joins() {
  static const std::vector<Case> cases = {
      {"streams",
       [](auto& b) {
         const auto left = stream(b);
         left.join(other_stream(b), join, kNear).to("out");
       }},
      {"streams, left",
       [](auto& b) {
         const auto left = stream(b);
         left.left_join(other_stream(b), join_null, kNear).to("out");
       }},
      {"streams, outer",
       [](auto& b) {
         const auto left = stream(b);
         left.outer_join(other_stream(b), join_any, kNear).to("out");
       }},
      {"streams, one before the other",
       [](auto& b) {
         const auto left = stream(b);
         const auto right = other_stream(b);
         left.join(right, join, {.before = 0s, .after = 3s, .grace = 0s}).to("out");
         left.left_join(right, join_null, {.before = 3s, .after = 0s, .grace = 5s}).to("out");
         left.outer_join(right, join_any, {.before = 100ms, .after = 4s, .grace = 2s}).to("out");
         left.outer_join(right, join_any, {.before = -1s, .after = 4s, .grace = 2s}).to("out");
       }},
      {"streams with names",
       [](auto& b) {
         const auto left = stream(b);
         const auto right = other_stream(b);
         left.join(right, join, kNear, {.name = "near"}).to("out");
         left.left_join(right, join_null, kNear, {.store = "kept"}).to("out");
         left.outer_join(right, join_any, kNear, {.name = "any", .store = "all"}).to("out");
       }},
      {"streams whose keys changed",
       [](auto& b) {
         const auto left = stream(b).filter(any).select_key(first);
         const auto right = other_stream(b).filter(any).select_key(first);
         left.join(right, join, kNear).to("out");
         left.left_join(stream(b), join_null, kNear, {.name = "left"}).to("out");
         stream(b).outer_join(right, join_any, kNear, {.name = "right"}).to("out");
       }},
      {"stream with itself",
       [](auto& b) {
         const auto left = stream(b);
         left.join(left, join, kNear).to("out");
       }},
      {"streams, then an aggregate", [](auto& b) {
         const auto left = stream(b);
         left.left_join(other_stream(b), join_null, kNear)
             .group_by_key()
             .count()
             .to_stream()
             .map_values(text)
             .to("out");
       }}};
  return cases;
}

}  // namespace muir::interop::topologies
