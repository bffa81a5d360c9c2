// Kafka's numbering: one counter for all names of a topology, drawn in the order of the calls. A given name mostly
// spends the index that it stands for, so that naming one operator leaves the others' names alone; the exceptions are
// Kafka's.
#include "streams/plan/logical.h"

namespace muir::streams::internal {
namespace {

// Kafka's "KSTREAM.*-[0-9]{10}": the prefix is a generated name, and the nodes get generated names too.
bool is_generated(const std::string& prefix) {
  constexpr size_t kDigits = 10;
  if (!prefix.starts_with("KSTREAM") || prefix.size() < 7 + 1 + kDigits) return false;
  const std::string digits = prefix.substr(prefix.size() - kDigits);
  return prefix[prefix.size() - kDigits - 1] == '-' && digits.find_first_not_of("0123456789") == std::string::npos;
}

std::string_view prefix_of(logical::Stateless::Kind kind) {
  switch (kind) {
    case logical::Stateless::filter: return "KSTREAM-FILTER-";
    case logical::Stateless::map: return "KSTREAM-MAP-";
    case logical::Stateless::map_values: return "KSTREAM-MAPVALUES-";
    case logical::Stateless::flat_map: return "KSTREAM-FLATMAP-";
    case logical::Stateless::flat_map_values: return "KSTREAM-FLATMAPVALUES-";
    case logical::Stateless::select_key: return "KSTREAM-KEY-SELECT-";
    case logical::Stateless::peek: return "KSTREAM-PEEK-";
    case logical::Stateless::for_each: return "KSTREAM-FOREACH-";
    case logical::Stateless::print: return "KSTREAM-PRINTER-";
  }
  return {};
}

class Draw {
 public:
  Draw(LogicalPlan& plan, Known& added) : plan_(plan), added_(added), names_(added.names), given_(added.given.name) {}

  void operator()(const logical::Source& source) {
    const std::string name = name_or(given_, "KSTREAM-SOURCE-");
    const bool first = added_.same_source == plan_.operators.size();
    names_.node = first ? name : source_name(plan_.operators[added_.same_source]);
    (void)source;
  }
  void operator()(const logical::TableSource& table) {
    names_.store = store_or(table.store, table.source.topics.front() + "-STATE-STORE-");
    names_.source = name_or(given_.empty() ? given_ : given_ + "-source", "KSTREAM-SOURCE-");
    names_.node = name_or(given_, "KTABLE-SOURCE-");
  }
  void operator()(const logical::GlobalTable& table) {
    names_.store = store_or(table.store, table.source.topics.front() + "-STATE-STORE-");
    names_.source = generate("KSTREAM-SOURCE-");
    names_.node = name_or(given_, "KTABLE-SOURCE-");
  }
  void operator()(const logical::Stateless& stateless) { names_.node = name_or(given_, prefix_of(stateless.kind)); }
  void operator()(const logical::Split&) { names_.node = name_or(given_, "KSTREAM-BRANCH-"); }
  void operator()(const logical::Branch& branch) {
    spend(1);  // a branch spends an index, whatever it is called
    const std::string own = !given_.empty() ? given_ : branch.holds ? std::to_string(position()) : "0";
    names_.node = plan_.input(added_).names.node + own;
  }
  void operator()(const logical::Merge&) { names_.node = name_or(given_, "KSTREAM-MERGE-"); }
  void operator()(const logical::Repartition&) {
    repartition(given_.empty() ? generate("KSTREAM-REPARTITION-") : given_);
    names_.node = names_.repartition.source;
  }
  void operator()(const logical::Sink&) { names_.node = name_or(given_, "KSTREAM-SINK-"); }
  void operator()(const logical::Process& process) {
    // A name given here spends no index.
    names_.node =
        !given_.empty() ? given_ : generate(process.fixed_key ? "KSTREAM-PROCESSVALUES-" : "KSTREAM-PROCESSOR-");
  }
  void operator()(const logical::ToTable& table) {
    names_.node = name_or(given_, "KSTREAM-TOTABLE-");
    names_.store = store_or(table.store, "KSTREAM-TOTABLE-STATE-STORE-");
    if (plan_.input(added_).rekeyed) repartition(names_.node);
  }
  void operator()(const logical::TableFilter& filter) {
    names_.node = name_or(given_, "KTABLE-FILTER-");
    names_.store = filter.store.name;
  }
  void operator()(const logical::TableMapValues& map) {
    names_.node = name_or(given_, "KTABLE-MAPVALUES-");
    names_.store = map.store.name;
  }
  // A name given here spends no index.
  void operator()(const logical::Suppress&) {
    names_.node = given_.empty() ? generate("KTABLE-SUPPRESS-") : given_;
    names_.store = given_.empty() ? generate("KTABLE-SUPPRESS-STATE-STORE-") : given_ + "-store";
  }
  void operator()(const logical::ToStream&) { names_.node = name_or(given_, "KTABLE-TOSTREAM-"); }
  // No node of its own; its name serves the aggregations.
  void operator()(const logical::Group&) { names_.node = plan_.input(added_).names.node; }
  void operator()(const logical::TableGroup&) { names_.node = name_or(given_, "KTABLE-SELECT-"); }

