// decide_lost_ends(): transactions whose markers are lost, decided by what the coordinator wrote down.
#pragma once

#include "broker/internal/broker_context.h"

namespace muir::broker {

// For each transaction that the logs list as undecided: __transaction_state holds every decision, before its markers
// are written. Where it names those of the producer in the partition, at the time at which the lost marker was written,
// and they agree, that is how the transaction ended. Everything else stays undecided. At start, before the coordinators
// load what depends on it.
Status decide_lost_ends(BrokerContext& context);

}  // namespace muir::broker
