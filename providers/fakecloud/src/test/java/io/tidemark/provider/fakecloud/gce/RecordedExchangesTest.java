package io.tidemark.provider.fakecloud.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.Loudly;
import io.tidemark.provider.fakecloud.PublishedModels;
import io.tidemark.provider.fakecloud.gce.DiscoveryModel.Severity;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * The checker over exchanges that another project holds to be those of the real service (recorded/kcc): what it finds
 * there is what the service bears, and the number of it is pinned.
 */
class RecordedExchangesTest {
    private static final String FOLDER = "recorded/kcc";

    /** Read once: it takes a tenth of a second. */
    private static final Supplier<DiscoveryModel> V1 = once(DiscoveryModel::v1);

    private static final Supplier<DiscoveryModel> BETA = once(DiscoveryModel::beta);

    /** @param answers findings in answers; of requests by severity beside it */
    private record Tally(int exchanges, List<String> errors, List<String> warnings, List<String> answers) {}

    @Test
    void recordedExchangesAreFoundRightButForWhatTheServiceBears() throws Exception {
        Loudly.needs(
                DiscoveryModel.available() && PublishedModels.available(FOLDER),
                "no recordings; set -Dtidemark.cloudModels");
        var tally = new Tally(0, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        int exchanges = 0;
        try (var files = Files.walk(PublishedModels.path(FOLDER))) {
            for (Path file :
                    files.filter(each -> each.endsWith("_http.log")).sorted().toList()) {
                exchanges += read(file, tally);
            }
        }

        System.out.printf("%d exchanges: %s%n", exchanges, tally);
        assertThat(exchanges).isEqualTo(74);
        assertThat(tally.answers()).isEmpty();
        assertThat(tally.errors()).hasSize(3).containsOnly("diskConsistencyGroupPolicy is null");
        assertThat(tally.warnings()).hasSize(5).containsOnly("region is output only", "zone is output only");
    }

    private static <T> Supplier<T> once(Supplier<T> reading) {
        var read = new ArrayList<T>(1);
        return () -> {
            if (read.isEmpty()) {
                read.add(reading.get());
            }
            return read.getFirst();
        };
    }

    private static int read(Path file, Tally tally) throws IOException {
        String text = Files.readString(file)
                .replace("${projectId}", "example-project")
                .replace("${uniqueId}", "abcdef")
                .replaceAll("\"(id|targetId)\": \"\\$\\{[A-Za-z]+}\"", "\"$1\": \"1\"")
                .replaceAll("\\$\\{[A-Za-z]+}", "replaced-1");
        int count = 0;
        for (String exchange : text.split("\n---\n", -1)) {
            if (exchange.contains("https://compute.googleapis.com/")) {
                check(exchange.strip(), tally);
                count++;
            }
        }
        return count;
    }

    private static void check(String exchange, Tally tally) {
        String[] parts = exchange.split("\n(?=[0-9]{3} [A-Z])", 2);
        var request = request(parts[0]);
        boolean beta = request.path.contains("/beta/");
        var model = beta ? BETA.get() : V1.get();
        var check = new DiscoveryCheck(model);
        for (var each : check.request(request)) {
            (each.severity() == Severity.ERROR ? tally.errors() : tally.warnings()).add(each.text());
        }
        String method = model.match(request.method, request.path)
                .map(each -> each.method().id())
                .orElse("");
        int status = Integer.parseInt(parts[1].substring(0, 3));
        if (!method.isEmpty()) {
            check.answer(method, status, body(parts[1]))
                    .forEach(each -> tally.answers().add(method + " " + each.text()));
        }
    }

    private static HttpRequest request(String text) {
        String[] words = text.lines().findFirst().orElseThrow().split(" ", -1);
        var address = URI.create(words[1]);
        String target = address.getRawQuery() == null
                ? address.getRawPath()
                : address.getRawPath() + "?" + address.getRawQuery();
        return new HttpRequest(words[0], target, Map.copyOf(new TreeMap<String, String>()), body(text));
    }

    private static byte[] body(String text) {
        int empty = text.indexOf("\n\n");
        return (empty < 0 ? "" : text.substring(empty).strip()).getBytes(StandardCharsets.UTF_8);
    }
}
