package io.tidemark.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Until when a snapshot is locked: a time, or how long from now. */
final class LockTime {
    /** Who can end the lock before its time: whoever may unlock, or nobody. */
    enum Mode {
        GOVERNANCE,
        COMPLIANCE
    }

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Units.DurationConverter.class,
            description = "How long from now, like 30d.")
    private @Nullable Duration length;

    @Option(names = "--until", paramLabel = "INSTANT", description = "Till then, like 2027-01-31T00:00:00Z.")
    private @Nullable String end;

    /** @throws ParameterException where not one of the two is given, or it is no time */
    Instant until(SiteOptions site) {
        if ((length == null) == (end == null)) {
            throw new ParameterException(
                    site.spec().commandLine(), "say either --for 30d or --until 2027-01-31T00:00:00Z");
        }
        if (length != null) {
            return Instant.now().plus(length).truncatedTo(ChronoUnit.SECONDS);
        }
        try {
            return OffsetDateTime.parse(String.valueOf(end)).toInstant();
        } catch (DateTimeException e) {
            throw new ParameterException(
                    site.spec().commandLine(),
                    "--until is a time such as 2027-01-31T00:00:00Z, not \"%s\"".formatted(end),
                    e);
        }
    }

    /** @throws ParameterException where it is no whole number of them */
    static long hours(SiteOptions site, Duration time) {
        if (!time.equals(Duration.ofHours(time.toHours()))) {
            throw new ParameterException(site.spec().commandLine(), "--cooling-off is in whole hours, like 24h");
        }
        return time.toHours();
    }
}
