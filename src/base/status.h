// Status and Result<T>: how an operation says that it failed, on what, and why.
//
// Messages follow one form: what failed, on what, why:
//   "fetch topic=positions partition=3: offset 812 below log start 900".
// Exceptions never cross a function of ours; foreign ones are caught at named places and become a Status.
#pragma once

#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace muir {

// Coarse reason of a failure; domains with richer enumerations (Kafka's error codes, the registry's)
// keep their own and carry it as a DomainCode.
enum class Code : unsigned char {
  ok,
  invalid_argument,  // the caller's input or configuration is wrong; trying again does not help
  not_found,
  already_exists,
  out_of_range,
  failed_precondition,  // the object is in a state that does not allow the call
  permission_denied,
  resource_exhausted,  // a named limit was reached
  unavailable,         // a peer or resource is not there now; trying again may help
  timed_out,
  aborted,    // a transaction, a rebalance or a shutdown ended it
  fenced,     // a newer instance has taken over; this one must stop
  data_loss,  // stored bytes are damaged
  unsupported,
  io_error,
  internal,
};

std::string_view to_string(Code code);

// Whose number a DomainCode has: the same integer means something else to each of them.
enum class Domain : unsigned char {
  none,
  kafka,       // error codes of Kafka's protocol (wire/error_code.h)
  librdkafka,  // its own, which are negative
  registry,    // error_code of the Schema Registry's REST API (registry/registry_error.h)
  http,        // a status of HTTP
  system,      // errno
};

struct DomainCode {
  Domain domain = Domain::none;
  int number = 0;
  bool operator==(const DomainCode&) const = default;
};

struct TopicPartition;

// The outcome of an operation without a value. OK costs a null pointer. Immutable; copying shares.
//
// What a caller decides by is in fields: the code, the number of one domain, the partition. The message is for people;
// nothing reads it (tools/tidy.py).
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message, DomainCode number = {});

  [[nodiscard]] bool ok() const { return rep_ == nullptr; }
  [[nodiscard]] Code code() const { return rep_ ? rep_->code : Code::ok; }
  [[nodiscard]] const std::string& message() const;
  [[nodiscard]] std::string to_string() const;

  // The number that `domain` gave this failure; 0 when there is none, or it is another domain's.
  [[nodiscard]] int number(Domain domain) const;
  [[nodiscard]] DomainCode domain_code() const { return rep_ ? rep_->number : DomainCode(); }
  // The partition that failed; nullptr when it is not about one. Valid as long as a copy of this status is.
  [[nodiscard]] const TopicPartition* partition() const { return rep_ ? rep_->partition.get() : nullptr; }

  // The same failure with one field changed, all others kept. OK stays OK.
  [[nodiscard]] Status annotate(std::string_view context) const;  // "context: " before its message
  [[nodiscard]] Status with_message(std::string message) const;
  [[nodiscard]] Status with(Code code) const;  // not Code::ok
  [[nodiscard]] Status with(DomainCode number) const;
  [[nodiscard]] Status at(TopicPartition partition) const;

 private:
  struct Rep {
    Code code;
    DomainCode number;
    std::string message;
    std::shared_ptr<const TopicPartition> partition{};
  };
  explicit Status(Rep rep);

  // Shared because a failure is often stored (the first error of a batch) and returned to several callers.
  std::shared_ptr<const Rep> rep_;
};

// error(Code::not_found, "topic {} does not exist", name)
template <class... A>
[[nodiscard]] Status error(Code code, fmt::format_string<A...> format, A&&... args) {
  return Status(code, fmt::format(format, std::forward<A>(args)...));
}

// A value or the Status that says why there is none. Like std::expected<T, Status>.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: implicit by design
  Result(Status status) : value_(std::in_place_index<1>, std::move(status)) {  // NOLINT: implicit by design
    MUIR_CHECK(!std::get<1>(value_).ok(), "a Result without a value needs an error");
  }

  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] Status status() const { return ok() ? Status() : std::get<1>(value_); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }
  template <class U>
  T value_or(U&& other) && {
    return ok() ? std::move(checked()) : T(std::forward<U>(other));
  }

 private:
  T& checked() {
    MUIR_CHECK(ok(), "value of a failed Result: {}", std::get<1>(value_).message());
    return *std::get_if<0>(&value_);
  }
  std::variant<T, Status> value_;
};

namespace internal {
inline Status status_of(const Status& s) { return s; }
template <class T>
Status status_of(const Result<T>& r) {
  return r.status();
}
}  // namespace internal

}  // namespace muir

// Returns from the calling function when `expr` (a Status or Result) failed.
#define MUIR_RETURN_IF_ERROR(expr)                                                                      \
  do {                                                                                                  \
    if (auto muir_status_ = ::muir::internal::status_of(expr); !muir_status_.ok()) return muir_status_; \
  } while (false)

// The value of a Result, or return its error from the calling function: auto x = MUIR_TRY(parse(in));
#define MUIR_TRY(expr)                                    \
  __extension__({                                         \
    auto muir_result_ = (expr);                           \
    if (!muir_result_.ok()) return muir_result_.status(); \
    std::move(muir_result_).value();                      \
  })
