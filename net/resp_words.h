// Splits an inline command, as a person types it, into words.
//
//   line   = *blank [ word *( 1*blank word ) ] *blank
//   word   = *( plain / dquoted / squoted )     ; a closing quote ends the word
//   "..."  knows \n \r \t \b \a, \xHH, and \c for any other c; '...' knows \' only

#ifndef NORN_NET_RESP_WORDS_H_
#define NORN_NET_RESP_WORDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace norn::net {

// The words are views of `*storage`, which is overwritten. False if a quote is not closed,
// or is closed in the middle of a word.
bool SplitRespWords(absl::string_view line, std::string* storage,
                    std::vector<absl::string_view>* words);

}  // namespace norn::net

#endif  // NORN_NET_RESP_WORDS_H_
