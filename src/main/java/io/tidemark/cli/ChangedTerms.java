package io.tidemark.cli;

import io.tidemark.client.ClientError;
import io.tidemark.client.ClientException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is to be other than it is in how a volume is replicated live. */
final class ChangedTerms {
    @Option(names = "--protocol", paramLabel = "A|B|C", description = "When a write is answered: see create.")
    private @Nullable String protocol;

    @Option(
            names = "--on-congestion",
            paramLabel = "block|pull-ahead",
            description = "When the send buffer is full: see create.")
    private @Nullable String congestion;

    @Option(
            names = "--buffer",
            paramLabel = "SIZE",
            converter = Units.SizeConverter.class,
            description = "Writes on their way to the peer, 64KiB to 1GiB.")
    private Units.@Nullable Size buffer;

    @Option(
            names = "--resync-floor",
            paramLabel = "SIZE",
            converter = Units.SizeConverter.class,
            description = "A second, that a resync keeps beside clients' requests; 0: it does not give way to them.")
    private Units.@Nullable Size floor;

    @Option(
            names = "--resync-ceiling",
            paramLabel = "SIZE",
            converter = Units.SizeConverter.class,
            description = "A second, that a resync sends at most; 0: no limit.")
    private Units.@Nullable Size ceiling;

    @Option(
            names = "--compare",
            negatable = true,
            description = "Whether a resync sends digests first, and then only blocks that differ.")
    private @Nullable Boolean isComparing;

    @Option(
            names = "--after-split-brain",
            paramLabel = "POLICY",
            description = "After both were written apart, where neither is primary: see create.")
    private @Nullable String afterSplitBrain;

    @Option(
            names = "--after-split-brain-primary",
            paramLabel = "disconnect|discard-secondary",
            description = "The same where one side is primary.")
    private @Nullable String afterSplitBrainPrimary;

    Map<String, @Nullable Object> body() throws ClientException {
        var body = new LinkedHashMap<String, @Nullable Object>();
        put(body, "protocol", protocol);
        put(body, "congestion", congestion);
        put(body, "afterSplitBrain", afterSplitBrain);
        put(body, "afterSplitBrainPrimary", afterSplitBrainPrimary);
        put(body, "bufferBytes", buffer);
        put(body, "resyncFloorBytes", floor);
        put(body, "resyncCeilingBytes", ceiling);
        if (isComparing != null) {
            body.put("compare", isComparing);
        }
        if (body.isEmpty()) {
            throw new ClientException(new ClientError.Unusable(
                    "nothing is to be changed",
                    "name one of --protocol, --on-congestion, --buffer, --resync-floor, "
                            + "--resync-ceiling, --compare, --after-split-brain, --after-split-brain-primary"));
        }
        return body;
    }

    private static void put(Map<String, @Nullable Object> body, String name, @Nullable String word) {
        if (word != null) {
            body.put(name, word.toUpperCase(Locale.ROOT).replace('-', '_'));
        }
    }

    private static void put(Map<String, @Nullable Object> body, String name, Units.@Nullable Size size) {
        if (size != null) {
            body.put(name, size.bytes());
        }
    }
}
