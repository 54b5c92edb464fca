package io.tidemark.provider.lvm;

import io.tidemark.provider.commands.CommandError;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What LVM, the device mapper and the kernel complained of, as the SPI's errors. The only place that matches their text:
 * that of {@code LC_ALL=C}, as captured from LVM 2.03.16, thin-provisioning-tools 0.9 and Linux 6.1.
 */
final class LvmFailures {
    /** A mount or an open file of somebody else seldom ends sooner. */
    static final Duration BUSY_RETRY = Duration.ofSeconds(5);

    private static final String PACKAGE_LVM = "lvm2";
    /** Of Debian and Ubuntu: which package has the programs that this provider runs. */
    static final Map<String, List<String>> PROGRAMS = new TreeMap<>(Map.of(
            PACKAGE_LVM,
            List.of("lvs", "lvcreate", "lvchange", "lvrename", "lvremove", "vgs"),
            "dmsetup",
            List.of("dmsetup"),
            "thin-provisioning-tools",
            List.of("thin_delta", "thin_dump", "thin_ls"),
            "util-linux",
            List.of("blkdiscard"),
            "coreutils",
            List.of("sync")));

    /** The signal's number is added to it by whoever waited for the program. */
    private static final int EXIT_SIGNAL = 128;

    private static final List<String> NO_SPACE = List.of(
            "insufficient free space",
            "insufficient suitable allocatable extents",
            "Insufficient free space",
            "is out of data space",
            "has read-only metadata",
            "with read only metadata",
            "free space in thin pool",
            "No space left on device");
    private static final List<String> NO_GROUP = List.of("Volume group \"", "not found");
    private static final List<String> NEEDS_CHECK = List.of("needs check");
    private static final List<String> BEHIND = List.of("unexpected transaction id", "transaction_id is ");
    private static final List<String> EXISTS = List.of("already exists in volume group");
    private static final List<String> NO_RIGHT = List.of("Permission denied", "Operation not permitted");
    private static final List<String> IN_USE =
            List.of(" in use.", "contains a filesystem in use", "is used by another device", "Device or resource busy");

    private LvmFailures() {}

    /** Of a program that ended by itself, but not well. */
    static ProviderException of(List<String> argv, Outcome outcome) {
        return new ProviderException(errorOf(argv, outcome));
    }

    private static ProviderError errorOf(List<String> argv, Outcome outcome) {
        var text = outcome.stderr();
        // Its last argument is what it works on: a volume, a pool, a device.
        var object = argv.getLast();
        var operation = String.join(" ", argv);
        if (says(text, NO_RIGHT)) {
            return new ProviderError.Denied(argv.getFirst() + " of " + object, "the rights of root");
        }
        if (NO_GROUP.stream().allMatch(text::contains)) {
            return new ProviderError.Unexpected(argv.getFirst(), line(text, NO_GROUP) + "; vgs lists those there are");
        }
        // Of no help against it is more room; a pool that says so is read-only too.
        if (says(text, NEEDS_CHECK)) {
            return new ProviderError.Unexpected(operation, outcome.evidence());
        }
        // LVM calls it a lack of space, too.
        if (says(text, BEHIND)) {
            return new ProviderError.Unexpected(
                    operation, line(text, BEHIND) + ": docs/design/lvm-provider.md, Failures, tells how to go on");
        }
        if (says(text, NO_SPACE)) {
            return new ProviderError.OutOfSpace("%s (%s)".formatted(object, line(text, NO_SPACE)), 0, 0);
        }
        if (says(text, EXISTS)) {
            return new ProviderError.Conflict(object, "a name it needs is taken: " + line(text, EXISTS));
        }
        if (says(text, IN_USE)) {
            return new ProviderError.Busy(object, "a mount or a process of this host", BUSY_RETRY);
        }
        return new ProviderError.Unexpected(operation, outcome.evidence());
    }

    /** Of a program that did not start, or was ended at a limit. */
    static ProviderException of(String program, CommandException failure) {
        return new ProviderException(
                switch (failure.error()) {
                    case CommandError.NotStarted e -> new ProviderError.Unexpected(program, notStarted(e));
                    case CommandError.TimedOut e -> new ProviderError.Unexpected(program, e.message());
                    case CommandError.TooMuchOutput e -> new ProviderError.Unexpected(program, e.message());
                    case CommandError.Interrupted e -> new ProviderError.Unexpected(program, e.message());
                },
                failure);
    }

    private static String notStarted(CommandError.NotStarted error) {
        return "%s; it is in the package %s (apt-get install %2$s)"
                .formatted(error.message(), packageOf(error.program()));
    }

    static String packageOf(String program) {
        return PROGRAMS.entrySet().stream()
                .filter(each -> each.getValue().contains(program))
                .findFirst()
                .map(Map.Entry::getKey)
                .orElse(PACKAGE_LVM);
    }

    /** Whether it was ended from outside, so that what it was at may be half done. */
    static boolean killed(Outcome outcome) {
        return outcome.exit() >= EXIT_SIGNAL;
    }

    private static boolean says(@Nullable String text, List<String> phrases) {
        return text != null && phrases.stream().anyMatch(text::contains);
    }

    /** The last line that says it: what comes before are LVM's warnings. */
    private static String line(String text, List<String> phrases) {
        return text.lines()
                .filter(line -> says(line, phrases))
                .reduce((_, later) -> later)
                .orElse(text)
                .strip();
    }
}
