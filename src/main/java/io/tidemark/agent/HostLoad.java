package io.tidemark.agent;

import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What the kernel counts of waiting: {@code /proc/pressure} (Documentation/accounting/psi.rst) and {@code
 * /proc/diskstats} (Documentation/admin-guide/iostats.rst).
 */
public final class HostLoad {
    private static final Pattern SOME_TOTAL = Pattern.compile("(?m)^some .*\\btotal=([0-9]{1,18})$");
    private static final int NAME = 2;
    private static final int WRITES = 7;
    private static final int WRITE_MILLIS = 10;
    private static final int FLUSHES = 18;
    private static final int FLUSH_MILLIS = 19;

    private final Path proc;

    /** @param proc {@code /proc}, or a folder like it */
    public HostLoad(Path proc) {
        this.proc = proc;
    }

    /**
     * Since the boot. What cannot be read stays 0, and so looks like calm.
     *
     * @param writes finished on the device, flushes among them; empty when the device is not known
     */
    record Counters(long ioStalledMicros, long cpuStalledMicros, Optional<Long> writes, long writeMillis) {}

    Counters read(Optional<String> device) {
        var disk = device.flatMap(this::disk);
        return new Counters(
                stalled("io"),
                stalled("cpu"),
                disk.map(fields -> fields[0]),
                disk.map(fields -> fields[1]).orElse(0L));
    }

    private long stalled(String resource) {
        try {
            var matcher =
                    SOME_TOTAL.matcher(Files.readString(proc.resolve("pressure").resolve(resource)));
            return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    private Optional<long[]> disk(String name) {
        try {
            for (String line : Files.readAllLines(proc.resolve("diskstats"))) {
                String[] fields = line.strip().split(" +", -1);
                if (fields.length > WRITE_MILLIS && fields[NAME].equals(name)) {
                    // Kernels before 5.5 do not count flushes.
                    boolean counted = fields.length > FLUSH_MILLIS;
                    long flushes = counted ? Long.parseLong(fields[FLUSHES]) : 0;
                    long flushMillis = counted ? Long.parseLong(fields[FLUSH_MILLIS]) : 0;
                    return Optional.of(new long[] {
                        Long.parseLong(fields[WRITES]) + flushes, Long.parseLong(fields[WRITE_MILLIS]) + flushMillis
                    });
                }
            }
            return Optional.empty();
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Kernel's name of the device under the volume: of its own, or of the file system that holds its file. */
    static Optional<String> deviceOf(Volume volume) {
        try {
            Path path = volume.device().orElse(null);
            if (path == null) {
                return Optional.empty();
            }
            Path device =
                    Files.isRegularFile(path) ? Path.of(Files.getFileStore(path).name()) : path;
            return Optional.ofNullable(device.toRealPath().getFileName()).map(Path::toString);
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
