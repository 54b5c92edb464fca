package io.tidemark.consistency;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalFolderTest {
    /** Far more than it takes for a look to come between two steps of a write. */
    private static final int WRITES = 300;

    private static final List<String> LINES = List.of("recovery-point rp-1");

    @TempDir
    Path folder;

    private JournalFolder journal() {
        return new JournalFolder(folder.resolve("held"), "tidemark-test-journal 1", ".held", 4_096);
    }

    /** Names of what was found left behind while others were written. */
    private static List<Path> leftWhile(JournalFolder journal, Callable<Void> writes) throws Exception {
        var over = new AtomicBoolean();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<List<Path>> looker = executor.submit(() -> {
                List<Path> found = List.of();
                while (!over.get() && found.isEmpty()) {
                    found = journal.left().stream()
                            .map(JournalFolder.Found::file)
                            .toList();
                }
                return found;
            });
            try {
                writes.call();
            } finally {
                over.set(true);
            }
            return looker.get();
        }
    }

    @Test
    void whatOneThreadWritesAnotherNeitherRemovesNorTakesForLeftBehind() throws Exception {
        var journal = journal();

        var left = leftWhile(journal, () -> {
            for (int count = 0; count < WRITES; count++) {
                journal.remove(journal.writeLive("rp-" + count, LINES));
            }
            return null;
        });

        assertThat(left).isEmpty();
    }

    @Test
    void fileThatAnotherProcessRemovesWhileItIsListedIsNotThere() throws Exception {
        var journal = journal();
        var files = new ArrayList<Path>();
        for (int count = 0; count < WRITES; count++) {
            files.add(journal.write("rp-" + count, LINES));
        }

        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            // As a keeper does: it knows no monitor of this process.
            var removal = executor.submit(() -> removeAll(files));
            while (!removal.isDone()) {
                assertThat(journal.files()).allMatch(found -> found.lines().isPresent());
            }
            removal.get();
        }
        assertThat(journal.files()).isEmpty();
    }

    private static Void removeAll(List<Path> files) throws IOException {
        for (var file : files) {
            Files.delete(file);
        }
        return null;
    }

    @Test
    void whatWasLeftIsTakenCareOfByOneAlone() throws Exception {
        var journal = journal();
        var file = journal.writeLive("rp-1", LINES);
        assertThat(journal.left()).isEmpty();
        journal.leave(file);
        assertThat(journal.left()).hasSize(1);

        assertThat(journal.claim(file)).isTrue();

        assertThat(journal.claim(file)).isFalse();
        assertThat(journal.left()).isEmpty();
        journal.remove(file);
        assertThat(journal.claim(file)).isFalse();
    }
}
