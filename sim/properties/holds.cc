#include "sim/properties/holds.h"

#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "sim/case.h"
#include "sim/properties/generators.h"
#include "sim/properties/write_failure.h"
#include "sim/shrinker.h"
#include "sim/store_subject.h"

namespace norn::sim {

namespace {

using google::protobuf::util::MessageDifferencer;
using rc::detail::CaseResult;

// What is wrong with a run.
struct Judgement {
  CaseResult::Type type = CaseResult::Type::Success;
  std::string what;  // for people
  std::string kind;  // equal for failures of the same sort
};

Judgement Judge(const Outcome& outcome, const Property& property, bool own_claims) {
  const CaseRun& run = outcome.run;
  if (outcome.crashed() || (own_claims && outcome.violated())) {
    return {
        CaseResult::Type::Failure,
        absl::StrCat(run.verdict, ": ", run.property, run.witness.empty() ? "" : "\n", run.witness),
        run.Fingerprint()};
  }
  try {
    property(outcome);
  } catch (const CaseResult& result) {
    // The place of the assertion comes first, in a line of its own.
    return {result.type, result.description,
            result.description.substr(0, result.description.find('\n'))};
  } catch (const rc::GenerationFailure&) {
    throw;  // of a generator within the property: RapidCheck tries another case
  } catch (const std::exception& thrown) {
    return {CaseResult::Type::Failure, absl::StrCat("it threw: ", thrown.what()), "it threw"};
  }
  if (outcome.inconclusive()) {
    return {CaseResult::Type::Discard, absl::StrCat("inconclusive: ", run.property), ""};
  }
  return {};
}

// RapidCheck's progress is nobody's business here.
class Silent final : public rc::detail::TestListener {
 public:
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

struct Failure {
  Outcome outcome;
  Judgement judgement;
};

class Search {
 public:
  Search(const rc::Gen<v1::Case>& cases, const Property& property, const HoldsOptions& options)
      : cases_(cases), property_(property), options_(options) {}

  rc::detail::TestResult Run(const std::string& what) {
    rc::detail::TestMetadata metadata;
    metadata.id = metadata.description = what;
    rc::detail::TestParams params = rc::detail::configuration().testParams;
    if (options_.seed.has_value()) params.seed = *options_.seed;
    seed_ = params.seed;
    if (options_.cases.has_value()) params.maxSuccess = *options_.cases;
    const rc::Gen<v1::Case> cases =
        options_.where ? rc::gen::suchThat(cases_, options_.where) : cases_;
    Silent listener;
    return rc::detail::checkTestable([this, &cases] { TryOne(*cases); }, metadata, params, listener,
                                     rc::detail::configuration().reproduce);
  }

  // While RapidCheck shrinks, what fails is what it goes on with: the last is the smallest.
  std::optional<Failure>& failure() { return failure_; }
  uint64_t seed() const { return seed_; }

  bool SameFailure(const Outcome& other) const {
    const Judgement judged = Judge(other, property_, options_.own_claims);
    return judged.type == CaseResult::Type::Failure && judged.kind == failure_->judgement.kind;
  }

  // Leaves out what is not needed for the same failure.
  void ShrinkFurther() {
    using Clock = std::chrono::steady_clock;
    if (!failure_.has_value() || options_.shrink_ms <= 0) return;
    const Clock::time_point until = Clock::now() + std::chrono::milliseconds(options_.shrink_ms);
    CaseRunnerOptions running;
    running.limit_ms = options_.limit_ms;
    running.record_history = true;
    CaseRunner runner(NornStore(), running);
    ShrinkOptions shrinking;
    shrinking.enough = [until] { return Clock::now() >= until; };
    shrinking.same = [this](const CaseRun& run) {
      const v1::Case& least = failure_->outcome.tried;
      const bool same_cluster = run.recorded.node_size() == least.node_size() &&
                                MessageDifferencer::Equals(run.recorded.bucket(), least.bucket());
      if (!same_cluster || (options_.where && !options_.where(run.recorded))) return false;
      return SameFailure(OutcomeOf(run.recorded, run));
    };
    ShrinkResult smallest =
        Shrink(failure_->outcome.tried, failure_->outcome.run, shrinking, &runner);
    failure_->outcome = OutcomeOf(smallest.smallest, std::move(smallest.run));
    failure_->judgement = Judge(failure_->outcome, property_, options_.own_claims);
  }

 private:
  void TryOne(const v1::Case& written) {
    PerformOptions performing;
    performing.limit_ms = options_.limit_ms;
    Outcome outcome = Perform(written, performing);
    Judgement judged = Judge(outcome, property_, options_.own_claims);
    if (judged.type == CaseResult::Type::Failure) failure_ = Failure{std::move(outcome), judged};
    if (judged.type != CaseResult::Type::Success) throw CaseResult(judged.type, judged.what);
  }

  const rc::Gen<v1::Case>& cases_;
  const Property& property_;
  const HoldsOptions& options_;
  uint64_t seed_ = 0;
  std::optional<Failure> failure_;
};

// "Sessions.ReadYourWrites": of files.
std::string TestName() {
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  std::string name =
      test == nullptr ? "property" : absl::StrCat(test->test_suite_name(), ".", test->name());
  for (char& c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.') c = '-';
  }
  return name;
}

}  // namespace

Checked Check(const std::string& what, const rc::Gen<v1::Case>& cases, const Property& property,
              const HoldsOptions& options) {
  Checked checked;
  Search search(cases, property, options);
  const rc::detail::TestResult result = search.Run(what);
  if (result.is<rc::detail::SuccessResult>()) {
    checked.holds = true;
    checked.cases = result.get<rc::detail::SuccessResult>().numSuccess;
    return checked;
  }
  if (!result.is<rc::detail::FailureResult>() || !search.failure().has_value()) {
    std::ostringstream said;
    rc::detail::printResultMessage(result, said);
    checked.text = absl::StrCat("Not shown: ", what, "\n", said.str(), "\n");
    return checked;
  }
  const auto& failed = result.get<rc::detail::FailureResult>();
  checked.cases = failed.numSuccess;
  checked.text = absl::StrCat("This does not hold: ", what, "\nCase ", failed.numSuccess + 1,
                              " shows it, shrunk ", failed.reproduce.shrinkPath.size(),
                              " times. The same search: RC_PARAMS=\"seed=", search.seed(), "\"\n");
  search.ShrinkFurther();
  Failure& failure = *search.failure();
  checked.why = failure.judgement.what;
  absl::StrAppend(&checked.text, "\n", FormatCase(failure.outcome.tried), "\n", checked.why, "\n");
  std::string folder = options.folder;
  const char* const outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (folder.empty() && outputs != nullptr) folder = outputs;
  if (!folder.empty()) {
    FailureToWrite writing;
    writing.what = what;
    writing.why = checked.why;
    writing.same = [&search](const Outcome& other) { return search.SameFailure(other); };
    writing.folder = folder;
    writing.name = TestName();
    writing.limit_ms = options.limit_ms;
    absl::StrAppend(&checked.text, "\n", WriteFailure(failure.outcome, writing));
  }
  checked.smallest = std::move(failure.outcome);
  return checked;
}

testing::AssertionResult Holds(const std::string& what, const rc::Gen<v1::Case>& cases,
                               const Property& property, const HoldsOptions& options) {
  const Checked checked = Check(what, cases, property, options);
  if (checked.holds) return testing::AssertionSuccess() << checked.cases << " cases";
  return testing::AssertionFailure() << checked.text;
}

}  // namespace norn::sim
