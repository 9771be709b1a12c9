#!/bin/bash
# The commands in tools/ci/ are ones that norn-sim takes, and shards are as many as are started.
set -uo pipefail
sim=$(readlink -f "$1")
shift
work=${TEST_TMPDIR:?}
mkdir "$work/bin"
ln -s "$sim" "$work/bin/norn-sim"

fail() {
  echo "ci_examples_test: $*" >&2
  exit 1
}
# As the schedulers set them.
export PATH="$work/bin:$PATH" GITHUB_SHA=0123abcd GITHUB_RUN_ID=77 JOB_COMPLETION_INDEX=2
export NORN_REVISION=0123abcd
# commands WHAT FILE: lines with norn-sim WHAT, from there to their end, as a shell has them.
commands() {
  sed -n "s/.*norn-sim $1 /norn-sim $1 /p" "$2" | grep -v '^norn-sim [a-z]*\.$' |
    sed 's/\${{ matrix.shard }}/3/g'
}
number() { sed -n "s/^ *$1: \([0-9]*\)$/\1/p" "$2"; }

found=0
for file in "$@"; do
  while read -r command; do
    said=$(cd "$work" && eval "$command --dry-run" 2>&1) || fail "$file: $command: $said"
    grep -q "^revision 0123abcd.*, shard 3 of [0-9]*$" <<<"$said" || fail "$file: $said"
    shards=$(sed -n 's/.*, shard 3 of \([0-9]*\)$/\1/p' <<<"$said")
    case $file in
      *github*)
        list=$(seq -s ', ' "$shards")
        grep -qxF "        shard: [$list]" "$file" || fail "$file: not the shards 1 to $shards"
        ;;
      *)
        for field in completions parallelism maxFailedIndexes; do
          [[ $(number "$field" "$file") == "$shards" ]] || fail "$file: $field is not $shards"
        done
        ;;
    esac
    found=$((found + 1))
  done < <(commands ci "$file" | grep -e --shard)
done
((found == 2)) || fail "$found commands were found, not 2"

# The same folders as the schedulers make.
merged=0
mkdir -p "$work/reports"
for file in "$@"; do
  while read -r command; do
    rm -rf "$work/reports" "$work/merged"
    for i in 1 2; do
      (cd "$work" && norn-sim ci --budget 1s --shard "$i/2" --revision abc \
        --report "reports/report-$i" >/dev/null 2>&1)
      mkdir -p "$work/reports/$NORN_REVISION"
      cp -r "$work/reports/report-$i" "$work/reports/$NORN_REVISION/$i"
    done
    said=$(cd "$work" && eval "${command//\/reports/reports}" 2>&1)
    code=$?
    # A machine that is slow may not come to a seed in a second.
    ((code == 0 || code == 4)) || fail "$file: $command: exit code $code: $said"
    [[ -n $(find "$work" -path '*merged/report.json') ]] || fail "$file: no report: $said"
    merged=$((merged + 1))
  done < <(commands merge "$file" | grep -e ' -o ')
done
((merged == 2)) || fail "$merged commands of merge were found, not 2"
exit 0
