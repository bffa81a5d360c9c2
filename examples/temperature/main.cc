#include "run.h"
#include "temperature/temperature.h"

int main(int argc, char** argv) {
  return examples::run(argc, argv,
                       {.name = "temperature",
                        .about = "Tells the hottest reading of each sensor and minute, if it is above 30 degrees: "
                                 "temperatures to temperature-alarms.",
                        .topology = temperature::topology(),
                        .topics = {"temperatures", "temperature-alarms", "temperatures-dead"},
                        .dead_letters = "temperatures-dead"});
}
