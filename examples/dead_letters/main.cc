#include <string_view>

#include "dead_letters/dead_letters.h"
#include "run.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "redrive") {
    return examples::run(argc - 1, argv + 1,
                         {.name = "dead_letters_redrive",
                          .about = "Sends dead letters of charges-dead back to charges, or parks them.",
                          .topology = dead_letters::redrive(),
                          .topics = {"charges", "charges-dead", "charges-parked"}});
  }
  return examples::run(argc, argv,
                       {.name = "dead_letters",
                        .about = "Accepts charges, and keeps in charges-dead what it cannot accept.\n\n"
                                 "  dead_letters redrive [BOOTSTRAP_SERVERS]   tries those again",
                        .topology = dead_letters::charges(),
                        .topics = {"charges", "charges-accepted", "charges-dead"},
                        .dead_letters = "charges-dead"});
}
