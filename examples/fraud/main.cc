#include "fraud/fraud.h"
#include "run.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "fraud",
                        .about = "Finds suspicious ones among payments, and puts their cards on hold.",
                        .topology = fraud::topology(),
                        .topics = {"payments", "fraud-alerts", "card-holds", "payments-dead"},
                        .dead_letters = "payments-dead"});
}
