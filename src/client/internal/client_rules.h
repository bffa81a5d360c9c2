// Which values of a client's keys do not go together, though each is right by itself; and what may be set by rdkafka.*.
#pragma once

#include "client/client_keys.h"

namespace muir::client::internal {

// Of values that are right by themselves.
void check_together(ClientKind kind, const ClientGiven& given, ConfigMistakes& out);
// Keys of librdkafka's own. Those that this client decides about, or that Kafka has a name for, are none.
void check_rdkafka_keys(ClientKind kind, const ClientGiven& given, ConfigMistakes& out);

// Whether a producer of these properties is idempotent: asked for, or not asked for and nothing against it.
bool is_idempotent(const Properties& properties);

}  // namespace muir::client::internal
