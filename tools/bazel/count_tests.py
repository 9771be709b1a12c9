#!/usr/bin/python3
"""Counts the test targets of one `bazel test` from its build event file (--build_event_json_file).

usage: count_tests.py EVENTS BAZEL_EXIT_CODE

Names each failure, and prints as its last line "PASSED FAILED" (two numbers). What did not build
counts as failed, and so does a run that bazel did not end well, or in which no test ran.
"""

import json
import sys

GOOD = ("PASSED", "FLAKY")
# What bazel returns when everything was built and passed.
ALL_PASSED = 0


def read_events(path):
    try:
        with open(path, encoding="utf-8") as events:
            for line in events:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    return  # Bazel died while it wrote.
    except FileNotFoundError:
        return


def results(events):
    """Label to what became of it; only tests, and whatever did not build."""
    tests, broken = {}, {}
    for event in events:
        ident = event["id"]
        if "testSummary" in ident:
            status = event.get("testSummary", {}).get("overallStatus", "NO_STATUS")
            tests[ident["testSummary"]["label"]] = status
        elif "targetCompleted" in ident:
            if not event.get("completed", {}).get("success"):
                broken[ident["targetCompleted"]["label"]] = "FAILED TO BUILD"
        elif "pattern" in ident and "aborted" in event:
            broken[" ".join(ident["pattern"]["pattern"])] = "NOT LOADED"
        elif "configuredLabel" in ident or "unconfiguredLabel" in ident:
            if "aborted" in event:
                label = ident.get("configuredLabel", ident.get("unconfiguredLabel"))["label"]
                broken.setdefault(label, "NOT ANALYSED")
    # A test that did not build may also have a summary without a status.
    tests.update(broken)
    return tests


def main():
    path, code = sys.argv[1], int(sys.argv[2])
    found = results(read_events(path))
    failures = {label: status for label, status in found.items() if status not in GOOD}
    passed = len(found) - len(failures)
    if not failures and code != ALL_PASSED:
        failures["bazel"] = f"EXIT CODE {code}"
    if not failures and passed == 0:
        failures["bazel"] = "NO TEST RAN"
    for label in sorted(failures):
        print(f"FAILED  {label}  ({failures[label].replace('_', ' ').lower()})")
    print(passed, len(failures))


if __name__ == "__main__":
    main()
