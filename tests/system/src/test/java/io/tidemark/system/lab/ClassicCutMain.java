package io.tidemark.system.lab;

import io.tidemark.provider.lvm.LvmProviderFactory;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.util.Arrays;
import java.util.Map;

/**
 * One cut in a process of its own, to be killed in it: it says {@code prepared}, and cuts once it is told a line. Arguments:
 * group, recovery point, names of logical volumes.
 */
final class ClassicCutMain {
    private ClassicCutMain() {}

    public static void main(String[] arguments) throws Exception {
        var group = arguments[0];
        var volumes = Arrays.stream(arguments)
                .skip(2)
                .map(name -> VolumeId.of("lvm", group + "/" + name))
                .toList();
        var request = new CutRequest(new RecoveryPointId(arguments[1]), volumes);
        try (var provider = new LvmProviderFactory().create(Map.of("group", group))) {
            provider.prepare(request);
            System.out.println("prepared");
            if (System.in.read() < 0) {
                return;
            }
            provider.cut(request);
            System.out.println("cut");
        }
    }
}
