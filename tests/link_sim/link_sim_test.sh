#!/bin/bash
# link_sim_test.sh ENGINE_FILE... --store STORE_FILE...: on what the engine of the simulator rests.
# Among the files are the lists of the targets that they come from (*.owners).
set -uo pipefail
allowed='^(//sim[:/].*|//core:(check|coding|crc32c|ids|json_string|random|rare_branch)|//storage:file_system|@.*)$'
store='^//(core:(core|types|causality|ring)|storage:engine|net:codec|sim:universe)$'

engine_owners='' store_owners='' of_store=0
for file in "$@"; do
  [[ $file == --store ]] && of_store=1
  [[ $file == *.owners ]] || continue
  if ((of_store)); then store_owners=$(<"$file"); else engine_owners=$(<"$file"); fi
done
wrong=$(grep -vE "$allowed" <<<"$engine_owners"; grep -E "$store" <<<"$engine_owners")
if [[ -z $engine_owners || -n $wrong ]]; then
  echo "the simulator's engine depends on the store: ${wrong:-nothing was found}" >&2
  exit 1
fi
(($(grep -cE "$store" <<<"$store_owners") >= 6)) ||
  { echo "the names of the store's targets are out of date in this test" >&2; exit 1; }
