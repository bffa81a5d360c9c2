// Order processing: what shops do with a stream of orders, in one topology.
//
//   orders ─► valid? ─ no ─► orders-refused
//               │ yes
//               ▼
//         joined with users ─► orders-enriched
//               ├─► premium, 10 % off ─► orders-premium        ├─► per product and hour ─► orders-per-hour
//               └─► standard ──────────► orders-standard       ├─► per country, 5 min by 1 min ─► revenue
//                                                              └─► per user, 30 min sessions ─► order-sessions
//
//   muir broker & orders localhost:9092 &
//   echo 'ann:{"country":"PL","tier":"premium"}' | kcat -b localhost:9092 -P -t users -K:
//   echo 'o1:{"user":"ann","product":"tea","quantity":2,"unit_cents":995}' | kcat -b localhost:9092 -P -t orders -K:
//   kcat -b localhost:9092 -C -t orders-premium -K:
#include "orders/orders.h"

#include <string>
#include <utility>

#include "orders/order_types.h"
#include "streams/dsl.h"

namespace orders {

using namespace std::chrono_literals;
using muir::streams::EmitStrategy;
using muir::streams::KStream;
using muir::streams::SessionWindows;
using muir::streams::Windowed;
using Enriched = KStream<std::string, EnrichedOrder>;

namespace {

// Why an order is refused; empty: it is not. With these limits no sum below can overflow.
std::string fault(const Order& order) {
  if (order.user.empty()) return "no user";
  if (order.product.empty()) return "no product";
  if (order.quantity < 1 || order.quantity > 1'000) return "quantity not within 1 and 1000";
  if (order.unit_cents < 1 || order.unit_cents > 10'000'000) return "price not within 1 and 10000000 cents";
  return "";
}

// Premium users pay 10 % less, the discount rounded to whole cents, halves up. A user whom the table does not know is a
// standard one.
EnrichedOrder enrich(const Order& order, const User* user) {
  EnrichedOrder out{.product = order.product, .quantity = order.quantity, .country = "unknown"};
  if (user != nullptr) {
    out.country = user->country;
    out.tier = user->tier;
  }
  out.total_cents = order.quantity * order.unit_cents;
  if (out.tier == Tier::premium) out.discount_cents = (out.total_cents + 5) / 10;
  out.to_pay_cents = out.total_cents - out.discount_cents;
  return out;
}

void count_by_hour(const Enriched& orders) {
  orders.group_by([](const EnrichedOrder& order) { return order.product; }, {.name = "by-product"})
      .windowed_by({.size = 1h, .grace = 10min})
      .count({.store = "orders-per-hour"})
      .to_stream()
      .map([](const Windowed<std::string>& product, int64_t count) {
        return std::pair(product.key, HourlyCount{product.window.start_ms, count});
      })
      .to("orders-per-hour");
}

// Told once per window, when it is over.
void sum_revenue(const Enriched& orders) {
  orders.group_by([](const EnrichedOrder& order) { return order.country; }, {.name = "by-country"})
      .windowed_by({.size = 5min, .advance = 1min, .grace = 1min, .emit = EmitStrategy::on_window_close})
      .aggregate(int64_t{0}, [](const EnrichedOrder& order, int64_t sum) { return sum + order.to_pay_cents; },
                 {.store = "revenue"})
      .to_stream()
      .map([](const Windowed<std::string>& country, int64_t cents) {
        return std::pair(country.key, Revenue{country.window.start_ms, country.window.end_ms, cents});
      })
      .to("revenue");
}

// Told once per session, when no order can belong to it any more.
void find_sessions(const Enriched& orders) {
  orders.group_by_key()
      .windowed_by(SessionWindows{.gap = 30min, .grace = 5min, .emit = EmitStrategy::on_window_close})
      .aggregate(
          Spending{},
          [](const EnrichedOrder& order, Spending& sum) {
            ++sum.orders;
            sum.cents += order.to_pay_cents;
          },
          [](const Spending& a, const Spending& b) {
            return Spending{a.orders + b.orders, a.cents + b.cents};
          },
          {.store = "order-sessions"})
      .to_stream()
      .map([](const Windowed<std::string>& user, const Spending& sum) {
        return std::pair(user.key, Session{user.window.start_ms, user.window.end_ms, sum.orders, sum.cents});
      })
      .to("order-sessions");
}

}  // namespace

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  const auto users = builder.table<std::string, User>("users");
  const auto incoming = builder.stream<std::string, Order>("orders")
                            .split({.name = "order-"})
                            .branch([](const Order& order) { return fault(order).empty(); }, {.name = "valid"})
                            .default_branch({.name = "refused"});  // those without value are here, too
  incoming["order-refused"]
      .map_values([](const Order* order) {
        return order == nullptr ? Refusal{"no value", {}} : Refusal{fault(*order), *order};
      })
      .to("orders-refused");

  const auto enriched = incoming["order-valid"]
                            .select_key([](const Order& order) { return order.user; })
                            .left_join(users, enrich, {.name = "by-user"});
  enriched.to("orders-enriched");
  const auto tiers = enriched.split({.name = "tier-"})
                         .branch([](const EnrichedOrder& o) { return o.tier == Tier::premium; }, {.name = "premium"})
                         .default_branch({.name = "standard"});
  tiers["tier-premium"].to("orders-premium");
  tiers["tier-standard"].to("orders-standard");
  count_by_hour(enriched);
  sum_revenue(enriched);
  find_sessions(enriched);
  return builder.build();
}

}  // namespace orders
