// Versioned tables and stores, and what is joined with them.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topologies.h"

namespace muir::interop::topologies {
namespace {

using streams::Record;

std::shared_ptr<const store::StoreSupplier> history(const std::string& name, std::chrono::seconds retention = 12s) {
  return streams::Stores::persistent_versioned_key_value_store(name, retention);
}
Table versioned(StreamsBuilder& b) {
  return b.table<std::string, std::string>("tab", {}, {.supplier = history("rows")});
}
Table other_versioned(StreamsBuilder& b) {
  return b.table<std::string, std::string>("in", {}, {.supplier = history("other-rows")});
}
Stream keyed(StreamsBuilder& b) {
  return stream(b).filter([](const std::string* key, const std::string*) { return key != nullptr; });
}
std::string marked(const std::string& value) { return value + "m"; }
std::string foreign_key(const std::string& value) { return first(value); }
std::string last(const std::string&, const std::string& value) { return value; }

// The JVM's look-ups of one version do not say when it ends; its queries of several do.
std::string beginning(const std::optional<streams::VersionedValue<std::string>>& record) {
  return record ? fmt::format("{}@{}", record->value, record->timestamp_ms) : "-";
}
std::string version(const streams::VersionedValue<std::string>& record) {
  return beginning(record) + (record.valid_to_ms ? fmt::format("-{}", *record.valid_to_ms) : "");
}

// Tells what a store with versions answers: to puts, to deletions of what begins with "b", to look-ups.
class Historian final : public streams::Processor<std::string, std::string, std::string, std::string> {
 public:
  Status init(Context& context) override {
    store_ = MUIR_TRY((context.versioned_key_value_store<std::string, std::string>("versions")));
    return {};
  }
  Status process(const Record<std::string, std::string>& record) override {
    if (record.key == nullptr) return {};
    const std::string& key = *record.key;
    const int64_t time = record.timestamp_ms;
    std::string said;
    if (record.value != nullptr && record.value->starts_with("b")) {
      said = "deleted " + beginning(MUIR_TRY(store_.erase(key, time)));
    } else {
      const auto value = record.value == nullptr ? std::nullopt : std::optional(*record.value);
      said = fmt::format("put {}", MUIR_TRY(store_.put(key, value, time)));
    }
    said += " latest " + beginning(MUIR_TRY(store_.get(key)));
    said += " then " + beginning(MUIR_TRY(store_.get(key, time - 3000))) + " since";
    for (const auto& one : MUIR_TRY(store_.get(key, time - 5000, INT64_MAX))) said += " " + version(one);
    return context().forward(record.with_value(said));
  }

