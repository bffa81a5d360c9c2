#include "orders/orders.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "orders",
                        .about = "Checks orders, joins them with users, and keeps counts, revenue and sessions.",
                        .topology = orders::topology(),
                        .topics = {"orders", "users", "orders-refused", "orders-enriched", "orders-premium",
                                   "orders-standard", "orders-per-hour", "revenue", "order-sessions", "orders-dead"},
                        .dead_letters = "orders-dead"});
}
