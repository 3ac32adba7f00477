"""Runs a package's own tests, in the folder that has them, and prints of each how it ended; then the library that was loaded."""

import sys
import types
import unittest

# The package's source does not have the file that two of its tests take these of. Nothing is to be left out here.
helpers = types.ModuleType("test.common_test_util")
helpers.skip_if_no_asserts = helpers.skip_if_no_name_validations = lambda: None
sys.modules["test.common_test_util"] = helpers


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.ends = {}

    def stopTest(self, test):
        self.ends.setdefault(test.id(), "ok")
        super().stopTest(test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.ends[test.id()] = "failed"

    def addError(self, test, error):
        super().addError(test, error)
        self.ends[test.id()] = "failed"

    addFailure = lambda self, test, error: (unittest.TextTestResult.addFailure(self, test, error), self.ends.update({test.id(): "failed"}))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.ends[test.id()] = "skipped"


tests = unittest.TestLoader().discover("test", top_level_dir=".")
result = unittest.TextTestRunner(resultclass=Result, stream=sys.stderr).run(tests)
for name, end in sorted(result.ends.items()):
    print(name, end)
libraries = {line.split()[-1] for line in open("/proc/self/maps") if "/libsystemd.so" in line or "/libsd-bus-compat.so" in line}
print("on", *sorted(libraries))
