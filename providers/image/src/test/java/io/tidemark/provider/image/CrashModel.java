package io.tidemark.provider.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.Volume;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What must be on the storage after a {@link CrashSubject} said certain things and died. */
final class CrashModel {
    private static final long MIXED = -1;

    private final Map<String, Long> snapshots = new HashMap<>();
    private final Set<String> maybeDeleted = new HashSet<>();
    private final Map<String, Long> clones = new HashMap<>();
    private long volume = MIXED;
    private String unfinished = "";

    /** @param line of the subject's output, whole */
    void heard(String line) {
        var words = List.of(line.split(" ", -1));
        if (words.getFirst().equals("begin")) {
            unfinished = line;
            if (words.get(1).equals("delete")) {
                maybeDeleted.add(words.get(2));
            }
            return;
        }
        unfinished = "";
        switch (words.get(1)) {
            case "fill" -> volume = Long.parseLong(words.get(2));
            case "cut" -> snapshots.put(words.get(2), volume);
            case "clone" -> clones.put(words.get(3), contentOf(words.get(2)));
            case "remove" -> clones.remove(words.get(2));
            case "rollback" -> volume = contentOf(words.get(2));
            case "delete" -> {
                snapshots.remove(words.get(2));
                maybeDeleted.remove(words.get(2));
            }
            default -> throw new AssertionError("not said by the subject: " + line);
        }
    }

    private long contentOf(String point) {
        return snapshots.getOrDefault(point, MIXED);
    }

    void check(StorageProvider provider) throws Exception {
        var begun = List.of(unfinished.split(" ", -1));
        var listed = provider.snapshots(SnapshotQuery.everything()).snapshots().stream()
                .map(Snapshot::id)
                .toList();
        for (var snapshot : listed) {
            var point = snapshot.recoveryPoint().value();
            boolean beingCut =
                    unfinished.startsWith("begin cut") && begun.get(2).equals(point);
            assertThat(snapshots.containsKey(point) || beingCut)
                    .as("%s listed; %s", point, unfinished)
                    .isTrue();
            long expected = snapshots.getOrDefault(point, volume);
            assertThat(contentOf(provider, snapshot))
                    .as("%s; %s", point, unfinished)
                    .isEqualTo(CrashSubject.content(expected));
        }
        for (var point : snapshots.keySet()) {
            boolean gone = !listed.contains(new SnapshotId(CrashSubject.VOLUME, new RecoveryPointId(point)));
            assertThat(gone && !maybeDeleted.contains(point))
                    .as("%s lost; %s", point, unfinished)
                    .isFalse();
        }
        checkVolumes(provider, begun);
    }

    private void checkVolumes(StorageProvider provider, List<String> begun) throws Exception {
        for (Volume found : provider.volumes()) {
            var content = contentOf(provider, found);
            if (!found.id().equals(CrashSubject.VOLUME)) {
                boolean beingMade = unfinished.startsWith("begin clone")
                        && begun.get(3).equals(found.id().value());
                long number = beingMade
                        ? contentOf(begun.get(2))
                        : clones.getOrDefault(found.id().value(), MIXED);
                assertThat(content).as("%s; %s", found.id(), unfinished).isEqualTo(CrashSubject.content(number));
            } else if (!unfinished.startsWith("begin fill") && volume != MIXED) {
                var allowed = new HashSet<ByteBuffer>(Set.of(ByteBuffer.wrap(CrashSubject.content(volume))));
                if (unfinished.startsWith("begin rollback")) {
                    allowed.add(ByteBuffer.wrap(CrashSubject.content(contentOf(begun.get(2)))));
                }
                assertThat(ByteBuffer.wrap(content))
                        .as("volume; %s", unfinished)
                        .isIn(allowed);
            }
        }
        assertThat(provider.volumes().stream().map(Volume::id)).contains(CrashSubject.VOLUME);
    }

    private static byte[] contentOf(StorageProvider provider, SnapshotId snapshot) throws Exception {
        try (var reader = provider.read(snapshot)) {
            var content = ByteBuffer.allocate(CrashSubject.VOLUME_BYTES);
            reader.read(0, content);
            return content.array();
        }
    }

    private static byte[] contentOf(StorageProvider provider, Volume volume) throws Exception {
        try (var writer = provider.write(volume.id())) {
            var content = ByteBuffer.allocate(CrashSubject.VOLUME_BYTES);
            writer.read(0, content);
            return content.array();
        }
    }
}
