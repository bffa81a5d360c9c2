// The types and serdes of what operators yield, keep and write: a serde named by options, else the one that came down
// with the rows, else that of the type.
#include <typeinfo>

#include "streams/plan/logical.h"

namespace muir::streams::internal {
namespace {

class Derive {
 public:
  Derive(LogicalPlan& plan, Known& added) : plan_(plan), added_(added), given_(added.given) {}

  void operator()(const logical::Source& source) {
    added_.wire = added_.out =
        chosen(given_.yields, given_.serdes, {}, source.topics.empty() ? "stream" : "topic " + source.topics.front());
    merge(source);
  }
  void operator()(const logical::TableSource& table) {
    added_.wire = chosen(given_.yields, table.read, {}, "topic " + table.source.topics.front());
    added_.stored = added_.out =
        chosen(given_.yields, given_.serdes, {added_.wire.key.serde, added_.wire.value.serde}, added_.names.store);
    merge(table.source);
  }
  // The store is filled with the topic's own bytes.
  void operator()(const logical::GlobalTable& table) {
    added_.wire = added_.stored = added_.out =
        chosen(given_.yields, given_.serdes, {}, "topic " + table.source.topics.front());
  }
  void operator()(const logical::Stateless&) { pass_on(); }
  void operator()(const logical::Split&) { pass_all(); }
  void operator()(const logical::Branch&) { pass_all(); }
  void operator()(const logical::Merge&) {
    pass_all();
    const Known& other = plan_.input(added_, 1);
    added_.rekeyed = added_.rekeyed || other.rekeyed;
    check(other, {added_.out.key.type, added_.out.value.type});
  }
  void operator()(const logical::Repartition&) { repartitioned(added_.names.node); }
  void operator()(const logical::Sink&) {
    const TypedPair& in = input().out;
    added_.wire = chosen(types(in), given_.serdes, serdes(in), added_.names.node);
  }
  void operator()(const logical::Process&) { pass_on(); }
  void operator()(const logical::ToTable&) {
    const TypedPair& in = input().out;
    if (input().rekeyed) added_.wire = chosen(types(in), given_.serdes, serdes(in), added_.names.node);
    added_.stored = added_.out = chosen(types(in), given_.serdes, serdes(in), added_.names.node);
  }
  void operator()(const logical::TableFilter& filter) {
    pass_all();
    kept(filter.store);
  }
  void operator()(const logical::TableMapValues& map) {
    pass_on();
    keepable(added_.out.value.type);
    kept(map.store);
  }
  // In a store, if it is named.
  void kept(const StoreSettings& store) {
    if (!store.name.empty())
      added_.stored = added_.out = chosen(types(added_.out), given_.serdes, serdes(added_.out), added_.names.store);
  }
  void operator()(const logical::Suppress&) {
    const TypedPair& in = input().out;
    added_.stored = added_.out = chosen(types(in), {}, serdes(in), added_.names.node);
    added_.rekeyed = input().rekeyed;
  }
  void operator()(const logical::ToStream&) { pass_all(); }
  void operator()(const logical::Group&) {
    added_.out = input().out;
    added_.rekeyed = input().rekeyed;
  }
  void operator()(const logical::TableGroup&) {
    pass_on();
    keepable(added_.out.value.type);
  }

