// Aggregations, by key and in windows, and what is held back behind them.
#include <string>
#include <vector>

#include "topologies.h"

namespace muir::interop::topologies {

const std::vector<Case>& aggregations() {
  static const std::vector<Case> cases = {
      {"reduce", [](auto& b) { out(stream(b).group_by_key().reduce(join_null)); }},
      {"reduce in windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kWindows).reduce(join_null)).to("out"); }},
      {"aggregate",
       [](auto& b) {
         out(stream(b).group_by_key().aggregate(std::string(),
                                                [](const std::string& v, std::string& all) { all += v; }));
       }},
      {"aggregate in windows",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kWindows).aggregate(std::string(), [](const std::string* v,
                                                                                               std::string& all) {
           all += v == nullptr ? "0" : *v;
         })).to("out");
       }},
      {"aggregate in one window without end",
       [](auto& b) {
         const streams::UnlimitedWindows later{.start = std::chrono::milliseconds(1'700'000'050'000)};
         unwindowed(stream(b).group_by_key().windowed_by(later).reduce(join_null)).to("out");
       }},
      {"count in windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kWindows).count()).map_values(text).to("out"); }},
      {"groups with a name",
       [](auto& b) {
         const auto group = stream(b).filter(any).group_by(first, {.name = "by-initial"});
         group.count().to_stream().map_values(text).to("out");
         out(group.reduce(join));
       }},
      {"groups by key with a name",
       [](auto& b) {
         out(stream(b).group_by_key({.name = "unused"}).reduce(join));
         const auto itself = [](const std::string& v) { return v; };
         out(stream(b).filter(any).select_key(itself).group_by_key({.name = "by-value"}).reduce(join));
       }},
      {"groups without a name",
       [](auto& b) {
         const auto group = stream(b).filter(any).group_by(first);
         group.count().to_stream().map_values(text).to("out");
         out(group.reduce(join));
       }},
      {"group of a table with a name",
       [](auto& b) { out(table(b).group_by(initial, {.name = "by-initial"}).reduce(plus, minus)); }},
      {"group of a table",
       [](auto& b) {
         out(stored(b).group_by(initial).aggregate(
             std::string(), [](const std::string& v, std::string& all) { all += "+" + v; },
             [](const std::string& v, std::string& all) { all += "-" + v; }));
       }},
      {"group of a filtered count",
       [](auto& b) {
         out(stream(b)
                 .group_by_key()
                 .count()
                 .filter(is_even)
                 .group_by([](int64_t n) { return std::pair(std::string("all"), std::to_string(n)); })
                 .reduce(plus, minus));
       }},
      {"group of mapped values", [](auto& b) {
         out(table(b)
                 .map_values([](const std::string& v) { return v + "m"; })
                 .group_by(initial)
                 .count()
                 .map_values(text));
       }}};
  return cases;
}

constexpr streams::SessionWindows kSessions{.gap = 1s, .grace = 2s};
// The records of a table of sessions, with the bounds in the key.
template <class V>
streams::KStream<std::string, V> unsessioned(const streams::KTable<Windowed<std::string>, V>& table) {
  return table.to_stream().select_key([](const Windowed<std::string>* key, const V*) {
    return fmt::format("{}@{}-{}", key->key, key->window.start_ms, key->window.end_ms);
  });
}

