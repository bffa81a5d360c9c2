// for_each_error(): the errors that a response tells, wherever it holds them.
#pragma once

#include <optional>

#include "wire/error_code.h"

namespace muir::broker {

template <class Part, class Found>
void for_each_error(const Part& part, const Found& found);

namespace internal {

template <class Parts, class Found>
void each_of(const Parts& parts, const Found& found) {
  if constexpr (requires { parts.has_value(); }) {
    if (parts) each_of(*parts, found);
  } else if constexpr (requires { parts.begin(); }) {
    if constexpr (std::is_class_v<std::remove_cvref_t<decltype(*parts.begin())>>) {
      for (const auto& part : parts) for_each_error(part, found);
    }
  }
}

}  // namespace internal

// Calls `found` for each code in `part`, NONE too. The names are those that the tables of messages have for codes, and
// for arrays of what has one.
template <class Part, class Found>
void for_each_error(const Part& part, const Found& found) {
  if constexpr (requires { part.error_code; }) found(part.error_code);
  if constexpr (requires { part.partition_error_code; }) found(part.partition_error_code);
  if constexpr (requires { part.coordinators; }) internal::each_of(part.coordinators, found);
  if constexpr (requires { part.groups; }) internal::each_of(part.groups, found);
  if constexpr (requires { part.markers; }) internal::each_of(part.markers, found);
  if constexpr (requires { part.members; }) internal::each_of(part.members, found);
  if constexpr (requires { part.partition_responses; }) internal::each_of(part.partition_responses, found);
  if constexpr (requires { part.partitions; }) internal::each_of(part.partitions, found);
  if constexpr (requires { part.responses; }) internal::each_of(part.responses, found);
  if constexpr (requires { part.results; }) internal::each_of(part.results, found);
  if constexpr (requires { part.results_by_partition; }) internal::each_of(part.results_by_partition, found);
  if constexpr (requires { part.results_by_topic_v3_and_below; })
    internal::each_of(part.results_by_topic_v3_and_below, found);
  if constexpr (requires { part.results_by_transaction; }) internal::each_of(part.results_by_transaction, found);
  if constexpr (requires { part.topic_results; }) internal::each_of(part.topic_results, found);
  if constexpr (requires { part.topics; }) internal::each_of(part.topics, found);
  if constexpr (requires { part.transaction_states; }) internal::each_of(part.transaction_states, found);
}

}  // namespace muir::broker
