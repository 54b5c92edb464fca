package io.tidemark.system.lab;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Runs a class of JUnit tests in the guest, or every nth method of it: {@code LabMain CLASS [PART PARTS]}, parts
 * counting from 0. Ends with 0 only if every test that was found ran and passed, and at least one did: the guest lacks
 * nothing that would excuse a skip. Excused is only what a provider does not claim to do.
 */
final class LabMain {
    /** Begins the report, which is the last that is printed. */
    static final String REPORT = "tests in the lab: ";

    private static final int STACK_LINES = 40;

    private LabMain() {}

    public static void main(String[] arguments) {
        var request = LauncherDiscoveryRequestBuilder.discoveryRequest()
                .selectors(DiscoverySelectors.selectClass(arguments[0]))
                .filters(arguments.length == 1 ? new Part(0, 1) : Part.parse(arguments[1], arguments[2]))
                .build();
        var listener = new SummaryGeneratingListener();
        var progress = new Progress();
        try (var session = LauncherFactory.openSession()) {
            session.getLauncher().execute(request, listener, progress);
        }
        System.exit(report(listener.getSummary(), progress.excused) ? 0 : 1);
    }

    /** Methods in the order they are found, dealt out as cards are. */
    private static final class Part implements PostDiscoveryFilter {
        private final int part;
        private final int parts;
        private int found;

        Part(int part, int parts) {
            this.part = part;
            this.parts = parts;
        }

        static Part parse(String part, String parts) {
            return new Part(Integer.parseInt(part), Integer.parseInt(parts));
        }

        @Override
        public FilterResult apply(TestDescriptor test) {
            boolean method = test.getSource().orElse(null) instanceof MethodSource;
            return FilterResult.includedIf(!method || found++ % parts == part);
        }
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
        private long startedNanos;

        @Override
        public void executionStarted(TestIdentifier test) {
            startedNanos = System.nanoTime();
        }

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
                        "lab: %s %s after %.1f s%s%n",
                        test.getDisplayName(),
                        result.getStatus().name().toLowerCase(Locale.ROOT),
                        (System.nanoTime() - startedNanos) / 1e9,
                        result.getThrowable().map(thrown -> ": " + thrown).orElse(""));
            }
        }
    }
}