  void operator()(const logical::Aggregate& aggregate) {
    const Known& group = input();
    TypedPair from = group.out;
    if (group.rekeyed) {
      const std::string& name = group.given.name.empty() ? added_.names.store : group.given.name;
      from = added_.wire = chosen(types(group.out), group.given.serdes, serdes(group.out), name);
    }
    const SharedSerde value = aggregate.kind == logical::AggregateKind::reduce
                                  ? first({group.given.serdes.value, group.out.value.serde})
                                  : nullptr;
    added_.stored = chosen({from.key.type, given_.yields.value}, given_.serdes,
                           {first({group.given.serdes.key, from.key.serde}), value}, added_.names.store);
    keepable(added_.stored.key.type);
    added_.out = added_.stored;
    window_keys(aggregate);
  }
  void operator()(const logical::Cogroup& cogroup) {
    for (size_t i = 0; i < given_.inputs.size(); ++i) {
      const Known& group = plan_.input(added_, i);
      const std::string& name = group.given.name.empty() ? added_.names.store : group.given.name;
      added_.groups.push_back(group.rekeyed ? chosen(types(group.out), group.given.serdes, serdes(group.out), name)
                                            : group.out);
      check(group, cogroup.takes[i]);
    }
    added_.stored =
        chosen({added_.groups.front().key.type, given_.yields.value}, given_.serdes,
               {first({input().given.serdes.key, added_.groups.front().key.serde}), nullptr}, added_.names.store);
    added_.out = added_.stored;
    window_keys(cogroup.as);
  }
  void window_keys(const logical::Aggregate& aggregate) {
    if (!aggregate.by_window()) return;
    SharedSerde& key = added_.out.key.serde;
    if (key && aggregate.sessions) {
      key = std::make_shared<SessionWindowedSerde>(key, aggregate.windowed.ops);
    } else if (key) {
      const int64_t size_ms = aggregate.sliding ? aggregate.sliding->difference.count() : aggregate.windows->size_ms();
      key = std::make_shared<WindowedSerde>(key, aggregate.windowed.ops, size_ms);
    }
    added_.out.key.type = aggregate.windowed.type;
  }
  void operator()(const logical::TableAggregate& aggregate) {
    const Known& group = input();
    const bool reduces = aggregate.kind == logical::AggregateKind::reduce;
    added_.wire = chosen(types(group.out), group.given.serdes, {}, added_.names.store + " group");
    added_.stored = added_.out =
        chosen({group.out.key.type, given_.yields.value}, given_.serdes,
               {added_.wire.key.serde, reduces ? group.given.serdes.value : nullptr}, added_.names.store);
  }
  void operator()(const logical::TableJoin& join) {
    const Known& from = input();
    if (from.rekeyed)
      added_.wire = chosen(types(from.out), given_.serdes, serdes(from.out), added_.names.repartition.topic);
    added_.out.key = from.rekeyed ? added_.wire.key : from.out.key;
    added_.out.value.type = given_.yields.value;
    if (join.grace) added_.stored = chosen(types(from.out), given_.serdes, serdes(from.out), added_.names.store);
    check(plan_.input(added_, 1), join.table);
  }
  void operator()(const logical::GlobalJoin& join) {
    added_.out = {.key = input().out.key, .value = {given_.yields.value, nullptr}};
    added_.rekeyed = input().rekeyed;
    check(plan_.input(added_, 1), join.table);
  }

  void operator()(const logical::StreamJoin& join) {
    const Known& left = input();
    const Known& right = plan_.input(added_, 1);
    check(right, join.right);
    added_.stored = added_.wire =
        chosen(types(left.out), given_.serdes, serdes(left.out), "left side of " + added_.names.node);
    added_.right = chosen(types(right.out), {given_.serdes.key, join.right_value}, serdes(right.out),
                          "right side of " + added_.names.node);
    added_.out = {.key = added_.stored.key, .value = {given_.yields.value, nullptr}};
    keepable(added_.out.value.type);
  }
  void operator()(const logical::TableTableJoin& join) {
    const TypedPair& left = input().out;
    check(plan_.input(added_, 1), join.right);
    added_.out = {.key = left.key, .value = {given_.yields.value, given_.serdes.value}};
    keepable(added_.out.value.type);
    if (join.store.name.empty()) return;
    added_.stored = added_.out =
        chosen({left.key.type, given_.yields.value}, given_.serdes, {left.key.serde, nullptr}, added_.names.store);
  }

  void operator()(const logical::ForeignKeyJoin& join) {
    const Known& right = plan_.input(added_, 1);
    check(right, join.right);
    added_.wire = chosen(types(input().out), {}, serdes(input().out), "left side of " + added_.names.node);
    added_.right = chosen(types(right.out), {}, serdes(right.out), "right side of " + added_.names.node);
    added_.out = {.key = added_.wire.key, .value = {given_.yields.value, given_.serdes.value}};
    if (given_.serdes.key) added_.out.key.serde = given_.serdes.key;
    keepable(added_.out.value.type);
    if (!join.store.name.empty())
      added_.out = chosen({added_.out.key.type, given_.yields.value}, given_.serdes, {added_.wire.key.serde, nullptr},
                          added_.names.store);
    added_.stored = added_.out;
    // Whether there is a store is decided later; should the type have no serde, that is a mistake only then.
    const ObjectType* value = added_.stored.value.type;
    if (!added_.stored.value.serde && value != nullptr && value->default_serde != nullptr)
      added_.stored.value.serde = value->default_serde(*value);
  }

  void operator()(LogicalStore& store, const std::string& name) {
    const TypedPair typed = chosen(store.types, store.serdes, {}, name);
    store.serdes = {typed.key.serde, typed.value.serde};
  }

  // A pair of the types asked for is what the input yields.
  void check(const Known& input, TypePair takes) {
    if (same(takes.key, input.out.key.type) && same(takes.value, input.out.value.type)) return;
    plan_.report(error(Code::invalid_argument, "topology: {} takes rows of ({}, {}), and {} yields ({}, {})",
                       added_.names.node, name(takes.key), name(takes.value), input.names.node,
                       name(input.out.key.type), name(input.out.value.type)));
  }

 private:
  [[nodiscard]] const Known& input() const { return plan_.input(added_); }
  static TypePair types(const TypedPair& pair) { return {pair.key.type, pair.value.type}; }
  static SerdePair serdes(const TypedPair& pair) { return {pair.key.serde, pair.value.serde}; }
  static bool same(const ObjectType* wanted, const ObjectType* given) { return wanted == nullptr || wanted == given; }
  static std::string_view name(const ObjectType* type) { return type == nullptr ? "anything" : type->name; }
  static SharedSerde first(std::initializer_list<SharedSerde> of) {
    for (const SharedSerde& serde : of) {
      if (serde) return serde;
    }
    return nullptr;
  }

