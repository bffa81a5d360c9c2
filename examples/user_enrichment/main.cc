#include "run.h"
#include "user_enrichment/user_enrichment.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "user_enrichment",
                        .about = "Adds name, country and a count of appearances to actions.",
                        .topology = user_enrichment::topology(),
                        .topics = {"actions", "user-names", "country-names", "actions-enriched", "actions-dead"},
                        .dead_letters = "actions-dead"});
}
