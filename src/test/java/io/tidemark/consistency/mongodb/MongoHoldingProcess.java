package io.tidemark.consistency.mongodb;

import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A process that holds a server's writers until a line is read, for tests that kill it. */
final class MongoHoldingProcess {
    private MongoHoldingProcess() {}

    /** Arguments: port, state folder, freeze limit in milliseconds. Says when it holds, and whether it has held. */
    public static void main(String[] arguments) throws Exception {
        var limit = Duration.ofMillis(Long.parseLong(arguments[2]));
        var frozen = new MongoDbQuiescerFactory(Path.of(arguments[1]))
                .create(new QuiescerSpec("mongodb", Map.of("port", arguments[0], "mode", "fsyncLock")))
                .freeze(new RecoveryPointId("rp-1"), limit);
        System.out.println("holding");
        frozen.hold(limit);
        System.out.println("held");
        var unused = System.in.read();
        boolean held = frozen.heldUntilNow();
        System.out.println(
                "held until now: " + (held && frozen.thaw().freezes().getFirst().heldUntilThaw()));
    }
}
