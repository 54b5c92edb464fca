package io.tidemark.nativeblock;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** The device mapper by its ioctls, through the native library: {@code thin_cut.c}, {@code classic_cut.c}. */
final class LinuxDeviceMapper implements DeviceMapper {
    private static final Path CONTROL = Path.of("/dev/mapper/control");

    /** {@code struct tidemark_thin_cut}, whose size {@code thin_cut.c} asserts. */
    private static final int NAME_BYTES = 128;

    private static final long POOL_AT = NAME_BYTES;
    private static final long ORIGIN_ID_AT = POOL_AT + NAME_BYTES;
    private static final long SNAPSHOT_ID_AT = ORIGIN_ID_AT + 4;
    private static final long ACTIVE_AT = SNAPSHOT_ID_AT + 4;
    private static final long ERROR_AT = ACTIVE_AT + 4;
    private static final long SECTORS_AT = ERROR_AT + 12;
    private static final long ASKED_AT = SECTORS_AT + 8;
    private static final long CUT_BYTES = ASKED_AT + 32;

    /** {@code struct tidemark_classic_cut}, whose size {@code classic_cut.c} asserts. */
    private static final long SNAPSHOT_AT = NAME_BYTES;

    private static final long STORE_AT = SNAPSHOT_AT + NAME_BYTES;
    private static final long MARK_PLACE = STORE_AT + NAME_BYTES;
    private static final long CLASSIC_ERROR_AT = MARK_PLACE + MARK_BYTES;
    private static final long CLASSIC_SECTORS_AT = CLASSIC_ERROR_AT + 8;
    private static final long CLASSIC_BYTES = CLASSIC_SECTORS_AT + 40;

    private final TidemarkBlockLibrary library;

    LinuxDeviceMapper(TidemarkBlockLibrary library) {
        this.library = library;
    }

    @Override
    public List<CutOutcome> cut(List<ThinCut> cuts) throws IOException {
        return cut(cuts, CUT_BYTES, LinuxDeviceMapper::put, library::tidemark_thin_cut, LinuxDeviceMapper::thinOutcome);
    }

    @Override
    public List<CutOutcome> cutClassic(List<ClassicCut> cuts) throws IOException {
        return cut(
                cuts,
                CLASSIC_BYTES,
                LinuxDeviceMapper::putClassic,
                library::tidemark_classic_cut,
                LinuxDeviceMapper::classicOutcome);
    }

    @FunctionalInterface
    private interface Call {
        long cut(long cuts, int count);
    }

    private static <T> List<CutOutcome> cut(
            List<T> cuts,
            long bytes,
            BiConsumer<MemorySegment, T> put,
            Call call,
            Function<MemorySegment, CutOutcome> outcome)
            throws IOException {
        if (cuts.size() > CUTS_MAXIMUM) {
            throw new IllegalArgumentException("%d cuts, more than %d".formatted(cuts.size(), CUTS_MAXIMUM));
        }
        try (var arena = Arena.ofConfined()) {
            var memory = arena.allocate(Math.max(1, cuts.size()) * bytes, Long.BYTES);
            for (int i = 0; i < cuts.size(); i++) {
                put.accept(memory.asSlice(i * bytes, bytes), cuts.get(i));
            }
            long done = call.cut(memory.address(), cuts.size());
            if (done < 0) {
                throw new HostCallException("cutting by the device mapper", CONTROL, (int) -done);
            }
            var outcomes = new ArrayList<CutOutcome>(cuts.size());
            for (int i = 0; i < cuts.size(); i++) {
                outcomes.add(outcome.apply(memory.asSlice(i * bytes, bytes)));
            }
            return outcomes;
        }
    }

    private static void putClassic(MemorySegment struct, ClassicCut cut) {
        putName(struct, 0, cut.origin());
        putName(struct, SNAPSHOT_AT, cut.snapshot());
        putName(struct, STORE_AT, cut.store());
        MemorySegment.copy(MemorySegment.ofBuffer(cut.mark()), 0, struct, MARK_PLACE, MARK_BYTES);
        struct.set(ValueLayout.JAVA_LONG, CLASSIC_SECTORS_AT, cut.sectors());
    }

    private static CutOutcome classicOutcome(MemorySegment struct) {
        return outcome(struct, CLASSIC_ERROR_AT, CLASSIC_SECTORS_AT + 8);
    }

    private static CutOutcome thinOutcome(MemorySegment struct) {
        return outcome(struct, ERROR_AT, ASKED_AT);
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

    /** Of either struct: the step follows the error, and the four times follow one another. */
    private static CutOutcome outcome(MemorySegment struct, long errorAt, long timesAt) {
        return new CutOutcome(
                struct.get(ValueLayout.JAVA_INT, errorAt),
                step(struct.get(ValueLayout.JAVA_INT, errorAt + 4)),
                struct.get(ValueLayout.JAVA_LONG, timesAt),
                struct.get(ValueLayout.JAVA_LONG, timesAt + 8),
                struct.get(ValueLayout.JAVA_LONG, timesAt + 16),
                struct.get(ValueLayout.JAVA_LONG, timesAt + 24));
    }

    /** {@code TIDEMARK_CUT_STEP_*}. */
    private static Step step(int code) {
        return switch (code) {
            case 0 -> Step.NONE;
            case 1 -> Step.CHECK;
            case 2 -> Step.SUSPEND;
            case 3 -> Step.CREATE;
            case 4 -> Step.RESUME;
            case 5 -> Step.HELD;
            case 6 -> Step.POOL;
            case 7 -> Step.RESET;
            case 8 -> Step.MARK;
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
