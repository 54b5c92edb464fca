package io.tidemark.system.lab;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.Step;
import io.tidemark.spi.VolumeId;
import java.util.Map;

/**
 * One rollback in a process of its own, to be killed in it: it says {@code prepared}, and begins once it is told a line.
 * Arguments: group, name of the logical volume, recovery point.
 */
final class ClassicRollbackMain {
    private ClassicRollbackMain() {}

    public static void main(String[] arguments) throws Exception {
        var volume = VolumeId.of("lvm", arguments[0] + "/" + arguments[1]);
        try (var provider = new LvmProviderFactory().create(Map.of("group", arguments[0]))) {
            System.out.println("prepared");
            if (System.in.read() < 0) {
                return;
            }
            Step<?> step = provider.rollback(new SnapshotId(volume, new RecoveryPointId(arguments[2])));
            while (step instanceof Step.Running<?> running) {
                Thread.sleep(running.askAgainAfter());
                step = provider.resume(running.handle());
            }
            System.out.println("rolled back");
        }
    }
}
