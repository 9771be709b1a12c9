#!/usr/bin/python3
"""Turns what gcov wrote into LCOV, and merges LCOV files; for `bazel coverage`.

Bazel calls it in two ways:
  after each test   --coverage_dir=DIR --output_file=OUT [--filter_sources=REGEX]...
                    DIR holds *.gcov.json.gz (gcov 9 and newer) and maybe *.dat (LCOV)
  once at the end   --reports_file=LIST --output_file=OUT
                    LIST names one LCOV file per line
"""

import argparse
import collections
import glob
import gzip
import json
import os
import re


def add_gcov(counts, path):
    with gzip.open(path, "rt") as report:
        for source in json.load(report)["files"]:
            for line in source["lines"]:
                counts[source["file"]][line["line_number"]] += line["count"]


def add_lcov(counts, path):
    source = None
    with open(path) as report:
        for row in report:
            if row.startswith("SF:"):
                source = row[3:].strip()
            elif row.startswith("DA:"):
                line, hits = row[3:].split(",")[:2]
                counts[source][int(line)] += int(hits)


def write_lcov(counts, path, filters):
    with open(path, "w") as out:
        for source in sorted(counts):
            if any(re.fullmatch(f, source) for f in filters):
                continue
            lines = counts[source]
            out.write(f"SF:{source}\n")
            out.writelines(f"DA:{line},{lines[line]}\n" for line in sorted(lines))
            hit = sum(1 for hits in lines.values() if hits)
            out.write(f"LH:{hit}\nLF:{len(lines)}\nend_of_record\n")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--coverage_dir")
    parser.add_argument("--reports_file")
    parser.add_argument("--output_file", required=True)
    parser.add_argument("--filter_sources", action="append", default=[])
    flags, _ = parser.parse_known_args()

    counts = collections.defaultdict(collections.Counter)
    if flags.reports_file:
        with open(flags.reports_file) as reports:
            for path in reports.read().split():
                add_lcov(counts, path)
    else:
        # Listed before the output exists, which may lie in the same folder.
        for path in glob.glob(f"{flags.coverage_dir}/**/*.gcov.json.gz", recursive=True):
            add_gcov(counts, path)
        for path in glob.glob(f"{flags.coverage_dir}/**/*.dat", recursive=True):
            if os.path.realpath(path) != os.path.realpath(flags.output_file):
                add_lcov(counts, path)
    write_lcov(counts, flags.output_file, flags.filter_sources)


if __name__ == "__main__":
    main()
