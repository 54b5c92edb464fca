package io.tidemark.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ExportServerTest {
    @TempDir
    Path folder;

    @Test
    void whomNoThreadCanBeHadForLeavesHisPlaceToOthers() throws Exception {
        var storage = new SlowStorage();
        storage.letClose();
        var left = new AtomicInteger(ExportServer.CONNECTIONS_MAXIMUM + 1);
        try (var exports = new Exports(
                        storage.providers(),
                        Overlays.in(folder, 1 << 20, Optional.empty()),
                        Optional.empty(),
                        List::of);
                var server = ExportServer.atSocket(folder.resolve("nbd.sock"), exports, work -> {
                    if (left.getAndDecrement() > 0) {
                        throw new OutOfMemoryError("unable to create native thread");
                    }
                    return new Thread(work);
                })) {
            exports.open(new Export(new ExportId("ex-1"), "file:disk", Export.Access.WRITABLE, Instant.EPOCH));
            for (int client = 0; client <= ExportServer.CONNECTIONS_MAXIMUM; client++) {
                assertThatThrownBy(() -> new NbdClient(folder.resolve("nbd.sock")).go("ex-1"))
                        .isInstanceOf(IOException.class);
            }

            try (var client = new NbdClient(folder.resolve("nbd.sock")).go("ex-1")) {
                client.ask(3, 0, 1, 0, 0);
                assertThat(client.simple().cookie()).isEqualTo(1);
            }
        }
    }
}