const std::vector<Case>& sessions() {
  static const std::vector<Case> cases = {
      {"count in sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).count().map_values(text)).to("out");
       }},
      {"count in sessions with a store",
       [](auto& b) {
         unsessioned(stream(b)
                         .group_by_key()
                         .windowed_by(kSessions)
                         .count({.name = "counted", .store = "counts"})
                         .map_values(text))
             .to("out");
       }},
      {"reduce in sessions",
       [](auto& b) {
         unsessioned(stream(b).filter(any).group_by_key().windowed_by(kSessions).reduce(plus)).to("out");
       }},
      {"aggregate in sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).aggregate(
                         std::string("<"),
                         [](const std::string* v, std::string& all) { all += v == nullptr ? "0" : *v; },
                         [](const std::string& a, const std::string& o) { return a + "|" + o; }))
             .to("out");
       }},
      {"sessions of what was repartitioned",
       [](auto& b) {
         unsessioned(
             stream(b).filter(any).group_by(first).windowed_by({.gap = 300ms, .grace = 0ms}).count().map_values(text))
             .to("out");
       }},
      {"filter of sessions",
       [](auto& b) {
         unsessioned(stream(b).group_by_key().windowed_by(kSessions).count().filter(is_even).map_values(text))
             .to("out");
       }},
      {"group of sessions",
       [](auto& b) {
         out(stream(b)
                 .group_by_key()
                 .windowed_by(kSessions)
                 .count()
                 .group_by(
                     [](const Windowed<std::string>& key, int64_t n) { return std::pair(key.key, std::to_string(n)); })
                 .reduce(plus, minus));
       }},
      {"sessions joined", [](auto& b) {
         const auto counts = stream(b).group_by_key().windowed_by(kSessions).count().map_values(text);
         const auto all = other_stream(b).filter(any).group_by_key().windowed_by(kSessions).reduce(plus);
         unsessioned(counts.outer_join(all, join_any)).to("out");
       }}};
  return cases;
}

constexpr streams::SlidingWindows kSliding{.difference = 2s, .grace = 3s};
constexpr streams::SlidingWindows kClosing{
    .difference = 2s, .grace = 1s, .emit = streams::EmitStrategy::on_window_close};
static void add_or_0(const std::string* v, std::string& all) { all += v == nullptr ? "0" : *v; }

