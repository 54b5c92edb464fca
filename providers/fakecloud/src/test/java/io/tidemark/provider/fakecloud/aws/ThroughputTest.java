package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Blocks with 64 in flight arrive whole; how fast is printed, not asserted. */
class ThroughputTest extends ModelChecked {
    private static final int BLOCK = 512 << 10;
    private static final int BLOCKS = 4096;
    private static final int IN_FLIGHT = 64;
    private static final int PATTERNS = 61;

    @BeforeAll
    static void keepEveryConnection() {
        // The JDK keeps five, and opens and closes the others for each call.
        System.setProperty("http.maxConnections", String.valueOf(IN_FLIGHT));
    }

    /** One call of its number. */
    private interface Step {
        void run(int index) throws Exception;
    }

    @Test
    void blocksInParallelArriveWhole() throws Exception {
        var patterns = patterns();
        var checksums = patterns.stream()
                .map(block -> Base64.getEncoder().encodeToString(AwsWire.sha256(block)))
                .toList();
        for (int round = 0; round < 2; round++) {
            String id =
                    wire.start("{\"VolumeSize\":2}").json().path("SnapshotId").asText();
            double written = inParallel(
                    index -> put(id, index, patterns.get(index % PATTERNS), checksums.get(index % PATTERNS)));
            assertThat(wire.complete(id, BLOCKS).status()).isEqualTo(202);
            var blocks = wire.get("/snapshots/%s/blocks?maxResults=10000".formatted(id))
                    .json()
                    .path("Blocks");
            assertThat(blocks).hasSize(BLOCKS);
            double read = inParallel(index -> assertThat(
                            get(id, index, blocks.get(index).path("BlockToken").asText()))
                    .isEqualTo(patterns.get(index % PATTERNS)));
            System.out.printf("512 KiB blocks, 64 in flight: %.0f MiB/s written, %.0f MiB/s read%n", written, read);
        }
    }

    private static List<byte[]> patterns() {
        var random = new Random(7);
        var patterns = new ArrayList<byte[]>();
        for (int count = 0; count < PATTERNS; count++) {
            byte[] block = new byte[BLOCK];
            random.nextBytes(block);
            patterns.add(block);
        }
        return patterns;
    }

    /** MiB in a second. */
    private static double inParallel(Step step) throws Exception {
        long start = System.nanoTime();
        try (var pool = Executors.newFixedThreadPool(IN_FLIGHT)) {
            var running = new ArrayList<Future<?>>();
            for (int index = 0; index < BLOCKS; index++) {
                int number = index;
                running.add(pool.submit(() -> {
                    step.run(number);
                    return number;
                }));
            }
            for (var each : running) {
                each.get();
            }
        }
        return BLOCKS / 2.0 / ((System.nanoTime() - start) / 1e9);
    }

    private void put(String id, int index, byte[] block, String checksum) throws IOException, URISyntaxException {
        var connection = open("/snapshots/%s/blocks/%d".formatted(id, index));
        connection.setRequestMethod("PUT");
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(block.length);
        Map.of("x-amz-Data-Length", "524288", "x-amz-Checksum", checksum, "x-amz-Checksum-Algorithm", "SHA256")
                .forEach(connection::setRequestProperty);
        try (var out = connection.getOutputStream()) {
            out.write(block);
        }
        assertThat(connection.getResponseCode()).isEqualTo(201);
        connection.getInputStream().close();
    }

    private byte[] get(String id, int index, String token) throws IOException, URISyntaxException {
        var connection = open("/snapshots/%s/blocks/%d?blockToken=%s".formatted(id, index, token.replace("+", "%2B")));
        try (var in = connection.getInputStream()) {
            return in.readNBytes(BLOCK);
        }
    }

    private HttpURLConnection open(String path) throws IOException, URISyntaxException {
        return (HttpURLConnection) new URI(aws.endpoint() + path).toURL().openConnection();
    }
}
