// row_type(): run-time rows of a schema as a type of keys or values of a topology. For programs that learn the schemas
// of their topics when they start, as queries do.
//
//   const schema::RowLayoutPtr layout = MUIR_TRY(row_layout(text));
//   const ObjectType* position = row_type(builder, layout);
//   builder.add({.yields = {object_type<std::string>(), position}, .kind = logical::Source{.topics = {"positions"}}});
//   // in functions: as_row(row.value).get<double>(speed)
#pragma once

#include "serde/row_serde.h"
#include "streams/topology_builder.h"

namespace muir::streams {

// A type of rows of `layout`, which the builder keeps with its topology; made once per schema, as two calls make two
// types. Where no serde is named, rows are Avro in Confluent's wire format. A layout that Avro cannot write is a
// mistake of the topology.
const ObjectType* row_type(TopologyBuilder& builder, const schema::RowLayoutPtr& layout);

// A key or value of such a type.
inline const schema::Row& as_row(const void* object) { return *static_cast<const schema::Row*>(object); }
inline schema::Row& as_row(void* object) { return *static_cast<schema::Row*>(object); }

}  // namespace muir::streams
