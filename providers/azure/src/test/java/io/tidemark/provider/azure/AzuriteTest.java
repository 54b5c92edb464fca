package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import io.tidemark.provider.azure.PageListXml.Range;
import io.tidemark.provider.cloud.Attempts;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Our calls of page blobs against Azurite, an emulator by others: that it reads our requests, and we its answers. What
 * it is known to answer wrongly is kept here, so that the day it is mended these tests say so.
 */
class AzuriteTest {
    private static final long SIZE = 64L << 20;
    private static final int MIB = 1 << 20;

    private static AzuriteServer azurite;
    private static BlobCalls calls;

    @BeforeAll
    static void start() throws Exception {
        azurite = AzuriteServer.start();
        var config = AzureConfig.of(
                "azure",
                Map.of(
                        "subscription", "11111111-2222-3333-4444-555555555555",
                        "location", "westeurope",
                        "resourceGroup", "disks",
                        "installation", "tests",
                        "endpoint", "http://127.0.0.1"));
        var clients = new AzureClients(config, new JdkHttpClientBuilder().build(), Optional.empty());
        calls = new BlobCalls(clients, new Attempts(new Random(1), pause -> {}));
    }

    @AfterAll
    static void stop() throws Exception {
        if (azurite != null) {
            azurite.close();
        }
    }

    @Test
    void pagesAreReadAndListedAsTheyWereWritten() throws Exception {
        azurite.create("written", SIZE);
        var blob = azurite.blob("written");
        var bytes = new byte[3 * 512];
        new Random(2).nextBytes(bytes);
        var large = new byte[BlobCalls.CHUNK_BYTES];
        new Random(3).nextBytes(large);

        calls.put(blob, 512, bytes);
        calls.put(blob, 8 * MIB, large);
        calls.clear(blob, 1_024, 512);

        assertThat(calls.bytes(blob, 512, 512)).isEqualTo(java.util.Arrays.copyOf(bytes, 512));
        assertThat(calls.bytes(blob, 1_024, 512)).containsOnly(0);
        assertThat(calls.bytes(blob, 8 * MIB, large.length)).isEqualTo(large);
        assertThat(calls.bytes(blob, SIZE - 5, 5)).containsOnly(0);
        var listed = calls.ranges(blob, Optional.empty(), Optional.empty());
        assertThat(listed.ranges())
                .containsExactly(
                        new Range(512, 1_024, false),
                        new Range(1_536, 2_048, false),
                        new Range(8 * MIB, 12 * MIB, false));
        assertThat(listed.next()).isEmpty();
    }

    @Test
    void aSnapshotKeepsWhatItHad() throws Exception {
        azurite.create("kept", SIZE);
        var blob = azurite.blob("kept");
        calls.put(blob, 0, filled(512, 1));
        var snapshot = azurite.snapshot("kept");
        calls.put(blob, 0, filled(512, 2));

        assertThat(calls.bytes(snapshot, 0, 512)).containsOnly(1);
        assertThat(calls.bytes(blob, 0, 512)).containsOnly(2);
    }

    @Test
    void aSignatureThatHasExpiredIsRefused() throws Exception {
        azurite.create("expired", SIZE);
        URI expired = azurite.blob("expired", Duration.ofMinutes(-30));

        assertThatThrownBy(() -> calls.bytes(expired, 0, 512)).isInstanceOf(BlobCalls.Refused.class);
        assertThatThrownBy(() -> calls.put(expired, 0, new byte[512])).isInstanceOf(BlobCalls.Refused.class);
    }

    /**
     * Wrong: the difference to an older snapshot is one page that was written and one that was cleared ("Get Page
     * Ranges", Azurite issue 812). Who trusted this would copy all of it each time, and never learn of what was
     * cleared.
     */
    @Test
    void wrongTheDifferenceIsEverythingAndNothingIsCleared() throws Exception {
        azurite.create("differing", SIZE);
        var blob = azurite.blob("differing");
        calls.put(blob, 0, filled(512, 1));
        calls.put(blob, 4_096, filled(512, 1));
        var older = azurite.snapshot("differing");
        calls.put(blob, 8_192, filled(512, 1));
        calls.clear(blob, 0, 512);
        var newer = azurite.snapshot("differing");

        var difference = calls.ranges(newer, Optional.of(older), Optional.empty());

        assertThat(difference.ranges())
                .as("mended in Azurite: hold our reading of differences against it")
                .containsExactly(new Range(4_096, 4_608, false), new Range(8_192, 8_704, false));
    }

    /** Wrong: more than 4 MiB at once is refused ("Put Page"). */
    @Test
    void wrongAPageWriteOfMoreThan4MibIsTaken() throws Exception {
        azurite.create("large", SIZE);
        var blob = azurite.blob("large");

        calls.put(blob, 0, filled(5 * MIB, 7));

        assertThat(calls.bytes(blob, 5 * MIB - 512, 512))
                .as("mended in Azurite")
                .containsOnly(7);
    }

    private static byte[] filled(int length, int with) {
        var bytes = new byte[length];
        java.util.Arrays.fill(bytes, (byte) with);
        return bytes;
    }
}
