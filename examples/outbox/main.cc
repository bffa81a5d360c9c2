#include "outbox/outbox.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "outbox",
                        .about = "Sends the rows of an outbox to the topics of what they are about.",
                        .topology = outbox::topology(),
                        .topics = {"outbox", "outbox-sent", "order-events", "customer-events", "outbox-dead"},
                        .dead_letters = "outbox-dead"});
}
