package io.tidemark.system.lab;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs classes of JUnit tests, named by its arguments, in the guest. Ends with 0 only if every test that was found ran
 * and passed, and at least one did: the guest lacks nothing that would excuse a skip. Excused is only what a provider does not
 * claim to do.
 */
final class LabMain {
    /** Begins the report, which is the last that is printed. */
    static final String REPORT = "tests in the lab: ";

    private static final int STACK_LINES = 40;

    private LabMain() {}

    public static void main(String[] classNames) {
        var request = LauncherDiscoveryRequestBuilder.discoveryRequest()
                .selectors(Arrays.stream(classNames)
                        .map(DiscoverySelectors::selectClass)
                        .toList())
                .build();
        var listener = new SummaryGeneratingListener();
        var progress = new Progress();
        try (var session = LauncherFactory.openSession()) {
            session.getLauncher().execute(request, listener, progress);
        }
        System.exit(report(listener.getSummary(), progress.excused) ? 0 : 1);
    }

    /** @return whether all is well */
    private static boolean report(TestExecutionSummary summary, long excused) {
        long left = summary.getTestsSkippedCount()
                + summary.getTestsAbortedCount()
                + summary.getContainersSkippedCount()
                + summary.getContainersAbortedCount()
                - excused;
        var out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        out.printf(
                "%s%d passed, %d failed, %d skipped or aborted, %d of what the storage does not claim to do%n",
                REPORT, summary.getTestsSucceededCount(), summary.getTotalFailureCount(), left, excused);
        summary.printFailuresTo(out, STACK_LINES);
        out.flush();
        return summary.getTestsSucceededCount() > 0 && summary.getTotalFailureCount() == 0 && left == 0;
    }

    /** A line for each test as it ends, and for what was skipped, with the reason. */
    private static final class Progress implements TestExecutionListener {
        /** What the contract of providers says of a capability that a volume does not name. */
        private static final String NOT_CLAIMED = " has no capability ";

        private long excused;

        @Override
        public void executionSkipped(TestIdentifier test, String reason) {
            System.out.printf("lab: %s skipped: %s%n", test.getDisplayName(), reason);
        }

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (test.isTest()) {
                var reason = result.getThrowable().map(Throwable::getMessage).orElse("");
                if (result.getStatus() == TestExecutionResult.Status.ABORTED && reason.contains(NOT_CLAIMED)) {
                    excused++;
                }
                System.out.printf(
                        "lab: %s %s%s%n",
                        test.getDisplayName(),
                        result.getStatus().name().toLowerCase(Locale.ROOT),
                        result.getThrowable().map(thrown -> ": " + thrown).orElse(""));
            }
        }
    }
}
