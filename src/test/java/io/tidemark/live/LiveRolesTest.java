package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.Bytes;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.Role;
import io.tidemark.replication.live.LiveWire;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.VolumeId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Roles of a copy whose peer is away, over a disk that waits and a folder that fails. */
class LiveRolesTest {
    private static final int MIB = 1 << 20;
    private static final Duration ROLE_LIMIT = Duration.ofMillis(500);
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    Path folder;

    private final FailingDisk disk = new FailingDisk();
    private volatile Consumer<LiveStatus> changed = status -> {};
    private LiveSite site;
    private Path linkFolder;
    private LinkWishes wishes;
    private LiveVolume volume;
    private LiveRoles roles;

    @BeforeEach
    void start() throws Exception {
        site = new LiveSite(folder);
        linkFolder = Files.createDirectory(folder.resolve("wishes"));
        var link = new LiveHost.Link(
                LiveSite.LINK,
                new PeerId("b"),
                site.volume,
                new VolumeId("memory:other"),
                8 * MIB,
                true,
                new LiveHost.Terms(Protocol.C, Congestion.BLOCK, MIB, 67, 0, 0, false),
                Instant.now());
        wishes = new LinkWishes(new LinkFolder(linkFolder), new LinkFolder.Found(link, LinkFolder.Wishes.NONE));
        volume = LiveVolumeTest.lone(folder.resolve("metadata"), disk, status -> changed.accept(status));
        roles = new LiveRoles(site.host, link, wishes, ROLE_LIMIT);
    }

    @AfterEach
    void close() throws IOException {
        volume.close();
        site.close();
    }

    @Test
    void aDemotionThatTakesTooLongIsDoneYetAndNotUndone() throws Exception {
        roles.promote(volume, true);
        var go = new CountDownLatch(1);
        disk.flushing = go;
        var write = CompletableFuture.runAsync(() -> {
            try {
                volume.write(0, Bytes.of(ByteBuffer.allocate(512)), LiveWire.DATA_MAXIMUM);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        await().atMost(LIMIT).until(() -> volume.status().dirtyBlocks() > 0);

        assertThatExceptionOfType(LiveHost.RefusedException.class)
                .isThrownBy(() -> roles.demote(volume, false))
                .withMessageContaining("demoted once they have ended");

        assertThat(wishes.now().isPrimaryWanted()).isFalse();
        roles.resume(volume);
        assertThat(site.hasOpenExport()).isFalse();
        go.countDown();
        write.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        await().atMost(LIMIT).until(() -> volume.status().role() == Role.SECONDARY);
    }

    @Test
    void aPromotionThatCannotBeWishedIsNotDone() throws Exception {
        Files.delete(linkFolder);

        assertThatExceptionOfType(LiveHost.RefusedException.class).isThrownBy(() -> roles.promote(volume, true));

        assertThat(volume.status().role()).isEqualTo(Role.SECONDARY);
        Files.createDirectory(linkFolder);
        roles.promote(volume, true);
        assertThat(site.hasOpenExport()).isTrue();
    }

    @Test
    void aRefusedPromotionIsNotWished() throws Exception {
        volume.close();

        assertThatExceptionOfType(LiveHost.RefusedException.class).isThrownBy(() -> roles.promote(volume, true));

        assertThat(wishes.now().isPrimaryWanted()).isFalse();
    }

    @Test
    void aPrimaryWithoutItsExportOpensIt() throws Exception {
        roles.promote(volume, true);
        site.exports.close(LiveSite.EXPORT, () -> {});

        roles.resume(volume);

        assertThat(site.hasOpenExport()).isTrue();
    }

    @Test
    void aCopyThatHasFailedServesNobodyAndCanBeDemoted() throws Exception {
        roles.promote(volume, true);
        changed = status -> {
            changed = next -> {};
            throw new IllegalStateException("as the test wishes");
        };
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> volume.write(0, Bytes.of(ByteBuffer.allocate(512)), LiveWire.DATA_MAXIMUM));

        roles.resume(volume);

        assertThat(site.hasOpenExport()).isFalse();
        roles.demote(volume, false);
        assertThat(wishes.now().isPrimaryWanted()).isFalse();
    }
}
