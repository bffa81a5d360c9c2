// JSON as the bytes that a described type has on topics and in stores, in place of Avro, without naming them at each
// edge:
//
//   template <>
//   struct muir::serde<fleet::Position> : muir::JsonSerde<fleet::Position> {};
//
// Stands behind the type's describe() and before its first use. For one edge alone: {.value = json<Position>()}.
#pragma once

#include "serde/serde.h"

namespace muir {

template <class T>
struct JsonSerde {
  static SerdeRef<T> make() { return json<T>(); }
};

}  // namespace muir
