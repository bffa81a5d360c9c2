// What the topics of the order processing hold, all as JSON. Money is in cents.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "serde/json_serde.h"

namespace orders {

struct Order {  // key: the order's id
  std::string user;
  std::string product;
  int64_t quantity = 0;
  int64_t unit_cents = 0;
};
inline void describe(muir::Fields& f, Order& o) {
  f("user", o.user)("product", o.product)("quantity", o.quantity)("unit_cents", o.unit_cents);
}

struct Refusal {  // key: the order's id
  std::string reason;
  std::optional<Order> order{};
};
inline void describe(muir::Fields& f, Refusal& r) { f("reason", r.reason)("order", r.order); }

enum class Tier : unsigned char { standard, premium };
inline void describe(muir::Symbols<Tier>& s) { s("standard", Tier::standard)("premium", Tier::premium); }

struct User {  // key: the user
  std::string country;
  Tier tier = Tier::standard;
};
inline void describe(muir::Fields& f, User& u) { f("country", u.country)("tier", u.tier); }

struct EnrichedOrder {  // key: the user
  std::string product;
  int64_t quantity = 0;
  std::string country;
  Tier tier = Tier::standard;
  int64_t total_cents = 0;
  int64_t discount_cents = 0;
  int64_t to_pay_cents = 0;
};
inline void describe(muir::Fields& f, EnrichedOrder& o) {
  f("product", o.product)("quantity", o.quantity)("country", o.country)("tier", o.tier);
  f("total_cents", o.total_cents)("discount_cents", o.discount_cents)("to_pay_cents", o.to_pay_cents);
}

struct HourlyCount {  // key: the product
  int64_t hour_ms = 0;
  int64_t orders = 0;
};
inline void describe(muir::Fields& f, HourlyCount& c) { f("hour_ms", c.hour_ms)("orders", c.orders); }

struct Revenue {  // key: the country
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Revenue& r) { f("from_ms", r.from_ms)("to_ms", r.to_ms)("cents", r.cents); }

struct Spending {
  int64_t orders = 0;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Spending& s) { f("orders", s.orders)("cents", s.cents); }

struct Session {  // key: the user
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t orders = 0;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Session& s) {
  f("from_ms", s.from_ms)("to_ms", s.to_ms)("orders", s.orders)("cents", s.cents);
}

}  // namespace orders

template <>
struct muir::serde<orders::Order> : muir::JsonSerde<orders::Order> {};
template <>
struct muir::serde<orders::Refusal> : muir::JsonSerde<orders::Refusal> {};
template <>
struct muir::serde<orders::User> : muir::JsonSerde<orders::User> {};
template <>
struct muir::serde<orders::EnrichedOrder> : muir::JsonSerde<orders::EnrichedOrder> {};
template <>
struct muir::serde<orders::HourlyCount> : muir::JsonSerde<orders::HourlyCount> {};
template <>
struct muir::serde<orders::Revenue> : muir::JsonSerde<orders::Revenue> {};
template <>
struct muir::serde<orders::Spending> : muir::JsonSerde<orders::Spending> {};
template <>
struct muir::serde<orders::Session> : muir::JsonSerde<orders::Session> {};
