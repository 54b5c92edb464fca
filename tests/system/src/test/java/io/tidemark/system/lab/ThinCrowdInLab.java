package io.tidemark.system.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.Snapshot;
import io.tidemark.spi.SnapshotQuery;
import io.tidemark.spi.VolumeId;
import io.tidemark.system.ground.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Many callers of the provider of thin volumes at once, and many snapshots. */
@InLab
class ThinCrowdInLab {
    private static final long VOLUME_BYTES = 64 << 20;
    private static final int SNAPSHOTS = 1_000;

    @Test
    void whatManyThreadsMakeAtOnceIsThereOnce() throws Exception {
        var pool = LabPool.make("128M", "8M");
        try (var provider = pool.open()) {
            new Crowd(provider, pool::volume).run();

            assertThat(pool.suspended()).isEmpty();
        }
    }

    /** A thousand of one pool, page after page, each by one report of LVM. */
    @Test
    void pagesOfSnapshotsTakeOneReportEach() throws Exception {
        var pool = LabPool.make("64M", "16M");
        VolumeId volume;
        try (var provider = pool.open()) {
            volume = provider.create(pool.volume("a"), VOLUME_BYTES).id();
            LabPool.cut(provider, volume, "rp-0");
            // It takes from the first one the tag of what may not have been cut.
            LabPool.cut(provider, volume, "rp-1");
        }
        multiply(pool, SNAPSHOTS - 1);
        try (var provider = pool.open();
                var lvs = ToolFault.in("lvs")) {
            var millis = new ArrayList<Long>();
            for (int time = 0; time < 3; time++) {
                long started = System.nanoTime();
                assertThat(provider.snapshots(SnapshotQuery.everything()).snapshots())
                        .hasSize(SNAPSHOTS);
                millis.add((System.nanoTime() - started) / 1_000_000);
            }
            System.out.printf("lab: %d snapshots in ms %s%n", SNAPSHOTS, millis);
            lvs.count();
            var query = new SnapshotQuery(Optional.of(volume), Optional.empty(), Optional.empty(), SNAPSHOTS / 2);
            var first = provider.snapshots(query);
            var second = provider.snapshots(query.after(first.nextCursor().orElseThrow()));

            assertThat(lvs.calls()).isEqualTo(2);
            assertThat(second.nextCursor()).isEmpty();
            assertThat(second.snapshots()).hasSize(SNAPSHOTS / 2);
            assertThat(first.snapshots())
                    .map(Snapshot::id)
                    .doesNotContainAnyElementsOf(
                            second.snapshots().stream().map(Snapshot::id).toList());
        }
    }

    /** In LVM's metadata alone, for each would take a second: copies of the first snapshot, of later points. */
    private static void multiply(LabPool pool, int times) throws IOException {
        var file = Files.createTempFile("group", ".vg");
        Programs.run("vgcfgbackup", "-f", file.toString(), pool.group());
        var text = Files.readString(file);
        var tag = "\"tidemark.point=rp-0\"";
        int start = text.lastIndexOf("\n\t\ttidemark-s-", text.indexOf(tag));
        int end = text.indexOf("\n\t\t}\n", start) + "\n\t\t}\n".length();
        var one = text.substring(start, end);
        var copies = new StringBuilder(text.substring(0, end));
        for (int number = 2; number <= times; number++) {
            copies.append(one.replace(tag, "\"tidemark.point=rp-%d\"".formatted(number))
                    .replaceFirst("tidemark-s-.{8}", "tidemark-s-%08d".formatted(number))
                    .replaceFirst("id = \"(.{6})-.{4}-", "id = \"$1-%04d-".formatted(number))
                    .replaceFirst("device_id = \\d+", "device_id = " + (100 + number)));
        }
        Files.writeString(file, copies.append(text, end, text.length()));
        Programs.run("vgchange", "-q", "-a", "n", pool.group());
        Programs.run("vgcfgrestore", "--force", "-f", file.toString(), pool.group());
        Programs.run("vgchange", "-q", "-a", "y", pool.group());
    }
}
