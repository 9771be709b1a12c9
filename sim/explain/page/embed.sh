#!/bin/bash
# embed.sh PAGE.html: the page as a C++ string; a line "@INCLUDE NAME@" stands for that file.
set -euo pipefail
folder=$(dirname "$1")
printf '#include "sim/explain/page_text.h"\n\nnamespace norn::sim {\n\n'
printf 'const char* const kPageText = R"~page~('
while IFS= read -r line; do
  if [[ $line =~ ^@INCLUDE\ ([a-z_]+\.[a-z]+)@$ ]]; then
    cat "$folder/${BASH_REMATCH[1]}"
  else
    printf '%s\n' "$line"
  fi
done <"$1"
printf ')~page~";\n\n}  // namespace norn::sim\n'