  void pass_all() {
    added_.out = input().out;
    added_.rekeyed = input().rekeyed;
  }
  void pass_on() {
    const TypedPair& in = input().out;
    const bool keeps_key = given_.keeps == Keeps::key || given_.keeps == Keeps::both;
    const bool keeps_value = given_.keeps == Keeps::value || given_.keeps == Keeps::both;
    added_.out.key = keeps_key ? in.key : TypedSerde{given_.yields.key, nullptr};
    added_.out.value = keeps_value ? in.value : TypedSerde{given_.yields.value, nullptr};
    added_.rekeyed = !keeps_key || input().rekeyed;
  }
  void repartitioned(const std::string& what) {
    const TypedPair& in = input().out;
    added_.wire = added_.out = chosen(types(in), given_.serdes, serdes(in), what);
  }
  void merge(const logical::Source& source) {
    if (source.topics.empty()) return;
    const Known& same = added_.same_source == plan_.operators.size() ? added_ : plan_.operators[added_.same_source];
    if (types(same.wire).key == given_.yields.key && types(same.wire).value == given_.yields.value) {
      if (&same != &added_) check_shared(source, same);
      return;
    }
    plan_.report(error(Code::invalid_argument,
                       "topology: topic {} is read with two different types, ({}, {}) and ({}, {})",
                       source.topics.front(), name(same.wire.key.type), name(same.wire.value.type),
                       name(given_.yields.key), name(given_.yields.value)));
  }

  // One source reads the topic for both: the settings of the second would be lost.
  void check_shared(const logical::Source& source, const Known& first) {
    const logical::Source& other = *source_of(first);
    const auto refuse = [&](std::string_view what) {
      plan_.report(error(Code::invalid_argument,
                         "topology: topic {} is read twice with different {}; read it once and use the stream twice, "
                         "or give both the same",
                         source.topics.front(), what));
    };
    if (source.reset != other.reset) refuse("offset resets");
    if (source.invalid_timestamp != other.invalid_timestamp) refuse("rules for invalid timestamps");
    if (static_cast<bool>(source.timestamp) != static_cast<bool>(other.timestamp)) refuse("timestamp extractors");
    if (other_bytes(added_.wire.key.serde, first.wire.key.serde)) refuse("serdes of the key");
    if (other_bytes(added_.wire.value.serde, first.wire.value.serde)) refuse("serdes of the value");
  }
  // As far as can be told: two serdes of one kind may have settings of their own.
  static bool other_bytes(const SharedSerde& a, const SharedSerde& b) {
    if (!a || !b) return false;
    const ErasedSerde& one = *a;
    const ErasedSerde& other = *b;
    return typeid(one) != typeid(other);
  }

  TypedPair chosen(TypePair types, const SerdePair& options, const SerdePair& inherited, const std::string& what) {
    return {choose(types.key, options.key, inherited.key, what + " key"),
            choose(types.value, options.value, inherited.value, what + " value")};
  }
  TypedSerde choose(const ObjectType* type, const SharedSerde& option, const SharedSerde& inherited,
                    const std::string& what) {
    if (type == nullptr) {
      plan_.report(error(Code::invalid_argument, "topology: {} has no type", what));
      return {};
    }
    keepable(type);
    if (option) return {type, option};
    if (inherited) return {type, inherited};
    if (type->default_serde != nullptr) return {type, type->default_serde(*type)};
    plan_.report(error(Code::invalid_argument,
                       "topology: no serde for {}: name one in its options, specialise muir::serde<T> or write "
                       "describe(Fields&, T&)",
                       what));
    return {type, nullptr};
  }
  void keepable(const ObjectType* type) {
    if (type == nullptr || (type->create != nullptr && type->assign != nullptr)) return;
    plan_.report(error(Code::invalid_argument,
                       "topology: {}: {} is written to topics or stores and needs a default constructor and "
                       "assignment",
                       added_.names.node, type->name));
  }

  LogicalPlan& plan_;
  Known& added_;
  const Operator& given_;
};

}  // namespace

void derive_types(LogicalPlan& plan, Known& added) {
  Derive derive(plan, added);
  if (!added.given.inputs.empty()) derive.check(plan.input(added), added.given.takes);
  std::visit(derive, added.given.kind);
}

void derive_types(LogicalPlan& plan, LogicalStore& added) {
  if (!added.supplier) {
    plan.report(error(Code::invalid_argument, "topology: a state store has no supplier"));
    return;
  }
  // A store of bytes: what they mean is its own affair.
  if (added.types.key == nullptr && added.types.value == nullptr) return;
  Known store;
  store.names.node = "state store";
  Derive derive(plan, store);
  derive(added, added.supplier->name());
}

}  // namespace muir::streams::internal
