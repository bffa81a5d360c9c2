#include <chrono>

#include "timelines.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;

Text one_or_both(const Text* left, const Text* right) {
  return (left == nullptr ? Text("-") : *left) + (right == nullptr ? Text("-") : *right);
}
Text maybe_right(const Text& left, const Text* right) { return one_or_both(&left, right); }

enum class Kind { inner, left, outer };

Result<Topology> stream_stream(Kind kind) {
  const JoinWindows windows{.before = 5ms, .after = 5ms, .grace = 5ms};
  StreamsBuilder builder;
  const auto left = builder.stream<Text, Text>("left");
  const auto right = builder.stream<Text, Text>("right");
  switch (kind) {
    case Kind::inner: left.join(right, plus, windows).to("out"); break;
    case Kind::left: left.left_join(right, maybe_right, windows).to("out"); break;
    case Kind::outer: left.outer_join(right, one_or_both, windows).to("out"); break;
  }
  return builder.build();
}

Result<Topology> one_sided() {
  StreamsBuilder builder;
  const auto right = builder.stream<Text, Text>("right");
  builder.stream<Text, Text>("left")
      .join(right, plus, JoinWindows{.before = 0ms, .after = 10ms, .grace = 0ms})
      .to("out");
  return builder.build();
}

Result<Topology> stream_table(Kind kind) {
  StreamsBuilder builder;
  const auto table = builder.table<Text, Text>("table");
  const auto stream = builder.stream<Text, Text>("stream");
  (kind == Kind::inner ? stream.join(table, plus) : stream.left_join(table, maybe_right)).to("out");
  return builder.build();
}

Result<Topology> stream_global() {
  StreamsBuilder builder;
  const auto table = builder.global_table<Text, Text>("table");
  builder.stream<Text, Text>("stream")
      .join(
          table, [](const Text& value) { return value; }, plus)
      .to("out");
  return builder.build();
}

Result<Topology> table_table(Kind kind) {
  StreamsBuilder builder;
  const auto left = builder.table<Text, Text>("left");
  const auto right = builder.table<Text, Text>("right");
  switch (kind) {
    case Kind::inner: left.join(right, plus).to_stream().to("out"); break;
    case Kind::left: left.left_join(right, maybe_right).to_stream().to("out"); break;
    case Kind::outer: left.outer_join(right, one_or_both).to_stream().to("out"); break;
  }
  return builder.build();
}

// An order is "amount,customer".
Text customer_of(const Text& order) { return order.substr(order.find(',') + 1); }

Result<Topology> foreign_key(Kind kind) {
  StreamsBuilder builder;
  const auto orders = builder.table<Text, Text>("orders");
  const auto customers = builder.table<Text, Text>("customers");
  const auto amount = [](const Text& order) { return order.substr(0, order.find(',')); };
  if (kind == Kind::inner) {
    orders
        .join(customers, customer_of,
              [amount](const Text& order, const Text& customer) { return amount(order) + "/" + customer; })
        .to_stream()
        .to("out");
  } else {
    orders
        .left_join(customers, customer_of,
                   [amount](const Text& order, const Text* customer) {
                     return amount(order) + "/" + (customer == nullptr ? "-" : *customer);
                   })
        .to_stream()
        .to("out");
  }
  return builder.build();
}

}  // namespace

void add_joins(Timelines& out) {
  out.emplace("stream-stream", stream_stream(Kind::inner));
  out.emplace("stream-stream-left", stream_stream(Kind::left));
  out.emplace("stream-stream-outer", stream_stream(Kind::outer));
  out.emplace("stream-stream-after", one_sided());
  out.emplace("stream-table", stream_table(Kind::inner));
  out.emplace("stream-table-left", stream_table(Kind::left));
  out.emplace("stream-global-table", stream_global());
  out.emplace("table-table", table_table(Kind::inner));
  out.emplace("table-table-left", table_table(Kind::left));
  out.emplace("table-table-outer", table_table(Kind::outer));
  out.emplace("foreign-key", foreign_key(Kind::inner));
  out.emplace("foreign-key-left", foreign_key(Kind::left));
}

}  // namespace muir::streams
