// A run as one self-contained HTML page (sim/explain/page/): no network, no library; the data are
// in it as JSON.
//
// Nothing of the data is ever read as HTML: they stand in a script element of type
// application/json as ASCII in which no "<", ">" or "&" occurs, and the page sets texts, not
// markup. So a value may hold "</script>", quotes, or bytes that are no UTF-8.

#ifndef NORN_SIM_EXPLAIN_RUN_PAGE_H_
#define NORN_SIM_EXPLAIN_RUN_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "sim/explain/explanation.h"
#include "sim/explain/timeline.h"

namespace norn::sim {

// The data of the page. Strings that occur often are kept once, in "strings", and named by their
// place. Times are in microseconds, -1: never.
//   explanation  as ToJson(Explanation)
//   nodes, clients, end, from, to, moment, keys
//   arrows   [from, to, sent, end, name, key, lost, text]
//   bars     [client, via, invoked, arrived, answered, returned, gave up, kind, key, outcome, text,
//   marked] bands    [kind, text, [nodes], start, end, effects, need] outages  [node, down, up,
//   text] holdings [time, node, key, text]
std::string PageData(const Timeline& timeline, const Explanation& explanation);

// JSON that may stand in a script element.
std::string SafeInScript(absl::string_view json);

std::string RunPage(const Timeline& timeline, const Explanation& explanation);

}  // namespace norn::sim

#endif  // NORN_SIM_EXPLAIN_RUN_PAGE_H_
