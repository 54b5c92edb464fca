package io.tidemark.simulation;

import io.tidemark.provider.memory.MemoryContent;
import io.tidemark.spi.RecoveryPointId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a volume must be: what people made of it, until a durable commit makes it a recovery point; while that one is
 * carried out each block is the one or the other. And what is to be overwritten is a snapshot before.
 */
final class VolumeCheck {
    /** Contents that the volume has had; a kept one is one of the newest. */
    private static final int HISTORY_MAXIMUM = 64;

    private final SimulatedHost host;
    private final List<MemoryContent> history = new ArrayList<>();
    private MemoryContent is;
    private Optional<RecoveryPointId> overwriting = Optional.empty();
    private boolean direct;
    /** Blocks that people wrote while a commit was being carried out, by their first byte. */
    private final Map<Long, byte[]> meanwhile = new HashMap<>();

    /** Of those, what is in a kept content: it may be there still, or not. */
    private final Map<Long, byte[]> keptOfPeople = new HashMap<>();

    private boolean wasWritten;
    private boolean writtenSinceCompared = true;

    VolumeCheck(SimulatedHost host) {
        this.host = host;
        this.is = now();
        history.add(is);
    }

    private MemoryContent now() {
        return host.storage.content(SimulatedHost.VOLUME);
    }

    /** Whether anybody but a synchronisation wrote, ever. */
    boolean wasWritten() {
        return wasWritten;
    }

    boolean writtenSinceCompared() {
        return writtenSinceCompared;
    }

    void compared() {
        writtenSinceCompared = false;
    }

    /** Already there. */
    void written(long offset, byte[] block) {
        wasWritten = true;
        writtenSinceCompared = true;
        if (overwriting.isEmpty() && !begins()) {
            isNow();
            return;
        }
        meanwhile.put(offset, block.clone());
        keptOfPeople.remove(offset);
    }

    private boolean begins() {
        return host.target.between() || host.target.direct();
    }

    private void isNow() {
        is = now();
        history.add(is);
        if (history.size() > HISTORY_MAXIMUM) {
            history.removeFirst();
        }
    }

    /** A kept content is one that the volume has had; what it has of people's may be overwritten from now on. */
    void isWhatItWas(RecoveryPointId kept, MemoryContent content) {
        if (overwriting.isEmpty()) {
            World.require(
                    history.stream().anyMatch(content::sameAs),
                    () -> "%s keeps what the volume of %s never was".formatted(kept, host.name));
            return;
        }
        byte[] bytes = content.bytes();
        eachBlockIsOneOf(bytes, is, overwriting.get());
        meanwhile.forEach((offset, block) -> {
            if (Arrays.equals(bytes, offset.intValue(), offset.intValue() + block.length, block, 0, block.length)) {
                keptOfPeople.put(offset, block);
            }
        });
        keptOfPeople.keySet().forEach(meanwhile::remove);
    }

    /** After an effect of the host. */
    void check() {
        if (host.target.direct()) {
            // Nothing is there that could be harmed.
            direct = true;
            return;
        }
        if (direct) {
            direct = false;
            isNow();
        }
        var log = host.target.log;
        if (overwriting.isEmpty() && log != null && host.target.between()) {
            overwriting = Optional.of(log.header.point());
            World.require(
                    host.snapshots().stream()
                            .map(point -> host.storage.content(SimulatedHost.snapshot(point)))
                            .flatMap(Optional::stream)
                            .anyMatch(is::sameAs),
                    () -> "the volume of %s is overwritten, and nothing keeps what it was".formatted(host.name));
        }
        if (overwriting.isPresent()) {
            boolean ended = log == null || !log.header.point().equals(overwriting.get());
            boolean whole = ended && host.inStep.equals(overwriting);
            eachBlockIsOneOf(now().bytes(), whole ? host.world.content(overwriting.get()) : is, overwriting.get());
            if (ended) {
                overwriting = Optional.empty();
                meanwhile.clear();
                keptOfPeople.clear();
                isNow();
            }
            return;
        }
        World.require(now().sameAs(is), () -> "the volume of %s is not what was made of it".formatted(host.name));
    }

    private void eachBlockIsOneOf(byte[] volume, MemoryContent older, RecoveryPointId newer) {
        byte[] before = older.bytes();
        byte[] after = host.world.content(newer).bytes();
        for (int offset = 0; offset < volume.length; offset += World.BLOCK_BYTES) {
            int from = offset;
            int to = Math.min(volume.length, from + World.BLOCK_BYTES);
            byte[] block = Arrays.copyOfRange(volume, from, to);
            byte[] people = meanwhile.get((long) from);
            if (Arrays.equals(block, keptOfPeople.get((long) from))) {
                continue;
            }
            World.require(
                    people == null
                            ? Arrays.equals(block, 0, block.length, before, from, to)
                                    || Arrays.equals(block, 0, block.length, after, from, to)
                            : Arrays.equals(block, people),
                    () -> people == null
                            ? "block at %d is neither what it was nor that of %s".formatted(from, newer)
                            : "somebody wrote at %d, and nothing keeps it".formatted(from));
        }
    }
}