const std::vector<Case>& sliding_windows() {
  static const std::vector<Case> cases = {
      {"count in sliding windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kSliding).count()).map_values(text).to("out"); }},
      {"reduce in sliding windows",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kSliding).reduce(plus)).to("out"); }},
      {"aggregate in sliding windows with a store",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kSliding).aggregate(std::string("<"), add_or_0,
                                                                             {.name = "all", .store = "kept"}))
             .to("out");
       }},
      {"sliding windows longer than time",
       [](auto& b) {
         unwindowed(stream(b)
                        .group_by_key()
                        .windowed_by({.difference = std::chrono::hours(600'000), .grace = 0s})
                        .reduce(plus))
             .to("out");
       }},
      {"sliding windows that are told when they close",
       [](auto& b) { unwindowed(stream(b).group_by_key().windowed_by(kClosing).reduce(plus)).to("out"); }},
      {"filter of sliding windows",
       [](auto& b) {
         unwindowed(stream(b).group_by_key().windowed_by(kSliding).count().filter(is_even).map_values(text)).to("out");
       }},
      {"sliding windows held until they close",
       [](auto& b) {
         unwindowed(stream(b)
                        .group_by_key()
                        .windowed_by(kSliding)
                        .count()
                        .suppress(streams::Suppressed::until_window_closes())
                        .map_values(text))
             .to("out");
       }},
      {"group of sliding windows", [](auto& b) {
         out(stream(b)
                 .group_by_key()
                 .windowed_by(kSliding)
                 .count()
                 .group_by(
                     [](const Windowed<std::string>& key, int64_t n) { return std::pair(key.key, std::to_string(n)); })
                 .reduce(plus, minus));
       }}};
  return cases;
}

static void add_left(const std::string* v, std::string& all) { all += "L" + (v == nullptr ? "0" : *v); }
static void add_right(const std::string* v, std::string& all) { all += "R" + (v == nullptr ? "0" : *v); }
static auto both_groups(StreamsBuilder& b) {
  const auto left = stream(b).group_by_key();
  return left.cogroup<std::string>(add_left).cogroup(other_stream(b).group_by_key(), add_right);
}

const std::vector<Case>& cogroups() {
  static const std::vector<Case> cases = {
      {"cogroup", [](auto& b) { out(both_groups(b).aggregate(std::string("<"))); }},
      {"cogroup of one",
       [](auto& b) { out(stream(b).group_by_key().template cogroup<std::string>(add_left).aggregate(std::string())); }},
      {"cogroup with names",
       [](auto& b) { out(both_groups(b).aggregate(std::string(), {.name = "both", .store = "kept"}).filter(is_a)); }},
      {"cogroup of what was repartitioned",
       [](auto& b) {
         const auto left = stream(b).filter(any).group_by(first);
         out(left.template cogroup<std::string>(add_left)
                 .cogroup(other_stream(b).filter(any).group_by(first, {.name = "by-initial"}), add_right)
                 .aggregate(std::string()));
       }},
      {"cogroup in windows",
       [](auto& b) { unwindowed(both_groups(b).windowed_by(kWindows).aggregate(std::string())).to("out"); }},
      {"cogroup in sliding windows",
       [](auto& b) {
         unwindowed(both_groups(b).windowed_by(kSliding).aggregate(std::string(), {.name = "slid"})).to("out");
       }},
      {"cogroup in sessions",
       [](auto& b) {
         unsessioned(both_groups(b).windowed_by(kSessions).aggregate(std::string("<"), [](const std::string& a,
                                                                                          const std::string& o) {
           return a + "|" + o;
         })).to("out");
       }},
      {"group and join of a cogroup", [](auto& b) {
         const auto all = both_groups(b).aggregate(std::string("<"));
         stream(b).filter(any).left_join(all, join_null).to("out");
         out(all.group_by(initial).reduce(plus, minus));
       }}};
  return cases;
}

constexpr streams::WhenFull kEmit = streams::WhenFull::emit_early;

const std::vector<Case>& suppressions() {
  using streams::Suppressed;
  static const std::vector<Case> cases = {
      {"held for a time",
       [](auto& b) {
         const auto rows = table(b);
         out(rows.suppress(Suppressed::until_time_limit(2s)));
         out(rows.filter(is_a).suppress(Suppressed::until_time_limit(0s)));
       }},
      {"held while there is room",
       [](auto& b) {
         const auto counts = stream(b).group_by_key().count();
         out(counts.suppress(Suppressed::until_time_limit(20s, {.max_records = 1})).map_values(text));
         out(table(b).suppress(Suppressed::until_time_limit(1min, {.max_bytes = 150, .when_full = kEmit})));
       }},
      {"held until windows close",
       [](auto& b) {
         unwindowed(stream(b)
                        .group_by_key()
                        .windowed_by(kWindows)
                        .count()
                        .suppress(Suppressed::until_window_closes())
                        .map_values(text))
             .to("out");
       }},
      {"held under a name until mapped windows close",
       [](auto& b) {
         auto how = Suppressed::until_window_closes({.max_records = 1000});
         how.name = "held";
         unwindowed(stream(b)
                        .group_by_key()
                        .windowed_by(kWindows)
                        .reduce(join_null)
                        .filter(is_a)
                        .map_values([](const std::string& v) { return v + "m"; })
                        .suppress(how))
             .to("out");
       }},
      {"held until sessions close",
       [](auto& b) {
         unsessioned(stream(b)
                         .group_by_key()
                         .windowed_by(kSessions)
                         .count()
                         .suppress(Suppressed::until_window_closes())
                         .map_values(text))
             .to("out");
       }},
      {"held without a changelog",
       [](auto& b) { out(stored(b).suppress(Suppressed::until_time_limit(3s, {.logging = false}))); }},
      {"group of what was held",
       [](auto& b) { out(table(b).suppress(Suppressed::until_time_limit(3s)).group_by(initial).reduce(plus, minus)); }},
      {"filter of what was held",
       [](auto& b) { out(table(b).suppress(Suppressed::until_time_limit(3s)).filter(is_a)); }},
      {"joined with what was held", [](auto& b) {
         const auto held = table(b).suppress(Suppressed::until_time_limit(3s));
         stream(b).left_join(held, join_null).to("out");
         out(held.left_join(stream(b).group_by_key().count().map_values(text), join_null));
       }}};
  return cases;
}

}  // namespace muir::interop::topologies
