// Texts of any bytes (keys and values are in them) as what JSON, XML and HTML can hold.

#ifndef NORN_SIM_CI_MARKUP_H_
#define NORN_SIM_CI_MARKUP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace norn::sim {

// Printable ASCII and newlines; other bytes become \xNN. Once more changes nothing.
std::string Visible(absl::string_view text);
// Visible, as the text of an XML or HTML element, or in quotes as an attribute's value.
std::string EscapeMarkup(absl::string_view text);

}  // namespace norn::sim

#endif  // NORN_SIM_CI_MARKUP_H_
