package io.tidemark.provider.ebs;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.HttpServer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What goes over the wire for a block. */
class DirectWritesTest {

    @Test
    void aBlockIsSentWithoutAskingFirstWhetherItMayBe() throws Exception {
        List<HttpRequest> seen = Collections.synchronizedList(new ArrayList<>());
        var block = new byte[DirectCalls.BLOCK_BYTES];
        new Random(1).nextBytes(block);

        try (var server = new HttpServer(request -> taken(request, seen), () -> 1);
                var clients = EbsAccount.clients(
                        EbsAccount.config("eu-central-1", server.address().toString()))) {
            var writes = new DirectWrites(clients.direct(), new Attempts(new Random(1), pause -> {}));
            writes.put("snap-0123456789abcdef0", 7, block, DirectCalls.digestOf(ByteBuffer.wrap(block)));
        }

        assertThat(seen).hasSize(1);
        assertThat(seen.getFirst().body).isEqualTo(block);
        assertThat(seen.getFirst().header("expect")).isNull();
    }

    private static HttpAnswer taken(HttpRequest request, List<HttpRequest> seen) {
        seen.add(request);
        var checksum = Objects.requireNonNull(request.header("x-amz-checksum"));
        return new HttpAnswer(
                201,
                "application/json",
                Map.of("x-amz-Checksum", checksum, "x-amz-Checksum-Algorithm", "SHA256"),
                new byte[0]);
    }
}
