#include "run.h"
#include "saga/saga.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "saga",
                        .about = "Takes orders through inventory and payment, and undoes what fails.",
                        .topology = saga::topology(),
                        .topics = {"order-requests", "inventory-replies", "payment-replies", "inventory-commands",
                                   "payment-commands", "order-results", "order-requests-dead"},
                        .dead_letters = "order-requests-dead"});
}
