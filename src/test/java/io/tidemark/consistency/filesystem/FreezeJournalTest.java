package io.tidemark.consistency.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.consistency.FileSystems.MountedVolume;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreezeJournalTest {
    private static final RecoveryPointId POINT = new RecoveryPointId("rp-1");
    private static final MountedVolume ORDERS =
            new MountedVolume(new VolumeId("image:orders"), "7:1", Path.of("/mnt/or ders\n\u00e4"), "ext4");

    @TempDir
    Path folder;

    @Test
    void whatWasWrittenIsReadBackByTheNextProcess() throws IOException {
        var file = new FreezeJournal(folder).write(POINT, "boot-1", List.of(ORDERS));

        var entries = new FreezeJournal(folder).entries();

        assertThat(entries)
                .containsExactly(new FreezeJournal.Entry(
                        file, "boot-1", List.of(new FreezeJournal.Intent("7:1", ORDERS.mountPoint()))));
    }

    @Test
    void removedEntryIsGone() throws IOException {
        var journal = new FreezeJournal(folder);

        journal.remove(journal.write(POINT, "boot-1", List.of(ORDERS)));

        assertThat(journal.entries()).isEmpty();
    }

    @Test
    void folderThatWasNeverMadeHasNoEntries() throws IOException {
        assertThat(new FreezeJournal(folder.resolve("none")).entries()).isEmpty();
    }

    /** A cut at any byte: the entry is whole or names nothing; nothing was frozen before it was whole. */
    @Test
    void entryThatIsCutShortOrChangedNamesNothing() throws IOException {
        var journal = new FreezeJournal(folder);
        var file = journal.write(POINT, "boot-1", List.of(ORDERS));
        var bytes = Files.readAllBytes(file);
        for (int length = 0; length < bytes.length; length++) {
            Files.write(file, java.util.Arrays.copyOf(bytes, length));
            assertThat(journal.entries().getFirst().intents())
                    .as("first %d bytes", length)
                    .isEmpty();
        }
        for (int position = 0; position < bytes.length; position++) {
            var damaged = bytes.clone();
            damaged[position] ^= 1;
            Files.write(file, damaged);
            assertThat(journal.entries().getFirst().intents())
                    .as("byte %d", position)
                    .isEmpty();
        }
    }
}