  void operator()(const logical::Aggregate& aggregate) {
    const std::string prefix =
        aggregate.kind == logical::AggregateKind::reduce ? "KSTREAM-REDUCE-" : "KSTREAM-AGGREGATE-";
    if (aggregate.spends_index && aggregate.store.name.empty()) spend(1);
    names_.store = store_or(aggregate.store, prefix + "STATE-STORE-");
    names_.node = name_or(given_, prefix);
    const Known& group = plan_.input(added_);
    if (!group.rekeyed) return;
    if (added_.shares_topic_of) {
      spend(3);
    } else {
      repartition(group.given.name.empty() ? names_.store : group.given.name);
    }
  }
  void operator()(const logical::Cogroup& cogroup) {
    const std::string prefix = "COGROUPKSTREAM-AGGREGATE-";
    names_.store = store_or(cogroup.as.store, prefix + "STATE-STORE-");
    const size_t groups = added_.given.inputs.size();
    names_.repartition_groups.resize(groups);
    for (size_t i = 0; i < groups; ++i) {
      const Known& group = plan_.input(added_, i);
      if (!group.rekeyed) continue;
      repartition(group.given.name.empty() ? names_.store : group.given.name, names_.repartition_groups[i]);
    }
    for (size_t i = 0; i < groups; ++i)
      names_.groups.push_back(name_or(given_.empty() ? given_ : fmt::format("{}-cogroup-agg-{}", given_, i), prefix));
    names_.node = name_or(given_.empty() ? given_ : given_ + "-cogroup-merge", "COGROUPKSTREAM-MERGE-");
  }
  void operator()(const logical::TableAggregate& aggregate) {
    names_.store = store_or(aggregate.store, "KTABLE-AGGREGATE-STATE-STORE-");  // also for reduce
    const auto suffixed = [&](const char* suffix) { return given_.empty() ? given_ : given_ + suffix; };
    RepartitionNames topic{.sink = name_or(suffixed("-sink"), "KSTREAM-SINK-"),
                           .source = name_or(suffixed("-source"), "KSTREAM-SOURCE-")};
    names_.node =
        name_or(given_, aggregate.kind == logical::AggregateKind::reduce ? "KTABLE-REDUCE-" : "KTABLE-AGGREGATE-");
    if (added_.shares_topic_of) return;
    const std::string& group = plan_.input(added_).given.name;
    topic.topic = (group.empty() ? names_.store : group) + "-repartition";
    names_.repartition = std::move(topic);
  }
  void operator()(const logical::TableJoin& join) {
    const Known& stream = plan_.input(added_);
    if (stream.rekeyed) repartition(given_.empty() ? stream.names.node : given_);
    names_.node = name_or(given_, join.left ? "KSTREAM-LEFTJOIN-" : "KSTREAM-JOIN-");
    if (join.grace) names_.store = names_.node + "-Buffer";
  }
  void operator()(const logical::StreamJoin& join) {
    const auto suffixed = [&](const char* suffix) { return given_.empty() ? given_ : given_ + suffix; };
    const bool left_outer = join.kind != logical::JoinKind::inner;
    const bool right_outer = join.kind == logical::JoinKind::outer;
    const auto before = [&](const Known& side, const char* suffix, RepartitionNames& names) {
      if (side.rekeyed) repartition(given_.empty() ? side.names.node : suffixed(suffix), names);
    };
    before(plan_.input(added_), "-left", names_.repartition);
    before(plan_.input(added_, 1), "-right", names_.repartition_right);
    names_.window_left = name_or(suffixed("-this-windowed"), "KSTREAM-WINDOWED-");
    names_.window_right = name_or(suffixed("-other-windowed"), "KSTREAM-WINDOWED-");
    // The stores are called after the generated names, also where the operator has one.
    const std::string shared = fmt::format("KSTREAM-OUTERSHARED-{:010}", plan_.next_index);
    const std::string left = generate(right_outer ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-");
    const std::string right = generate(left_outer ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-");
    const char* this_suffix = right_outer ? "-outer-this-join" : "-this-join";
    const char* other_suffix = left_outer ? "-outer-other-join" : "-other-join";
    names_.join_left = given_.empty() ? left : given_ + this_suffix;
    names_.join_right = given_.empty() ? right : given_ + other_suffix;
    names_.node = name_or(suffixed("-merge"), "KSTREAM-MERGE-");
    const std::string& base = join.store.name;
    names_.store_left = (base.empty() ? left : base + this_suffix) + "-store";
    names_.store_right = (base.empty() ? right : base + other_suffix) + "-store";
    if (!left_outer) return;
    names_.store =
        (base.empty() ? shared : base + (right_outer ? "-outer-shared-join" : "-left-shared-join")) + "-store";
  }
  void operator()(const logical::TableTableJoin& join) {
    const auto suffixed = [&](const char* suffix) { return given_.empty() ? given_ : given_ + suffix; };
    names_.node = name_or(given_, "KTABLE-MERGE-");
    names_.join_left = name_or(suffixed("-join-this"), "KTABLE-JOINTHIS-");
    names_.join_right = name_or(suffixed("-join-other"), "KTABLE-JOINOTHER-");
    names_.store = join.store.name;
  }
  void operator()(const logical::ForeignKeyJoin& join) {
    const auto name = [&](const char* suffix, const char* prefix) {
      return name_or(given_.empty() ? given_ : given_ + suffix, prefix);
    };
    const char* processor = "KTABLE-FK-JOIN-SUBSCRIPTION-PROCESSOR-";
    const char* registration = "KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-";
    const char* response = "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-";
    ForeignKeyNames& names = names_.foreign_key;
    names.registration_topic = name("-subscription-registration", registration) + "-topic";
    names.registration = name("-subscription-registration-processor", registration);
    names.registration_sink = name("-subscription-registration-sink", "KTABLE-SINK-");
    names.registration_source = name("-subscription-registration-source", "KTABLE-SOURCE-");
    names.subscriptions = name("-subscription-store", "KTABLE-FK-JOIN-SUBSCRIPTION-STATE-STORE-");
    names.receive = name("-subscription-receive", processor);
    names.answer = name("-subscription-join-foreign", processor);
    names.answer_all = name("-foreign-join-subscription", processor);
    names.response_topic = name("-subscription-response", response) + "-topic";
    names.response_sink = name("-subscription-response-sink", "KTABLE-SINK-");
    names.response_source = name("-subscription-response-source", "KTABLE-SOURCE-");
    names.resolver =
        name("-subscription-response-resolver", "KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-");
    names_.node = name("-result", "KTABLE-FK-JOIN-OUTPUT-");
    names_.store = store_or(join.store, "KTABLE-FK-JOIN-OUTPUT-STATE-STORE-");
  }
  // Kafka calls the inner join's node LEFTJOIN too.
  void operator()(const logical::GlobalJoin&) { names_.node = name_or(given_, "KSTREAM-LEFTJOIN-"); }

 private:
  // "<prefix><next index, ten digits>".
  std::string generate(std::string_view prefix) { return fmt::format("{}{:010}", prefix, plan_.next_index++); }
  void spend(int indices) { plan_.next_index += indices; }
  // The index is spent also when a name is given.
  std::string name_or(const std::string& name, std::string_view prefix) {
    std::string generated = generate(prefix);
    return name.empty() ? generated : name;
  }
  // A store's name given spends none.
  std::string store_or(const StoreSettings& store, const std::string& prefix) {
    return store.name.empty() ? generate(prefix) : store.name;
  }
  // All three indices are spent, whether the generated names are used or not.
  void repartition(const std::string& prefix) { repartition(prefix, names_.repartition); }
  void repartition(const std::string& prefix, RepartitionNames& names) {
    names.topic = prefix.ends_with("-repartition") ? prefix : prefix + "-repartition";
    names.sink = generate("KSTREAM-SINK-");
    names.filter = generate("KSTREAM-FILTER-");
    names.source = generate("KSTREAM-SOURCE-");
    if (is_generated(prefix)) return;
    names.sink = names.topic + "-sink";
    names.filter = names.topic + "-filter";
    names.source = names.topic + "-source";
  }
  // Of a branch among those of its splitter, from 1.
  [[nodiscard]] size_t position() const {
    size_t before = 0;
    for (const Known& other : plan_.operators) {
      const auto* branch = std::get_if<logical::Branch>(&other.given.kind);
      if (branch != nullptr && branch->holds && other.given.inputs == added_.given.inputs) ++before;
    }
    return before + 1;
  }
  static const std::string& source_name(const Known& of) {
    return of.names.source.empty() ? of.names.node : of.names.source;
  }

  LogicalPlan& plan_;
  Known& added_;
  Names& names_;
  const std::string& given_;
};

}  // namespace

void draw_names(LogicalPlan& plan, Known& added) { std::visit(Draw(plan, added), added.given.kind); }

}  // namespace muir::streams::internal
