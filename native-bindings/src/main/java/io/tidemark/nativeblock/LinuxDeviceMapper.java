package io.tidemark.nativeblock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The device mapper by its ioctls, through the native library: {@code thin_cut.c}. */
final class LinuxDeviceMapper implements DeviceMapper {
    private static final Path CONTROL = Path.of("/dev/mapper/control");

    /** {@code struct tidemark_thin_cut}, whose size {@code thin_cut.c} asserts. */
    private static final int NAME_BYTES = 128;

    private static final long POOL_AT = NAME_BYTES;
    private static final long ORIGIN_ID_AT = POOL_AT + NAME_BYTES;
    private static final long SNAPSHOT_ID_AT = ORIGIN_ID_AT + 4;
    private static final long ACTIVE_AT = SNAPSHOT_ID_AT + 4;
    private static final long ERROR_AT = ACTIVE_AT + 4;
    private static final long FAILED_AT = ERROR_AT + 4;
    private static final long SECTORS_AT = FAILED_AT + 8;
    private static final long ASKED_AT = SECTORS_AT + 8;
    private static final long SUSPENDED_AT = ASKED_AT + 8;
    private static final long CUT_AT = SUSPENDED_AT + 8;
    private static final long RESUMED_AT = CUT_AT + 8;
    private static final long CUT_BYTES = RESUMED_AT + 8;

    private final TidemarkBlockLibrary library;

    LinuxDeviceMapper(TidemarkBlockLibrary library) {
        this.library = library;
    }

    @Override
    public List<CutOutcome> cut(List<ThinCut> cuts) throws IOException {
        if (cuts.size() > CUTS_MAXIMUM) {
            throw new IllegalArgumentException("%d cuts, more than %d".formatted(cuts.size(), CUTS_MAXIMUM));
        }
        try (var arena = Arena.ofConfined()) {
            var memory = arena.allocate(Math.max(1, cuts.size()) * CUT_BYTES, Long.BYTES);
            for (int i = 0; i < cuts.size(); i++) {
                put(memory.asSlice(i * CUT_BYTES, CUT_BYTES), cuts.get(i));
            }
            long done = library.tidemark_thin_cut(memory.address(), cuts.size());
            if (done < 0) {
                throw new HostCallException("cutting by the device mapper", CONTROL, (int) -done);
            }
            var outcomes = new ArrayList<CutOutcome>(cuts.size());
            for (int i = 0; i < cuts.size(); i++) {
                outcomes.add(outcome(memory.asSlice(i * CUT_BYTES, CUT_BYTES)));
            }
            return outcomes;
        }
    }

    private static void put(MemorySegment struct, ThinCut cut) {
        putName(struct, 0, cut.origin());
        putName(struct, POOL_AT, cut.pool());
        struct.set(ValueLayout.JAVA_INT, ORIGIN_ID_AT, cut.originId());
        struct.set(ValueLayout.JAVA_INT, SNAPSHOT_ID_AT, cut.snapshotId());
        struct.set(ValueLayout.JAVA_INT, ACTIVE_AT, cut.active() ? 1 : 0);
        struct.set(ValueLayout.JAVA_LONG, SECTORS_AT, cut.sectors());
    }

    private static void putName(MemorySegment struct, long at, String name) {
        var bytes = nulTerminated(name);
        MemorySegment.copy(bytes, 0, struct, ValueLayout.JAVA_BYTE, at, bytes.length);
    }

    private static byte[] nulTerminated(String name) {
        var bytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
        if (bytes.length > NAME_BYTES || name.isEmpty()) {
            throw new IllegalArgumentException("no name of a mapped device: " + name);
        }
        return bytes;
    }

    private static CutOutcome outcome(MemorySegment struct) {
        return new CutOutcome(
                struct.get(ValueLayout.JAVA_INT, ERROR_AT),
                step(struct.get(ValueLayout.JAVA_INT, FAILED_AT)),
                struct.get(ValueLayout.JAVA_LONG, ASKED_AT),
                struct.get(ValueLayout.JAVA_LONG, SUSPENDED_AT),
                struct.get(ValueLayout.JAVA_LONG, CUT_AT),
                struct.get(ValueLayout.JAVA_LONG, RESUMED_AT));
    }

    /** {@code TIDEMARK_THIN_STEP_*}. */
    private static Step step(int code) {
        return switch (code) {
            case 0 -> Step.NONE;
            case 1 -> Step.CHECK;
            case 2 -> Step.SUSPEND;
            case 3 -> Step.CREATE;
            case 4 -> Step.RESUME;
            case 5 -> Step.HELD;
            case 6 -> Step.POOL;
            default -> throw new AssertionError("the library has no step " + code);
        };
    }

    @Override
    public boolean resume(String device) throws IOException {
        long resumed = library.tidemark_resume(nulTerminated(device));
        if (resumed < 0) {
            throw new HostCallException("resuming", Path.of("/dev/mapper", device), (int) -resumed);
        }
        return resumed != 0;
    }
}
