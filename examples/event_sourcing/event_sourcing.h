// Event sourcing with CQRS: commands become events, and events the views that are asked. See event_sourcing.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "serde/json_serde.h"
#include "streams/topology.h"

namespace event_sourcing {

enum class Ask : unsigned char { open, deposit, withdraw, close };
inline void describe(muir::Symbols<Ask>& s) {
  s("open", Ask::open)("deposit", Ask::deposit)("withdraw", Ask::withdraw)("close", Ask::close);
}

struct Command {  // key: the account
  std::string id;
  Ask ask = Ask::open;
  std::optional<int64_t> cents;    // of deposits and withdrawals
  std::optional<int64_t> version;  // that the account has to have, for who decided by what a view told
};
inline void describe(muir::Fields& f, Command& c) {
  f("id", c.id)("ask", c.ask)("cents", c.cents)("version", c.version);
}

// What happened. Never changed, never refused; version counts the events of an account from 1.
struct Event {  // key: the account
  std::string command;
  int64_t version = 0;
  Ask what = Ask::open;
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Event& e) {
  f("command", e.command)("version", e.version)("what", e.what)("cents", e.cents);
}

struct Rejection {  // key: the account
  std::string command;
  std::string why;
};
inline void describe(muir::Fields& f, Rejection& r) { f("command", r.command)("why", r.why); }

// The state of an account: its events, applied one after the other.
struct Account {
  int64_t version = 0;
  bool open = false;
  int64_t cents = 0;
  std::vector<std::string> commands{};  // the last ones, to know again what comes twice
};
inline void describe(muir::Fields& f, Account& a) {
  f("version", a.version)("open", a.open)("cents", a.cents)("commands", a.commands);
}
void apply(const Event& event, Account& account);

// What is asked for; it has no part in decisions.
struct AccountView {
  bool open = false;
  int64_t cents = 0;
  int64_t deposits = 0;
  int64_t withdrawals = 0;
  int64_t version = 0;
};
inline void describe(muir::Fields& f, AccountView& v) {
  f("open", v.open)("cents", v.cents)("deposits", v.deposits)("withdrawals", v.withdrawals)("version", v.version);
}

struct Bank {
  int64_t accounts = 0;  // that are open
  int64_t cents = 0;
};
inline void describe(muir::Fields& f, Bank& b) { f("accounts", b.accounts)("cents", b.cents); }

muir::Result<muir::streams::Topology> topology();

}  // namespace event_sourcing

template <>
struct muir::serde<event_sourcing::Command> : muir::JsonSerde<event_sourcing::Command> {};
template <>
struct muir::serde<event_sourcing::Event> : muir::JsonSerde<event_sourcing::Event> {};
template <>
struct muir::serde<event_sourcing::Rejection> : muir::JsonSerde<event_sourcing::Rejection> {};
template <>
struct muir::serde<event_sourcing::Account> : muir::JsonSerde<event_sourcing::Account> {};
template <>
struct muir::serde<event_sourcing::AccountView> : muir::JsonSerde<event_sourcing::AccountView> {};
template <>
struct muir::serde<event_sourcing::Bank> : muir::JsonSerde<event_sourcing::Bank> {};
