package io.tidemark.consistency.command;

import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.RecoveryPointId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A process that holds an application until a line is read, for tests that kill it. */
final class HoldingProcess {
    private HoldingProcess() {}

    /** Arguments: folder of the programs, freeze limit in milliseconds. Says when it holds, and whether it has held. */
    public static void main(String[] arguments) throws Exception {
        var folder = Path.of(arguments[0]);
        var limit = Duration.ofMillis(Long.parseLong(arguments[1]));
        var definition = CommandDefinition.of(
                "orders",
                Map.of(
                        "freeze.0", folder.resolve("freeze").toString(),
                        "thaw.0", folder.resolve("thaw").toString(),
                        "freezeTimeoutMillis", "5000"));
        var frozen = new CommandQuiescerFactory(Map.of("orders", definition), folder.resolve("state"))
                .create(new QuiescerSpec("command", Map.of("name", "orders")))
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