 private:
  streams::VersionedKeyValueStore<std::string, std::string> store_;
};
Stream told(StreamsBuilder& b, std::chrono::seconds retention) {
  b.add_state_store(streams::VersionedKeyValueStoreBuilder<std::string, std::string>{.name = "versions",
                                                                                     .history_retention = retention});
  return stream(b).process([] { return std::make_unique<Historian>(); }, {.stores = {"versions"}});
}

}  // namespace

const std::vector<Case>& versioned_tables() {
  static const std::vector<Case> cases = {
      {"a versioned table", [](auto& b) { out(versioned(b)); }},
      {"a versioned table that soon forgets",
       [](auto& b) { out(b.template table<std::string, std::string>("tab", {}, {.supplier = history("rows", 8s)})); }},
      {"a store with versions", [](auto& b) { told(b, 12s).to("out"); }},
      {"a store with versions that soon forgets", [](auto& b) { told(b, 8s).to("out"); }},
      {"a store with versions in one segment", [](auto& b) { told(b, 120s).to("out"); }},
      {"filter of a versioned table", [](auto& b) { out(versioned(b).filter(is_a)); }},
      {"filter of a versioned table, then a group",
       [](auto& b) {
         const auto kept = versioned(b).filter(is_a);
         kept.to_stream().to("out");
         kept.group_by(initial).count().map_values(text).to_stream().to("out");
       }},
      {"filters and mapped values of a versioned table with stores",
       [](auto& b) {
         const auto rows = versioned(b);
         const auto plain = rows.filter(is_a, {.store = "plain"});
         out(plain);
         const auto mapped = rows.map_values(marked, {.supplier = history("mapped")});
         out(mapped.filter_not(is_short, {.supplier = history("long-ones")}));
         stream(b).left_join(mapped, join_null).to("out");
         stream(b).left_join(plain, join_null).to("out");
         mapped.group_by(initial).reduce(plus, minus).to_stream().to("out");
         plain.group_by(initial).reduce(plus, minus).to_stream().to("out");
       }},
      {"versioned rows of a table that is none",
       [](auto& b) {
         const auto late = table(b).filter(is_a, {.supplier = history("kept")});
         out(late);
         stream(b).left_join(late.map_values(marked), join_null).to("out");
       }},
      {"group of a versioned table", [](auto& b) { out(versioned(b).group_by(initial).reduce(plus, minus)); }},
      {"versioned aggregates",
       [](auto& b) {
         const auto counts = stream(b).group_by_key().count({.supplier = history("counts")});
         const auto all = stream(b).group_by_key().reduce(last, {.supplier = history("all")});
         out(all);
         stream(b).left_join(counts.map_values(text), join_null).to("out");
         out(versioned(b).group_by(initial).reduce(plus, minus, {.supplier = history("groups")}));
       }},
      {"versioned toTable", [](auto& b) {
         const auto latest = stream(b).to_table({.supplier = history("latest")});
         out(latest);
         other_stream(b).join(latest, join).to("out");
       }}};
  return cases;
}

const std::vector<Case>& versioned_joins() {
  static const std::vector<Case> cases = {
      {"versioned tables",
       [](auto& b) {
         const auto left = versioned(b);
         const auto right = other_versioned(b);
         out(left.join(right, join));
         out(left.left_join(right, join_null));
         out(left.outer_join(right, join_any));
         const auto kept = left.filter(is_a);
         out(kept.outer_join(right.map_values(marked), join_any));
       }},
      {"a versioned table and one that is none",
       [](auto& b) {
         const auto left = versioned(b);
         const auto right = other(b);
         out(left.join(right, join));
         out(right.left_join(left, join_null));
         out(right.outer_join(left, join_any));
       }},
      {"joined tables with a versioned store",
       [](auto& b) {
         const auto left = versioned(b);
         const auto records = stream(b);
         const auto right = records.to_table({.supplier = history("other-rows")});
         const auto both = left.outer_join(right, join_any, {.supplier = history("both")});
         out(both);
         records.left_join(both, join_null).to("out");
         records.left_join(left.join(right, join), join_null).to("out");
       }},
      {"by a foreign key of versioned tables",
       [](auto& b) {
         const auto left = versioned(b);
         const auto right = other_versioned(b);
         out(left.join(right, foreign_key, join));
       }},
      {"by a foreign key of versioned tables into one",
       [](auto& b) {
         const auto left = versioned(b);
         out(left.left_join(other_versioned(b), foreign_key, join_null, {.supplier = history("joined")}));
       }},
      {"by a foreign key of one versioned table",
       [](auto& b) {
         const auto left = versioned(b);
         const auto right = other(b);
         out(left.join(right, foreign_key, join));
       }},
      {"by a foreign key into a versioned table",
       [](auto& b) {
         const auto left = table(b);
         out(left.left_join(other_versioned(b), foreign_key, join_null));
       }},
      {"join with a versioned table", [](auto& b) {
         const auto rows = versioned(b);
         stream(b).join(rows, join).to("out");
         const auto records = stream(b);
         const auto kept = rows.filter(is_a);
         records.left_join(kept.map_values(marked), join_null).to("out");
       }}};
  return cases;
}

const std::vector<Case>& joins_with_grace() {
  static const std::vector<Case> cases = {
      {"join with grace",
       [](auto& b) {
         const auto records = stream(b);
         records.join(versioned(b), join, {.grace = 5s}).to("out");
       }},
      {"join with a short grace",
       [](auto& b) {
         const auto records = stream(b);
         records.join(versioned(b), join, {.grace = 1s}).to("out");
       }},
      {"join without any grace",
       [](auto& b) {
         const auto records = stream(b);
         records.join(versioned(b), join, {.grace = 0s}).to("out");
       }},
      {"left join with grace",
       [](auto& b) {
         const auto rows = versioned(b);
         keyed(b).left_join(rows, join_null, {.grace = 12s}).to("out");
       }},
      {"join with grace and a name",
       [](auto& b) {
         const auto records = stream(b);
         records.join(versioned(b), join, {.name = "patient", .grace = 5s}).to("out");
       }},
      {"join with grace behind a repartition",
       [](auto& b) {
         const auto records = stream(b).filter(any).select_key(first);
         const auto rows = versioned(b).map_values(marked).filter(is_a);
         records.join(rows, join, {.grace = 5s}).to("out");
       }},
      {"joins with grace behind each other", [](auto& b) {
         const auto rows = versioned(b);
         stream(b).join(rows, join, {.grace = 5s}).join(rows, join, {.grace = 2s}).to("out");
       }}};
  return cases;
}

}  // namespace muir::interop::topologies
